#include "hub/bounded_semaphore.h"

#include <stdexcept>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "hub/semaphore.h"
#include "tests/hub/manual_clock.h"
#include "tests/hub/sync_testing.h"

namespace verdant {
namespace {

TEST(BoundedSemaphore, A6_5_B6_3_ReleasingMoreThanWasTakenIsALogicErrorAndChangesNothing) {
  BoundedSemaphore semaphore(2);
  EXPECT_EQ(semaphore.bound(), 2);
  try {
    semaphore.Release();
    ADD_FAILURE();
  } catch (const std::logic_error& e) {
    EXPECT_STREQ(e.what(), "BoundedSemaphore::Release: released too many times");
  }
  EXPECT_EQ(semaphore.count(), 2);
  semaphore.Acquire();
  semaphore.Release();
  EXPECT_THROW(semaphore.Release(), std::logic_error);
  EXPECT_EQ(semaphore.count(), 2);
  EXPECT_THROW(BoundedSemaphore(-1), std::logic_error);
  EXPECT_THROW(BoundedSemaphore(0).Release(), std::logic_error);
}

TEST(BoundedSemaphore, A6_5_WaitersAreServedAsBySemaphoreWithTheCountsToShowIt) {
  WithManualClock([](ManualClock&) {
    BoundedSemaphore semaphore;
    EXPECT_EQ(semaphore.balance(), 1);
    EXPECT_TRUE(semaphore.Acquire());
    EXPECT_TRUE(semaphore.locked());
    EXPECT_FALSE(semaphore.TryAcquire());
    EXPECT_FALSE(semaphore.Acquire(absl::Seconds(1)));
    std::vector<int> order;
    const auto wait = [&](int i) {
      semaphore.Acquire();
      order.push_back(i);
    };
    auto first = Spawn(wait, 1);
    auto second = Spawn(wait, 2);
    Sleep();
    EXPECT_EQ(semaphore.waiting(), 2u);
    EXPECT_EQ(semaphore.balance(), -2);
    semaphore.Release();
    first.Join();
    semaphore.Release();
    second.Join();
    EXPECT_EQ(order, (std::vector<int>{1, 2}));
    semaphore.Release();
    EXPECT_EQ(semaphore.count(), 1);
    EXPECT_EQ(semaphore.Wait(), 1);
    EXPECT_TRUE(semaphore.Ready());
  });
}

TEST(BoundedSemaphore, A6_5_TheShareOfOneKilledAfterItWasServedDoesNotCountTwice) {
  BoundedSemaphore semaphore(1);
  semaphore.Acquire();
  auto killed = Spawn([&] { semaphore.Acquire(); });
  Sleep();
  semaphore.Release();
  killed.Kill();
  EXPECT_EQ(semaphore.count(), 1);
  EXPECT_THROW(semaphore.Release(), std::logic_error);
}

TEST(BoundedSemaphore, B4_4_LinksAreCalledWhenOneCouldBeTaken) {
  BoundedSemaphore semaphore(1);
  semaphore.Acquire();
  int called = 0;
  semaphore.Link([&] { ++called; });
  EXPECT_TRUE(semaphore.Unlink(semaphore.Link([&] { ++called; })));
  semaphore.Release();
  EXPECT_EQ(called, 1);
}

TEST(BoundedSemaphore, FitsSemaphoreLockAndIsNamedByADeadlock) {
  OnFreshThread([] {
    BoundedSemaphore semaphore(1);
    const SemaphoreLock lock(semaphore);
    try {
      semaphore.Acquire();
      ADD_FAILURE();
    } catch (const LoopExit& e) {
      EXPECT_NE(std::string(e.what()).find("waiting in BoundedSemaphore::Acquire"),
                std::string::npos);
    }
  });
}

}  // namespace
}  // namespace verdant
