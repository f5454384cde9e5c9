#include "hub/internal/block_pool.h"

#include <array>
#include <new>

#include "greenlet/internal/sanitizer.h"

namespace verdant::internal {
namespace {

constexpr std::size_t kGrain = 64;  // a cache line, to which blocks are aligned

}  // namespace

#if defined(VERDANT_ASAN) || defined(VERDANT_TSAN)

// Every block its own allocation, so that the sanitizers see each one's life.
void* BlockPool::Allocate(std::size_t bytes) {
  return ::operator new(bytes, std::align_val_t(kGrain));
}
void BlockPool::Free(void* block, std::size_t) noexcept {
  ::operator delete(block, std::align_val_t(kGrain));
}

#else

namespace {

constexpr std::size_t kClasses = 16;    // up to 1 KiB
constexpr std::size_t kKept = 1 << 16;  // blocks of a class; beyond that they go back to malloc

struct FreeBlock {
  FreeBlock* next;
};
struct Class {
  FreeBlock* first;
  std::size_t
      room;  // for so many blocks more; none before the first allocation and after the thread's end
};
// Without a destructor of its own: blocks are freed as late as by other thread-local objects'
// destructors.
constinit thread_local std::array<Class, kClasses> classes{};

struct Owner {
  Owner() {
    for (Class& c : classes) c.room = kKept;
  }
  ~Owner() {
    for (Class& c : classes) {
      c.room = 0;
      while (FreeBlock* block = c.first) {
        c.first = block->next;
        ::operator delete(block, std::align_val_t(kGrain));
      }
    }
  }
};

[[gnu::noinline]] void* AllocateAnew(std::size_t index) {
  thread_local Owner owner;
  return ::operator new((index + 1) * kGrain, std::align_val_t(kGrain));
}

}  // namespace

void* BlockPool::Allocate(std::size_t bytes) {
  const std::size_t index = (bytes - 1) / kGrain;
  if (index >= kClasses) return ::operator new(bytes, std::align_val_t(kGrain));
  Class& c = classes[index];
  FreeBlock* block = c.first;
  if (block == nullptr) [[unlikely]]
    return AllocateAnew(index);
  c.first = block->next;
  ++c.room;
  return block;
}

void BlockPool::Free(void* block, std::size_t bytes) noexcept {
  const std::size_t index = (bytes - 1) / kGrain;
  if (index < kClasses && classes[index].room != 0) [[likely]] {
    Class& c = classes[index];
    auto* free_block = static_cast<FreeBlock*>(block);
    free_block->next = c.first;
    c.first = free_block;
    --c.room;
    return;
  }
  ::operator delete(block, std::align_val_t(kGrain));
}

#endif

}  // namespace verdant::internal
