#include "pool/tpool.h"

#include <cstdlib>
#include <optional>
#include <stdexcept>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace verdant::tpool {
namespace {

constexpr absl::Duration kIdleTimeout = absl::Seconds(5);

struct ThreadsPool;
// The calling thread's, for as long as there is one; asked for when threads end, too.
constinit thread_local ThreadsPool* living = nullptr;

struct ThreadsPool {
  ThreadsPool() { living = this; }
  ThreadsPool(const ThreadsPool&) = delete;
  ThreadsPool& operator=(const ThreadsPool&) = delete;
  ~ThreadsPool() { living = nullptr; }

  std::optional<std::int64_t> size;  // what SetNumThreads() said
  // Kept when it was ended, for those that still wait in it, until the thread ends.
  std::unique_ptr<ThreadPool> pool;
  bool in_use = false;
};

// Made after the thread's hub, so that it goes before it.
ThreadsPool& Mine() {
  Hub::Current();
  thread_local ThreadsPool mine;
  return mine;
}

std::int64_t SizeFromEnvironment() {
  const char* text = std::getenv("VERDANT_THREADPOOL_SIZE");
  if (text == nullptr) return kDefaultNumThreads;
  std::int64_t size = -1;
  if (!absl::SimpleAtoi(text, &size) || size < 0) {
    throw std::logic_error(
        absl::StrCat("VERDANT_THREADPOOL_SIZE must be a number of threads, not '", text, "'"));
  }
  return size;
}

}  // namespace

ThreadPool* PoolInUse() {
  return living != nullptr && living->in_use ? living->pool.get() : nullptr;
}

ThreadPool& Pool() {
  ThreadsPool& mine = Mine();
  if (!mine.in_use) {
    const std::int64_t size = mine.size ? *mine.size : SizeFromEnvironment();
    if (mine.pool == nullptr) {
      mine.pool = std::make_unique<ThreadPool>(size, kIdleTimeout);
    } else {
      mine.pool->SetMaxSize(size);
    }
    mine.in_use = true;
  }
  return *mine.pool;
}

void SetNumThreads(std::int64_t threads) {
  if (threads < 0) {
    throw std::logic_error(
        absl::StrCat("tpool::SetNumThreads: the number must not be negative: ", threads));
  }
  ThreadsPool& mine = Mine();
  if (mine.in_use) {
    throw std::logic_error("tpool::SetNumThreads: the pool is in use already");
  }
  mine.size = threads;
}

bool KillAll(Deadline deadline) {
  if (ThreadPool::OnWorkerThread()) {
    throw std::logic_error("tpool::KillAll in a call that the pool makes");
  }
  ThreadsPool& mine = Mine();
  if (!mine.in_use) return true;
  ThreadPool& pool = *mine.pool;
  if (!pool.KillAll(deadline)) return false;
  // Others may have made calls meanwhile.
  if (pool.Pending() == 0 && pool.Waiting() == 0 && pool.size() == 0) mine.in_use = false;
  return true;
}

}  // namespace verdant::tpool
