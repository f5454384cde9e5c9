#include "greenlet/internal/stack_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "greenlet/internal/sanitizer.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

namespace verdant {
namespace internal {
namespace {

constexpr std::size_t kFirstSlabStacks = 16;
constexpr std::size_t kMaxSlabBytes = std::size_t{1} << 30;
constexpr std::size_t kMostStackSize = SIZE_MAX / 2;
// A protected page splits its mapping in two, and the process needs entries for everything else as
// well.
constexpr long kDefaultMapLimit = 65530;

#if defined(VERDANT_ASAN) || defined(VERDANT_TSAN)
std::atomic<std::size_t> default_stack_size{256 * 1024};
#else
std::atomic<std::size_t> default_stack_size{64 * 1024};
#endif

std::size_t PageSize() {
  static const std::size_t size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

std::size_t RoundToPages(std::size_t bytes) {
  return (bytes + PageSize() - 1) / PageSize() * PageSize();
}

long MapLimit() {
  static const long limit = [] {
    long value = kDefaultMapLimit;
    if (FILE* file = std::fopen("/proc/sys/vm/max_map_count", "re")) {
      if (std::fscanf(file, "%ld", &value) != 1) value = kDefaultMapLimit;
      std::fclose(file);
    }
    return value;
  }();
  return limit;
}

std::atomic<long> protected_pages{0};

// Asks the kernel, which answers instead of faulting.
bool IsUnreadable(const void* address) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  const bool unreadable = write(ends[1], address, 1) < 0 && errno == EFAULT;
  close(ends[0]);
  close(ends[1]);
  return unreadable;
}

// Probed by doing it: a kernel's version says nothing about seccomp filters or emulators.
GuardKind ProbeGuardKind() {
  void* page =
      mmap(nullptr, PageSize(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return GuardKind::kMprotect;
  const bool works = madvise(page, PageSize(), MADV_GUARD_INSTALL) == 0 && IsUnreadable(page);
  munmap(page, PageSize());
  return works ? GuardKind::kGuardRegion : GuardKind::kMprotect;
}

void InstallGuard(char* page) {
  if (StackGuardKind() == GuardKind::kGuardRegion) {
    if (madvise(page, PageSize(), MADV_GUARD_INSTALL) == 0) return;
    throw StackExhausted(std::string("stack guard: madvise(MADV_GUARD_INSTALL): ") +
                         strerror(errno));
  }
  if (protected_pages.fetch_add(1) >= MapLimit() / 2 - 512 ||
      mprotect(page, PageSize(), PROT_NONE) != 0) {
    const long count = protected_pages.fetch_sub(1);
    throw StackExhausted("stack guard: " + std::to_string(count) +
                         " stacks have a protected page each and the process may map only " +
                         std::to_string(MapLimit()) +
                         " regions: raise vm.max_map_count, or run on Linux 6.13 or later");
  }
}

// Slabs by address for the signal handler, which may not take locks: entries are published by
// `base`, withdrawn by clearing it. Slabs double in size, so the table cannot fill before the
// address space does.
struct RegisteredSlab {
  std::atomic<char*> base{nullptr};
  std::atomic<std::size_t> bytes{0};
  std::atomic<std::size_t> stack_size{0};
};
constexpr std::size_t kMaxSlabs = 16384;
RegisteredSlab registry[kMaxSlabs];
std::atomic<std::size_t> registry_end{0};

bool RegisterSlab(char* base, std::size_t bytes, std::size_t stack_size) {
  for (std::size_t i = 0; i < kMaxSlabs; ++i) {
    std::size_t unused = 0;
    if (!registry[i].bytes.compare_exchange_strong(unused, bytes)) continue;
    registry[i].stack_size.store(stack_size);
    registry[i].base.store(base);
    std::size_t end = registry_end.load();
    while (end < i + 1 && !registry_end.compare_exchange_weak(end, i + 1)) {
    }
    return true;
  }
  return false;
}

void WithdrawSlab(char* base) {
  for (std::size_t i = 0; i < registry_end.load(); ++i) {
    if (registry[i].base.load() != base) continue;
    registry[i].base.store(nullptr);
    registry[i].bytes.store(0);
    return;
  }
}

using Pools = std::vector<std::unique_ptr<StackPool>>;

// Reached without a guard and good until the thread's last destructor has run, since a greenlet may
// end in one.
constinit thread_local Pools* thread_pools = nullptr;

// Pools of ended threads on whose stacks greenlets were left suspended: kept where a leak checker
// finds them.
std::mutex abandoned_mutex;
std::vector<Pools*>& Abandoned() {
  static auto* abandoned = new std::vector<Pools*>;
  return *abandoned;
}

struct ThreadPoolsOwner {
  ~ThreadPoolsOwner() { LeaveThreadStacks(); }
};

Pools& ThisThreadsPools() {
  if (thread_pools == nullptr) [[unlikely]] {
    thread_pools = new Pools;
    thread_local ThreadPoolsOwner owner;
  }
  return *thread_pools;
}

}  // namespace

StackPool::StackPool(std::size_t stack_size) : stack_size_(stack_size) {}

StackPool::~StackPool() {
  // Something may yet point into stacks still lived on.
  if (in_use_ != 0) return;
  for (const Slab& slab : slabs_) {
    WithdrawSlab(slab.base);
#if defined(VERDANT_ASAN)
    for (std::size_t i = 0; i < slab.handed_out; ++i) {
      __lsan_unregister_root_region(slab.base + i * stack_size_ + PageSize(),
                                    stack_size_ - PageSize());
    }
#endif
    munmap(slab.base, slab.count * stack_size_);
    if (StackGuardKind() == GuardKind::kMprotect) {
      protected_pages.fetch_sub(static_cast<long>(slab.handed_out));
    }
  }
}

Stack StackPool::AcquireSlow() {
  if (!cold_.empty()) {
    char* base = cold_.back();
    cold_.pop_back();
    ++in_use_;
    return {base, stack_size_};
  }
  if (slabs_.empty() || slabs_.back().handed_out == slabs_.back().count) AddSlab();
  Slab& slab = slabs_.back();
  char* base = slab.base + slab.handed_out * stack_size_;
  InstallGuard(base);
#if defined(VERDANT_ASAN)
  // What a suspended greenlet holds is not leaked. The guard stays out: the leak checker would read
  // it.
  __lsan_register_root_region(base + PageSize(), stack_size_ - PageSize());
#endif
  ++slab.handed_out;
  ++in_use_;
  return {base, stack_size_};
}

void StackPool::AddSlab() {
  const std::size_t most = std::max<std::size_t>(1, kMaxSlabBytes / stack_size_);
  std::size_t count = slabs_.empty() ? kFirstSlabStacks : slabs_.back().count * 2;
  count = std::min(count, most);
  // Room for what follows, so that Release() and Trim() cannot fail.
  std::size_t stacks = count;
  for (const Slab& slab : slabs_) stacks += slab.count;
  slabs_.reserve(slabs_.size() + 1);
  cold_.reserve(stacks);
  warm_.reserve(2 * stacks);  // what Trim() has passed over is removed once it is half
  const std::size_t bytes = count * stack_size_;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED) {
    throw StackExhausted("stack slab: mmap of " + std::to_string(bytes) +
                         " bytes of address space: " + strerror(errno) +
                         " (see ulimit -v and vm.overcommit_memory)");
  }
  // One huge page under the first touched stack would cost 2 MiB.
  madvise(memory, bytes, MADV_NOHUGEPAGE);
  prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, memory, bytes, "verdant stacks");
  auto base = static_cast<char*>(memory);
  if (!RegisterSlab(base, bytes, stack_size_)) {
    munmap(memory, bytes);
    throw StackExhausted("stack slab: the table of stack slabs is full");
  }
  slabs_.push_back({base, count, 0});
}

bool StackPool::Trim(std::size_t keep_warm, std::size_t limit) noexcept {
  while (warm() > keep_warm && limit > 0) {
    char* base = warm_[trimmed_++];
    // The guard page stays out of it: on kernels before guard regions the call would be refused
    // there.
    madvise(base + PageSize(), stack_size_ - PageSize(), MADV_DONTNEED);
    cold_.push_back(base);
    --limit;
  }
  if (trimmed_ >= warm() || limit > 0) {
    warm_.erase(warm_.begin(), warm_.begin() + static_cast<std::ptrdiff_t>(trimmed_));
    trimmed_ = 0;
  }
  return warm() > keep_warm;
}

void StackPool::AddTo(StackStats& stats) const {
  stats.in_use += in_use_;
  stats.free += warm() + cold_.size();
  stats.slabs += slabs_.size();
  for (const Slab& slab : slabs_) stats.reserved += slab.count * stack_size_;
}

StackPool& ThreadStackPool(std::size_t size) {
  if (size == 0) size = DefaultStackSize();
  if (size > kMostStackSize) {
    throw StackExhausted("a stack of " + std::to_string(size) +
                         " bytes: more than can be asked for");
  }
  // A page besides the guard: on some aarch64 kernels a page is 64 KiB.
  size = RoundToPages(std::max({size, kMinStackSize, 2 * PageSize()}));
  Pools& pools = ThisThreadsPools();
  for (auto& pool : pools) {
    if (pool->stack_size() == size) return *pool;
  }
  pools.push_back(std::make_unique<StackPool>(size));
  return *pools.back();
}

void LeaveThreadStacks() noexcept {
  if (thread_pools == nullptr) return;
  const std::lock_guard<std::mutex> lock(abandoned_mutex);
  std::vector<Pools*>& abandoned = Abandoned();
  if (std::find(abandoned.begin(), abandoned.end(), thread_pools) != abandoned.end()) return;
  std::erase_if(*thread_pools, [](const auto& pool) { return pool->in_use() == 0; });
  if (thread_pools->empty()) {
    delete std::exchange(thread_pools, nullptr);
  } else {
    abandoned.push_back(thread_pools);
  }
}

bool TrimThreadStacks(std::size_t keep_warm, std::size_t limit) noexcept {
  bool more = false;
  for (auto& pool : ThisThreadsPools()) more |= pool->Trim(keep_warm, limit);
  return more;
}

bool ThreadStacksExceed(std::size_t keep_warm) noexcept {
  for (auto& pool : ThisThreadsPools()) {
    if (pool->warm() > keep_warm) return true;
  }
  return false;
}

Stack FindStackByGuard(const void* address) noexcept {
  const auto* at = static_cast<const char*>(address);
  const std::size_t end = registry_end.load();
  for (std::size_t i = 0; i < end; ++i) {
    char* base = registry[i].base.load();
    if (base == nullptr || at < base || at >= base + registry[i].bytes.load()) continue;
    const std::size_t size = registry[i].stack_size.load();
    const std::size_t offset = static_cast<std::size_t>(at - base) % size;
    if (offset >= PageSize()) return {};
    return {base + (static_cast<std::size_t>(at - base) - offset), size};
  }
  return {};
}

}  // namespace internal

std::size_t DefaultStackSize() { return internal::default_stack_size.load(); }

void SetDefaultStackSize(std::size_t bytes) {
  if (bytes < kMinStackSize) {
    throw std::logic_error("SetDefaultStackSize: " + std::to_string(bytes) +
                           " bytes is less than " + std::to_string(kMinStackSize));
  }
  if (bytes > internal::kMostStackSize) {
    throw std::logic_error("SetDefaultStackSize: there is no address space for stacks of " +
                           std::to_string(bytes) + " bytes");
  }
  internal::default_stack_size.store(internal::RoundToPages(bytes));
}

GuardKind StackGuardKind() {
  static const GuardKind kind = internal::ProbeGuardKind();
  return kind;
}

StackStats GetStackStats() {
  StackStats stats;
  for (const auto& pool : internal::ThisThreadsPools()) pool->AddTo(stats);
  return stats;
}

}  // namespace verdant
