#include "hub/internal/block_pool.h"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
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

constexpr std::size_t kClasses = 16;  // up to 1 KiB
constexpr std::size_t kChunkBytes = 256 * 1024;
constexpr std::size_t kEmptyKept = 64;  // chunks of a class; the pages of any more go back

struct FreeBlock {
  FreeBlock* next;
};

// So many bytes, aligned to as many, that begin with this. Blocks never handed out yet lie at the
// end, and cost no memory.
struct alignas(kGrain) Chunk {
  FreeBlock* free = nullptr;
  std::size_t live = 0;
  std::size_t handed_out;  // bytes from the chunk's beginning
  // Among those of its class that have room, if `listed`.
  Chunk* next = nullptr;
  Chunk* previous = nullptr;
  bool listed = false;
};

Chunk* ChunkOf(void* block) {
  auto* byte = static_cast<char*>(block);
  return reinterpret_cast<Chunk*>(byte - reinterpret_cast<std::uintptr_t>(byte) % kChunkBytes);
}

constinit Chunk no_chunk = {.handed_out = kChunkBytes};

struct Class {
  Chunk* current = &no_chunk;  // from which blocks are taken; not listed
  Chunk* with_room = nullptr;  // any others
  std::size_t empty = 0;       // so many of these have no live block
};
// Without a destructor of its own: blocks are freed as late as by other thread-local objects'
// destructors.
constinit thread_local std::array<Class, kClasses> classes{};
constinit thread_local bool ended = false;  // the thread's end has begun: nothing is kept any more

void Release(Chunk* chunk) noexcept { ::operator delete(chunk, std::align_val_t(kChunkBytes)); }

void ListFirst(Class& c, Chunk* chunk) noexcept {
  chunk->previous = nullptr;
  chunk->next = c.with_room;
  if (chunk->next != nullptr) chunk->next->previous = chunk;
  c.with_room = chunk;
  chunk->listed = true;
}

void Unlist(Class& c, Chunk* chunk) noexcept {
  (chunk->previous != nullptr ? chunk->previous->next : c.with_room) = chunk->next;
  if (chunk->next != nullptr) chunk->next->previous = chunk->previous;
  chunk->listed = false;
}

bool HasPages(const Chunk* chunk) { return chunk->handed_out != sizeof(Chunk); }

// Of a chunk without a live block, but for the first. Not the chunk itself: an address space full
// of holes would cost more than the pages.
void GiveBackPages(Chunk* chunk) noexcept {
  const auto page = static_cast<std::size_t>(getpagesize());
  if (page >= kChunkBytes) return;
  madvise(reinterpret_cast<char*>(chunk) + page, kChunkBytes - page, MADV_DONTNEED);
  chunk->free = nullptr;
  chunk->handed_out = sizeof(Chunk);
}

struct Owner {
  ~Owner() {
    ended = true;
    for (Class& c : classes) {
      if (c.current != &no_chunk && c.current->live == 0) Release(c.current);
      c.current = &no_chunk;
      Chunk* chunk = c.with_room;
      while (chunk != nullptr) {
        Chunk* next = chunk->next;
        if (chunk->live == 0) {
          Unlist(c, chunk);
          Release(chunk);
        }
        chunk = next;
      }
    }
  }
};

void* TakeFrom(Chunk* chunk, std::size_t bytes) noexcept {
  ++chunk->live;
  if (FreeBlock* block = chunk->free; block != nullptr) {
    chunk->free = block->next;
    return block;
  }
  char* block = reinterpret_cast<char*>(chunk) + chunk->handed_out;
  chunk->handed_out += bytes;
  return block;
}

// `current` has no block that was freed.
[[gnu::noinline]] void* AllocateSlowly(std::size_t index) {
  thread_local const Owner owner;
  Class& c = classes[index];
  const std::size_t bytes = (index + 1) * kGrain;
  if (c.current->handed_out + bytes > kChunkBytes) {
    Chunk* chunk = c.with_room;
    if (chunk != nullptr && !ended) {
      Unlist(c, chunk);
      if (chunk->live == 0 && HasPages(chunk)) --c.empty;
    } else {
      chunk = new (::operator new(kChunkBytes, std::align_val_t(kChunkBytes)))
          Chunk{.handed_out = sizeof(Chunk)};
      if (ended) return TakeFrom(chunk, bytes);  // the first and last of its chunk
    }
    c.current = chunk;
  }
  return TakeFrom(c.current, bytes);
}

// A block of another chunk than `current` has been freed.
[[gnu::noinline]] void FreedElsewhere(Class& c, Chunk* chunk) noexcept {
  if (!chunk->listed) ListFirst(c, chunk);
  if (chunk->live != 0) return;
  if (ended) {
    Unlist(c, chunk);
    Release(chunk);
  } else if (c.empty < kEmptyKept) {
    ++c.empty;
  } else {
    GiveBackPages(chunk);
  }
}

}  // namespace

void* BlockPool::Allocate(std::size_t bytes) {
  const std::size_t index = (bytes - 1) / kGrain;
  if (index >= kClasses) return ::operator new(bytes, std::align_val_t(kGrain));
  Chunk* chunk = classes[index].current;
  FreeBlock* block = chunk->free;
  if (block == nullptr) [[unlikely]]
    return AllocateSlowly(index);
  chunk->free = block->next;
  ++chunk->live;
  return block;
}

void BlockPool::Free(void* block, std::size_t bytes) noexcept {
  const std::size_t index = (bytes - 1) / kGrain;
  if (index >= kClasses) return ::operator delete(block, std::align_val_t(kGrain));
  Chunk* chunk = ChunkOf(block);
  auto* free_block = static_cast<FreeBlock*>(block);
  free_block->next = chunk->free;
  chunk->free = free_block;
  --chunk->live;
  if (chunk != classes[index].current) [[unlikely]]
    FreedElsewhere(classes[index], chunk);
}

#endif

}  // namespace verdant::internal
