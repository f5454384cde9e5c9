#include "hub/internal/block_pool.h"

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <random>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "greenlet/internal/sanitizer.h"
#include "gtest/gtest.h"

namespace verdant::internal {
namespace {

struct Block {
  std::size_t bytes;
  unsigned char* memory;
};

Block Allocate(std::size_t bytes, int content) {
  const Block block{bytes, static_cast<unsigned char*>(BlockPool::Allocate(bytes))};
  std::memset(block.memory, content, bytes);
  return block;
}

bool Holds(const Block& block, int content) {
  for (std::size_t i = 0; i < block.bytes; ++i) {
    if (block.memory[i] != static_cast<unsigned char>(content)) return false;
  }
  return true;
}

TEST(BlockPoolTest, BlocksOfEverySizeAreLinesOfCacheThatDoNotOverlap) {
  std::vector<Block> blocks;
  for (std::size_t bytes = 1; bytes <= 2048; ++bytes) {
    blocks.push_back(Allocate(bytes, static_cast<int>(bytes % 251)));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(blocks.back().memory) % 64, 0u) << bytes;
  }
  for (const Block& block : blocks) {
    EXPECT_TRUE(Holds(block, static_cast<int>(block.bytes % 251))) << block.bytes;
    BlockPool::Free(block.memory, block.bytes);
  }
}

TEST(BlockPoolTest, BlocksSurviveTheComingAndGoingOfOthersInAnyOrder) {
  std::mt19937 random(7);
  std::vector<std::pair<Block, int>> live;
  for (int step = 0; step < 200000; ++step) {
    // Waves, so that chunks fill and empty.
    const bool grow = random() % 100 < (step / 20000 % 2 == 0 ? 70 : 30);
    if (grow || live.empty()) {
      const int content = static_cast<int>(random() % 256);
      live.emplace_back(Allocate(1 + random() % 1100, content), content);
    } else {
      std::swap(live[random() % live.size()], live.back());
      ASSERT_TRUE(Holds(live.back().first, live.back().second)) << "at step " << step;
      BlockPool::Free(live.back().first.memory, live.back().first.bytes);
      live.pop_back();
    }
  }
  for (const auto& [block, content] : live) {
    EXPECT_TRUE(Holds(block, content));
    BlockPool::Free(block.memory, block.bytes);
  }
}

TEST(BlockPoolTest, BlocksMayBeFreedByThreadLocalObjectsThatEndLate) {
  struct Late {
    ~Late() {
      for (const Block& block : blocks) {
        EXPECT_TRUE(Holds(block, 3));
        BlockPool::Free(block.memory, block.bytes);
      }
      // Even one that is made as late as that.
      const Block last = Allocate(320, 4);
      EXPECT_TRUE(Holds(last, 4));
      BlockPool::Free(last.memory, last.bytes);
    }
    std::vector<Block> blocks;
  };
  std::thread([] {
    // Made before the pool's own, so destroyed after.
    thread_local Late late;
    for (int i = 0; i < 1000; ++i) late.blocks.push_back(Allocate(320, 3));
    for (int i = 0; i < 500; ++i) {
      BlockPool::Free(late.blocks.back().memory, 320);
      late.blocks.pop_back();
    }
  }).join();
}

// Where blocks are malloc's there is nothing to be seen of the rest.
#if !defined(VERDANT_ASAN) && !defined(VERDANT_TSAN)

TEST(BlockPoolTest, WhatWasFreedLastIsHandedOutNext) {
  void* first = BlockPool::Allocate(320);
  BlockPool::Free(first, 320);
  void* second = BlockPool::Allocate(300);  // of the same class
  EXPECT_EQ(second, first);
  BlockPool::Free(second, 300);
}

TEST(BlockPoolTest, BlocksOfASizeLieSideBySide) {
  std::set<std::uintptr_t> pages;
  std::vector<void*> blocks;
  for (int i = 0; i < 10000; ++i) {
    blocks.push_back(BlockPool::Allocate(640));
    pages.insert(reinterpret_cast<std::uintptr_t>(blocks.back()) / 4096);
  }
  EXPECT_LT(pages.size(), 10000u * 640 / 4096 * 11 / 10);
  for (void* block : blocks) BlockPool::Free(block, 640);
}

// Under Valgrind what is resident is mostly its own.
#if !defined(VERDANT_VALGRIND)

std::int64_t ResidentBytes() {
  std::int64_t total = 0;
  std::int64_t resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

TEST(BlockPoolTest, MemoryOfAMillionFreedBlocksGoesBackAndIsGoodAgain) {
  constexpr std::size_t kBlocks = 1000000;
  const std::int64_t before = ResidentBytes();
  std::vector<Block> blocks;
  blocks.reserve(kBlocks);
  for (int wave = 0; wave < 2; ++wave) {
    for (std::size_t i = 0; i < kBlocks; ++i) blocks.push_back(Allocate(320, wave));
    EXPECT_GT(ResidentBytes() - before, std::int64_t{300} << 20);
    for (const Block& block : blocks) {
      ASSERT_TRUE(Holds(block, wave));
      BlockPool::Free(block.memory, block.bytes);
    }
    blocks.clear();
    // What is kept, the first page of each chunk, and the vector itself.
    EXPECT_LT(ResidentBytes() - before, std::int64_t{60} << 20);
  }
}

#endif
#endif

}  // namespace
}  // namespace verdant::internal
