#ifndef VERDANT_HUB_INTERNAL_BLOCK_POOL_H_
#define VERDANT_HUB_INTERNAL_BLOCK_POOL_H_

#include <cstddef>

namespace verdant::internal {

// Memory for control blocks, recycled per thread by size: spawning and ending a green thread
// touches no lock and, once warm, no allocator. Blocks are lines of cache, side by side in chunks;
// the
// memory of more than a few megabytes of empty ones goes back. A block must be freed on the
// thread that allocated it. Under sanitizers every block is malloc's, so that use after free is
// seen.
class BlockPool {
 public:
  static void* Allocate(std::size_t bytes);
  static void Free(void* block, std::size_t bytes) noexcept;
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_BLOCK_POOL_H_
