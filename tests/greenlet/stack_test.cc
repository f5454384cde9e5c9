#include "greenlet/stack.h"

#include <unistd.h>

#include <any>
#include <stdexcept>
#include <vector>

#include "greenlet/greenlet.h"
#include "greenlet/internal/sanitizer.h"
#include "greenlet/internal/stack_pool.h"
#include "gtest/gtest.h"
#include "tests/greenlet/stack_testing.h"
#include "tests/testing/death_tests.h"

namespace verdant {
namespace {

// 4 KiB, or more on some aarch64 kernels.
const std::size_t kPage = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
const std::size_t kSize = 16 * kPage;

TEST(Stack, ASizeBelowTheMinimumIsRefusedAndOthersRoundUpToPages) {
  const std::size_t before = DefaultStackSize();
  EXPECT_THROW(SetDefaultStackSize(kMinStackSize - 1), std::logic_error);
  SetDefaultStackSize(100001);
  EXPECT_EQ(DefaultStackSize() % kPage, 0u);
  EXPECT_GE(DefaultStackSize(), 100001u);
  SetDefaultStackSize(before);
}

TEST(Stack, TheSmallestHasRoomBesidesItsGuard) {
  EXPECT_GT(internal::ThreadStackPool(1).stack_size(), kPage);
  Greenlet small([] { return 7; }, {.stack_size = 1});
  EXPECT_EQ(std::any_cast<int>(small.Switch()), 7);
}

TEST(Stack, ReleasedStacksAreUsedAgainLastFirst) {
  internal::StackPool pool(kSize);
  const internal::Stack a = pool.Acquire();
  const internal::Stack b = pool.Acquire();
  EXPECT_NE(a.base, b.base);
  pool.Release(a);
  pool.Release(b);
  EXPECT_EQ(pool.Acquire().base, b.base);
  EXPECT_EQ(pool.Acquire().base, a.base);
  pool.Release(a);
  pool.Release(b);
}

TEST(Stack, TrimmingGivesPagesBackAndKeepsTheStacksUsable) {
  internal::StackPool pool(kSize);
  std::vector<internal::Stack> stacks;
  for (int i = 0; i < 8; ++i) stacks.push_back(pool.Acquire());
  for (const internal::Stack& stack : stacks) {
    stack.limit()[-1] = 'x';
    pool.Release(stack);
  }
  EXPECT_TRUE(pool.Trim(/*keep_warm=*/2, /*limit=*/5));
  EXPECT_FALSE(pool.Trim(2, 5));
  for (int i = 0; i < 2; ++i) EXPECT_EQ(pool.Acquire().limit()[-1], 'x');
  for (int i = 0; i < 6; ++i) {
    const internal::Stack stack = pool.Acquire();
    EXPECT_EQ(stack.limit()[-1], '\0');
    stack.base[kPage] = 'y';
  }
  for (const internal::Stack& stack : stacks) pool.Release(stack);
}

TEST(Stack, ThousandsOfGuardedStacksTakeAHandfulOfMapEntries) {
  if (StackGuardKind() != GuardKind::kGuardRegion)
    GTEST_SKIP() << "no guard regions on this kernel";
#if defined(VERDANT_ASAN) || defined(VERDANT_TSAN)
  GTEST_SKIP() << "the sanitizer's shadow has mappings of its own";
#endif
  internal::StackPool pool(kSize);
  const std::size_t before = MapEntries();
  std::vector<internal::Stack> stacks;
  for (int i = 0; i < 20000; ++i) stacks.push_back(pool.Acquire());
  EXPECT_LT(MapEntries(), before + 30);
  for (const internal::Stack& stack : stacks) pool.Release(stack);
}

TEST(Stack, EveryGuardPageIsFoundByItsAddressAndNothingElseIs) {
  internal::StackPool pool(kSize);
  const internal::Stack stack = pool.Acquire();
  EXPECT_EQ(internal::FindStackByGuard(stack.base + 100).base, stack.base);
  EXPECT_FALSE(internal::FindStackByGuard(stack.base + kPage));
  EXPECT_FALSE(internal::FindStackByGuard(&pool));
  pool.Release(stack);
}

TEST(StackDeathTest, AnOverflowNamesTheGreenletItsOriginAndTheStacksSize) {
#if defined(VERDANT_ASAN) || defined(VERDANT_TSAN)
  GTEST_SKIP() << "the sanitizer reports the overflow itself";
#endif
  DieInAFreshProcess();
  EXPECT_DEATH(
      {
        InstallStackOverflowReporter();
        Greenlet glutton([] { return Devour(1 << 20); },
                         {.stack_size = 32 * 1024, .name = "glutton"});
        glutton.Switch();
      },
      "stack overflow in green thread 'glutton', spawned at .*stack_test.cc:[0-9]+: its stack of "
      "32 KiB is used up");
}

}  // namespace
}  // namespace verdant
