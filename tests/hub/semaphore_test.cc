#include "hub/semaphore.h"

#include <memory>
#include <stdexcept>
#include <vector>

#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

TEST(Semaphore, A6_1_ANegativeCountIsRefused) { EXPECT_THROW(Semaphore(-1), std::logic_error); }

TEST(Semaphore, A6_1_AcquireTakesWithoutWaitingWhileThereIsOne) {
  Semaphore semaphore(2);
  EXPECT_TRUE(semaphore.Acquire());
  EXPECT_TRUE(semaphore.TryAcquire());
  EXPECT_FALSE(semaphore.TryAcquire());
  EXPECT_TRUE(semaphore.locked());
  EXPECT_EQ(semaphore.count(), 0);
}

TEST(Semaphore, A6_1_AWaitWithADeadlineGivesUp) {
  WithManualClock([](ManualClock& clock) {
    Semaphore semaphore(0);
    EXPECT_FALSE(semaphore.Acquire(absl::Seconds(2)));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(2));
    EXPECT_FALSE(semaphore.Acquire(absl::ZeroDuration()));
    EXPECT_EQ(semaphore.waiting(), 0u);
    semaphore.Release();
    EXPECT_TRUE(semaphore.Acquire(absl::ZeroDuration()));
  });
}

TEST(Semaphore, A6_2_WaitersAreServedInTheOrderTheyCame) {
  Semaphore semaphore(0);
  std::vector<int> order;
  std::vector<GreenThread<void>> waiters;
  for (int i = 0; i < 4; ++i) {
    waiters.push_back(Spawn([&, i] {
      semaphore.Acquire();
      order.push_back(i);
    }));
  }
  Sleep();
  for (int i = 0; i < 4; ++i) semaphore.Release();
  JoinAll(waiters);
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3}));
}

TEST(Semaphore, A6_2_OnlyTryAcquireOvertakesWaiters) {
  Semaphore semaphore(0);
  bool first_has = false;
  bool second_has = false;
  auto first = Spawn([&] { first_has = semaphore.Acquire(); });
  Sleep();
  auto second = Spawn([&] { second_has = semaphore.Acquire(); });
  Sleep();
  semaphore.Release();  // for the first, though it has not run yet
  EXPECT_FALSE(semaphore.TryAcquire());
  Sleep();
  EXPECT_TRUE(first_has);
  EXPECT_FALSE(second_has);
  semaphore.Release();
  second.Join();
  EXPECT_TRUE(second_has);
}

TEST(Semaphore, A6_3_OneKilledAfterItWasServedPassesItsShareOn) {
  Semaphore semaphore(0);
  bool second_has = false;
  auto first = Spawn([&] { semaphore.Acquire(); });
  auto second = Spawn([&] { second_has = semaphore.Acquire(); });
  Sleep();
  semaphore.Release();
  first.Kill();
  second.Join();
  EXPECT_TRUE(second_has);
  EXPECT_EQ(semaphore.count(), 0);
  EXPECT_EQ(semaphore.waiting(), 0u);
}

TEST(Semaphore, A6_3_OneKilledWhileWaitingLeavesNoTrace) {
  Semaphore semaphore(0);
  auto waiter = Spawn([&] { semaphore.Acquire(); });
  Sleep();
  EXPECT_EQ(semaphore.waiting(), 1u);
  waiter.Kill();
  EXPECT_EQ(semaphore.waiting(), 0u);
  semaphore.Release();
  EXPECT_EQ(semaphore.count(), 1);
}

TEST(Semaphore, A6_3_AReleaseThatMeetsADeadlineIsNotLost) {
  WithManualClock([](ManualClock&) {
    Semaphore semaphore(0);
    bool first_has = false;
    bool second_has = false;
    auto first = Spawn([&] { first_has = semaphore.Acquire(absl::Seconds(1)); });
    auto second = Spawn([&] { second_has = semaphore.Acquire(); });
    Sleep();
    Hub::Current().ScheduleCall(absl::Seconds(1), [&] { semaphore.Release(); });
    first.Join();
    Sleep();
    EXPECT_NE(first_has, second_has);
    if (!second_has) second.Kill();
    EXPECT_EQ(semaphore.count(), 0);
  });
}

TEST(Semaphore, A6_4_BalanceCountsWaitersAsNegative) {
  Semaphore semaphore(1);
  EXPECT_EQ(semaphore.balance(), 1);
  semaphore.Acquire();
  auto a = Spawn([&] { semaphore.Acquire(); });
  auto b = Spawn([&] { semaphore.Acquire(); });
  Sleep();
  EXPECT_EQ(semaphore.balance(), -2);
  KillAll({a, b});
  EXPECT_EQ(semaphore.balance(), 0);
}

TEST(Semaphore, AdjustServesAsManyAsNowFitAndMayGoBelowWhatIsTaken) {
  Semaphore semaphore(1);
  semaphore.Acquire();
  int served = 0;
  std::vector<GreenThread<void>> waiters;
  for (int i = 0; i < 5; ++i) {
    waiters.push_back(Spawn([&] {
      semaphore.Acquire();
      ++served;
    }));
  }
  Sleep();
  semaphore.Adjust(3);
  Sleep();
  EXPECT_EQ(served, 3);
  semaphore.Adjust(-2);
  EXPECT_EQ(semaphore.count(), -2);
  semaphore.Release();
  semaphore.Release();
  Sleep();
  EXPECT_EQ(served, 3);
  semaphore.Release();
  semaphore.Release();
  JoinAll(waiters);
  EXPECT_EQ(served, 5);
}

TEST(Semaphore, ItsWaitersMayOutliveItServedOrNot) {
  auto semaphore = std::make_unique<Semaphore>(0);
  bool served = false;
  auto lucky = Spawn([&, s = semaphore.get()] { served = s->Acquire(); });
  auto granted_then_killed = Spawn([s = semaphore.get()] { s->Acquire(); });
  auto unlucky = Spawn([s = semaphore.get()] { s->Acquire(); });
  Sleep();
  semaphore->Release();
  semaphore->Release();
  semaphore = nullptr;
  granted_then_killed.Kill();
  EXPECT_TRUE(served);
  Sleep();
  EXPECT_FALSE(unlucky.Ready());
  unlucky.Kill();
}

TEST(SemaphoreLock, HoldsOneForAScopeAndReturnsItOnTheWayOut) {
  Semaphore semaphore(1);
  try {
    const SemaphoreLock lock(semaphore);
    EXPECT_TRUE(semaphore.locked());
    throw std::runtime_error("out");
  } catch (const std::runtime_error&) {
  }
  EXPECT_FALSE(semaphore.locked());
}

TEST(SemaphoreLock, ExcludesOthersAcrossSwitches) {
  Semaphore mutex(1);
  int inside = 0;
  int most = 0;
  std::vector<GreenThread<void>> all;
  for (int i = 0; i < 10; ++i) {
    all.push_back(Spawn([&] {
      const SemaphoreLock lock(mutex);
      most = std::max(most, ++inside);
      Sleep();
      --inside;
    }));
  }
  JoinAll(all);
  EXPECT_EQ(most, 1);
  EXPECT_EQ(mutex.count(), 1);
}

}  // namespace
}  // namespace verdant
