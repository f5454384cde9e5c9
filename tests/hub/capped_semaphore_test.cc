#include "hub/capped_semaphore.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "tests/hub/manual_clock.h"
#include "tests/hub/sync_testing.h"

namespace verdant {
namespace {

TEST(CappedSemaphore, A6_6_ACountBelowZeroOrAboveTheLimitIsRefused) {
  EXPECT_THROW(CappedSemaphore(-1, 3), std::logic_error);
  EXPECT_THROW(CappedSemaphore(4, 3), std::logic_error);
  EXPECT_THROW(CappedSemaphore(0, -1), std::logic_error);
  EXPECT_EQ(CappedSemaphore(3, 3).limit(), 3);
}

TEST(CappedSemaphore, A6_6_BetweenTheEndsNeitherSideWaits) {
  CappedSemaphore semaphore(1, 3);
  bool yielded = false;
  SpawnN([&] { yielded = true; });
  EXPECT_TRUE(semaphore.Acquire());
  EXPECT_EQ(semaphore.count(), 0);
  EXPECT_TRUE(semaphore.locked());
  EXPECT_FALSE(semaphore.TryAcquire());
  for (int i = 1; i <= 3; ++i) {
    EXPECT_TRUE(i % 2 == 0 ? semaphore.Release() : semaphore.TryRelease());
    EXPECT_EQ(semaphore.count(), i);
    EXPECT_EQ(semaphore.balance(), 0);
  }
  EXPECT_TRUE(semaphore.bounded());
  EXPECT_FALSE(semaphore.TryRelease());
  EXPECT_TRUE(semaphore.TryAcquire());
  EXPECT_EQ(semaphore.count(), 2);
  EXPECT_FALSE(semaphore.bounded());
  EXPECT_FALSE(yielded);
  Sleep();
}

TEST(CappedSemaphore, A6_6_AcquireWaitsAtZeroInTheOrderTheyCame) {
  CappedSemaphore semaphore(0, 2);
  std::vector<int> order;
  const auto wait = [&](int i) {
    semaphore.Acquire();
    order.push_back(i);
  };
  auto a = Spawn(wait, 1);
  auto b = Spawn(wait, 2);
  Sleep();
  EXPECT_EQ(semaphore.balance(), -2);
  EXPECT_EQ(semaphore.waiting_to_acquire(), 2u);
  EXPECT_EQ(semaphore.count(), 0);
  EXPECT_TRUE(semaphore.Release());
  EXPECT_EQ(semaphore.balance(), -1);
  EXPECT_TRUE(semaphore.Release());
  EXPECT_EQ(semaphore.balance(), 0);
  EXPECT_EQ(semaphore.count(), 0);
  JoinAll({a, b});
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST(CappedSemaphore, A6_6_ReleaseWaitsAtTheLimitInTheOrderTheyCame) {
  CappedSemaphore semaphore(2, 2);
  std::vector<int> order;
  const auto give = [&](int i) {
    semaphore.Release();
    order.push_back(i);
  };
  auto a = Spawn(give, 1);
  auto b = Spawn(give, 2);
  Sleep();
  EXPECT_EQ(semaphore.balance(), 2);
  EXPECT_EQ(semaphore.waiting_to_release(), 2u);
  EXPECT_EQ(semaphore.count(), 2);
  semaphore.Acquire();
  EXPECT_EQ(semaphore.balance(), 1);
  EXPECT_EQ(semaphore.count(), 2);
  semaphore.Acquire();
  EXPECT_EQ(semaphore.count(), 2);
  JoinAll({a, b});
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
  EXPECT_TRUE(semaphore.TryAcquire());
  EXPECT_TRUE(semaphore.TryAcquire());
  EXPECT_FALSE(semaphore.TryAcquire());
}

TEST(CappedSemaphore, A6_6_WithALimitOfZeroTheTwoSidesMeet) {
  CappedSemaphore semaphore(0, 0);
  EXPECT_FALSE(semaphore.TryAcquire());
  EXPECT_FALSE(semaphore.TryRelease());
  auto giver = Spawn([&] { return semaphore.Release(); });
  Sleep();
  EXPECT_FALSE(giver.Ready());
  EXPECT_TRUE(semaphore.Acquire());
  EXPECT_TRUE(giver.Wait());
  auto taker = Spawn([&] { return semaphore.Acquire(); });
  Sleep();
  EXPECT_TRUE(semaphore.TryRelease());
  EXPECT_TRUE(taker.Wait());
  EXPECT_EQ(semaphore.count(), 0);
}

TEST(CappedSemaphore, A6_6_DeadlinesOnBothSidesChangeNothing) {
  WithManualClock([](ManualClock& clock) {
    CappedSemaphore semaphore(0, 1);
    EXPECT_FALSE(semaphore.Acquire(absl::Seconds(1)));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(1));
    EXPECT_EQ(semaphore.count(), 0);
    EXPECT_TRUE(semaphore.Release(absl::Seconds(1)));
    EXPECT_FALSE(semaphore.TryRelease()) << "one place, no more";
    EXPECT_FALSE(semaphore.Release(absl::Seconds(1)));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(2));
    EXPECT_EQ(semaphore.count(), 1);
    EXPECT_TRUE(semaphore.TryAcquire());
    EXPECT_FALSE(semaphore.TryAcquire()) << "what was not given cannot be taken";
  });
}

TEST(CappedSemaphore, A6_6_KilledWaitersOnBothSidesLeaveNoTrace) {
  CappedSemaphore semaphore(0, 1);
  auto taker = Spawn([&] { semaphore.Acquire(); });
  Sleep();
  taker.Kill();
  EXPECT_EQ(semaphore.balance(), 0);
  EXPECT_TRUE(semaphore.TryRelease());
  EXPECT_FALSE(semaphore.TryRelease());
  auto giver = Spawn([&] { semaphore.Release(); });
  Sleep();
  giver.Kill();
  EXPECT_EQ(semaphore.balance(), 0);
  EXPECT_EQ(semaphore.count(), 1);
  EXPECT_TRUE(semaphore.TryAcquire());
  EXPECT_FALSE(semaphore.TryAcquire());
}

TEST(CappedSemaphore, A6_3_OneKilledAfterItWasServedPassesItsShareOn) {
  CappedSemaphore semaphore(0, 1);
  auto killed = Spawn([&] { semaphore.Acquire(); });
  auto next = Spawn([&] { return semaphore.Acquire(); });
  Sleep();
  semaphore.Release();
  killed.Kill();
  EXPECT_TRUE(next.Wait());
  EXPECT_EQ(semaphore.count(), 0);

  EXPECT_TRUE(semaphore.TryRelease());
  auto killed_giver = Spawn([&] { semaphore.Release(); });
  auto next_giver = Spawn([&] { return semaphore.Release(); });
  Sleep();
  semaphore.Acquire();
  killed_giver.Kill();
  EXPECT_TRUE(next_giver.Wait());
  EXPECT_EQ(semaphore.count(), 1);
  EXPECT_TRUE(semaphore.bounded());
}

TEST(CappedSemaphore, A6_3_WhatOneKilledAfterItWasServedHadGivenIsOwedIfItWasTaken) {
  CappedSemaphore semaphore(1, 1);
  auto giver = Spawn([&] { semaphore.Release(); });
  Sleep();
  semaphore.Acquire();
  semaphore.Acquire();
  giver.Kill();
  EXPECT_EQ(semaphore.count(), -1);
  EXPECT_TRUE(semaphore.TryRelease());
  EXPECT_FALSE(semaphore.TryAcquire());
  EXPECT_TRUE(semaphore.TryRelease());
  EXPECT_EQ(semaphore.count(), 1);
  EXPECT_FALSE(semaphore.TryRelease());
}

TEST(CappedSemaphore, ItsWaitersMayOutliveItServedOrNot) {
  auto semaphore = std::make_unique<CappedSemaphore>(0, 1);
  auto served = Spawn([s = semaphore.get()] { return s->Acquire(); });
  auto stuck = Spawn([s = semaphore.get()] { return s->Acquire(); });
  Sleep();
  semaphore->Release();
  semaphore = nullptr;
  EXPECT_TRUE(served.Wait());
  Sleep();
  EXPECT_FALSE(stuck.Ready());
  stuck.Kill();
}

TEST(CappedSemaphore, WaitingInAHubCallbackIsRefusedAndChangesNothing) {
  CappedSemaphore semaphore(0, 1);
  EXPECT_NE(RefusalInHubCallback([&] { semaphore.Acquire(); }).find("hub callback"),
            std::string::npos);
  EXPECT_EQ(semaphore.count(), 0);
  EXPECT_TRUE(semaphore.TryRelease());
  EXPECT_FALSE(semaphore.TryRelease());
  EXPECT_NE(RefusalInHubCallback([&] { semaphore.Release(); }).find("hub callback"),
            std::string::npos);
  EXPECT_EQ(semaphore.count(), 1);
  EXPECT_EQ(semaphore.balance(), 0);
}

TEST(CappedSemaphore, ADeadlockShowsWhichSideWaits) {
  OnFreshThread([] {
    CappedSemaphore semaphore(1, 1);
    auto taker = Spawn([] {
      CappedSemaphore empty(0, 1);
      empty.Acquire();
    });
    try {
      semaphore.Release();
      ADD_FAILURE();
    } catch (const LoopExit& e) {
      const std::string what = e.what();
      EXPECT_NE(what.find("waiting in CappedSemaphore::Release"), std::string::npos) << what;
      EXPECT_NE(what.find("waiting in CappedSemaphore::Acquire"), std::string::npos) << what;
    }
    taker.Kill();
  });
}

}  // namespace
}  // namespace verdant
