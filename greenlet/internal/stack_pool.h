#ifndef VERDANT_GREENLET_INTERNAL_STACK_POOL_H_
#define VERDANT_GREENLET_INTERNAL_STACK_POOL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "greenlet/internal/sanitizer.h"
#include "greenlet/stack.h"

namespace verdant::internal {

struct Fiber;

// One stack: [base, base + size), its lowest page a guard. The word at its very top says which
// fiber lives there, so that a fault address alone leads a signal handler to a name.
struct Stack {
  char* base = nullptr;
  std::size_t size = 0;

  explicit operator bool() const { return base != nullptr; }
  char* limit() const { return base + size; }
  const Fiber** owner_slot() const {
    return reinterpret_cast<const Fiber**>(limit() - sizeof(const Fiber*));
  }
  // Where frames start. Coloured by position, since equal offsets in equal-sized stacks would all
  // fall into the same cache sets; by half a page at most, so that a shallow stack still costs one
  // page.
  char* top() const {
    const auto index = reinterpret_cast<std::uintptr_t>(base) / size;
    return limit() - 64 - (index % 32) * 64;
  }
};

// Stacks of one size for one thread. Slabs of equal stacks in one mapping each, growing by
// doubling, so that a million stacks take a few dozen map entries.
class StackPool {
 public:
  explicit StackPool(std::size_t stack_size);
  StackPool(const StackPool&) = delete;
  StackPool& operator=(const StackPool&) = delete;
  ~StackPool();

  // Throws StackExhausted.
  Stack Acquire() {
    if (warm_.size() > trimmed_) [[likely]] {
      char* base = warm_.back();
      warm_.pop_back();
      ++in_use_;
      return {base, stack_size_};
    }
    return AcquireSlow();
  }

  void Release(Stack stack) noexcept {
#if defined(VERDANT_ASAN)
    __asan_unpoison_memory_region(stack.base, stack.size);
#endif
    --in_use_;
    warm_.push_back(stack.base);  // room was made when the stack was first handed out
  }

  // Gives the pages of stacks beyond the `keep_warm` most recently used back to the kernel, at most
  // `limit` stacks a call; returns whether more remain. For a thread with nothing else to do.
  bool Trim(std::size_t keep_warm, std::size_t limit) noexcept;

  std::size_t stack_size() const { return stack_size_; }
  std::size_t in_use() const { return in_use_; }
  std::size_t warm() const { return warm_.size() - trimmed_; }
  void AddTo(StackStats& stats) const;

 private:
  struct Slab {
    char* base;
    std::size_t count;
    std::size_t handed_out;  // stacks below this index have been used, their guards are installed
  };

  Stack AcquireSlow();
  void AddSlab();

  const std::size_t stack_size_;
  std::size_t in_use_ = 0;
  std::vector<char*> warm_;  // most recently released last
  std::size_t trimmed_ = 0;  // of warm_, from its front, have moved on to cold_
  std::vector<char*> cold_;
  std::vector<Slab> slabs_;
};

// The calling thread's pool for stacks of `size` bytes (rounded up to whole pages; 0 means the
// default size).
StackPool& ThreadStackPool(std::size_t size);
// At a thread's end: gives its stacks back, but for the pools with stacks still lived on. May be
// called again after a late use.
void LeaveThreadStacks() noexcept;
// StackPool::Trim() for all of the thread's pools.
bool TrimThreadStacks(std::size_t keep_warm, std::size_t limit) noexcept;
// Whether that would find anything to do.
bool ThreadStacksExceed(std::size_t keep_warm) noexcept;

// The stack whose guard page holds `address`, or an empty one. Async-signal-safe.
Stack FindStackByGuard(const void* address) noexcept;

}  // namespace verdant::internal

#endif  // VERDANT_GREENLET_INTERNAL_STACK_POOL_H_
