#include "pool/internal/thread_crew.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace verdant::internal {
namespace {

constinit thread_local bool on_worker = false;

// Signals are for the threads that have hubs; a thread made meanwhile takes none but those of its
// own faults.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGPROF}) {
      sigdelset(&all, fault);
    }
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace

bool ThreadCrew::OnWorker() { return on_worker; }

void ThreadCrew::StartThread() {
  const SignalsBlocked blocked;
  std::thread([crew = shared_from_this()] {
    pthread_setname_np(pthread_self(), "verdant-pool");
    crew->Work();
  }).detach();
  ++threads_;
}

void ThreadCrew::Submit(std::shared_ptr<ThreadJob> job) {
  const std::lock_guard<std::mutex> lock(mutex_);
  queue_.push_back(std::move(job));
  const std::size_t staying = idle_ - std::min(idle_, to_end_);
  if (queue_.size() > staying) {
    if (to_end_ > 0 && idle_ > 0 && threads_ - to_end_ < max_size_) {
      --to_end_;
    } else if (threads_ < std::max<std::size_t>(max_size_, 1)) {
      // One at least: a call that waited for room while the maximum went to none still gets its
      // thread.
      try {
        StartThread();
      } catch (const std::system_error& error) {
        if (threads_ == 0) {
          queue_.pop_back();
          throw std::runtime_error(
              absl::StrCat("ThreadPool: no thread could be started: ", error.what()));
        }
      }
    }
  }
  something_.notify_one();
}

bool ThreadCrew::Withdraw(const ThreadJob* job) {
  std::shared_ptr<ThreadJob> withdrawn;  // destroyed after the lock is
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto place = std::find_if(queue_.begin(), queue_.end(),
                                  [job](const auto& queued) { return queued.get() == job; });
  if (place == queue_.end()) return false;
  withdrawn = std::move(*place);
  queue_.erase(place);
  return true;
}

void ThreadCrew::SetMaxSize(std::size_t max_size) {
  const std::lock_guard<std::mutex> lock(mutex_);
  max_size_ = max_size;
  to_end_ = threads_ > max_size ? threads_ - max_size : 0;
  for (std::size_t waiting = queue_.size(); waiting > idle_ && threads_ < max_size_; --waiting) {
    try {
      StartThread();
    } catch (const std::system_error&) {
      break;  // those there are will do
    }
  }
  something_.notify_all();
}

void ThreadCrew::SetSize(std::size_t size) {
  const std::lock_guard<std::mutex> lock(mutex_);
  to_end_ = threads_ > size ? threads_ - size : 0;
  while (threads_ < size) {
    try {
      StartThread();
    } catch (const std::system_error& error) {
      throw std::runtime_error(
          absl::StrCat("ThreadPool: no more threads could be started: ", error.what()));
    }
  }
  something_.notify_all();
}

std::size_t ThreadCrew::size() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return threads_;
}

void ThreadCrew::Close(absl::AnyInvocable<void()> on_end) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closed_ = true;
    something_.notify_all();
    if (threads_ > 0) {
      on_end_ = std::move(on_end);
      return;
    }
  }
  if (on_end) on_end();
}

void ThreadCrew::Work() {
  on_worker = true;
  absl::AnyInvocable<void()> on_end;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      if (MayEnd()) break;
      if (!queue_.empty()) {
        std::shared_ptr<ThreadJob> job = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        ThreadJob::Perform(std::move(job));
        lock.lock();
        continue;
      }
      if (closed_) break;
      ++idle_;
      bool had_enough = false;
      if (idle_timeout_ == absl::InfiniteDuration()) {
        something_.wait(lock);
      } else {
        const auto patience = absl::ToChronoNanoseconds(idle_timeout_);
        had_enough = something_.wait_for(lock, patience) == std::cv_status::timeout;
      }
      --idle_;
      if (had_enough && queue_.empty()) break;
    }
    if (to_end_ > 0) --to_end_;
    if (--threads_ == 0) on_end = std::exchange(on_end_, nullptr);
  }
  if (on_end) on_end();
}

}  // namespace verdant::internal
