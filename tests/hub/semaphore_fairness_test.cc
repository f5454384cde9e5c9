// Who is served, in what order, and what becomes of the shares of those who leave.

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "hub/semaphore.h"
#include "hub/timeout.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

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

TEST(Semaphore, A6_2_NobodyOvertakesWaitersNotEvenTryAcquire) {
  Semaphore semaphore(0);
  bool first_has = false;
  bool second_has = false;
  auto first = Spawn([&] { first_has = semaphore.Acquire(); });
  Sleep();
  auto second = Spawn([&] { second_has = semaphore.Acquire(); });
  Sleep();
  semaphore.Release();  // for the first, though it has not run yet
  EXPECT_EQ(semaphore.count(), 0);
  EXPECT_FALSE(semaphore.TryAcquire());
  Sleep();
  EXPECT_TRUE(first_has);
  EXPECT_FALSE(second_has);
  EXPECT_FALSE(semaphore.TryAcquire());
  semaphore.Release();
  second.Join();
  EXPECT_TRUE(second_has);
  semaphore.Release();
  EXPECT_TRUE(semaphore.TryAcquire());
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

TEST(Semaphore, B6_7_ATightLoopOfReleaseAndAcquireLetsWaitersHaveTheirTurn) {
  Semaphore semaphore(1);
  semaphore.Acquire();
  bool had_it = false;
  auto waiter = Spawn([&] {
    semaphore.Acquire();
    had_it = true;
    semaphore.Release();
  });
  Sleep();
  int rounds = 0;
  for (; !had_it && rounds < 10; ++rounds) {
    semaphore.Release();
    semaphore.Acquire();
  }
  EXPECT_EQ(rounds, 1);
  semaphore.Release();
  waiter.Join();
}

TEST(Semaphore, B6_1_OneThatOnlyWaitsStandsInLineAndHearsOfWhatIsLeft) {
  Semaphore semaphore(0);
  std::vector<std::string> order;
  auto taker = Spawn([&] {
    semaphore.Acquire();
    order.push_back("taker");
  });
  auto looker = Spawn([&] { order.push_back("looker " + std::to_string(semaphore.Wait())); });
  auto last = Spawn([&] {
    semaphore.Acquire();
    order.push_back("last");
  });
  Sleep();
  semaphore.Release();
  Sleep();
  EXPECT_EQ(order, (std::vector<std::string>{"taker"}));
  EXPECT_FALSE(looker.Ready()) << "nothing was left to hear of";
  semaphore.Release();
  JoinAll({looker, last});
  EXPECT_EQ(order, (std::vector<std::string>{"taker", "looker 0", "last"}))
      << "the one behind had it by the time this ran";
}

TEST(Semaphore, B6_1_OneThatOnlyWaitsMayBeKilledOrOutliveTheSemaphore) {
  auto semaphore = std::make_unique<Semaphore>(0);
  const auto wait = [s = semaphore.get()] { return s->Wait(); };
  auto killed = Spawn(wait);
  auto killed_late = Spawn(wait);
  auto told = Spawn(wait);
  Sleep();
  killed.Kill();
  semaphore->Release();
  killed_late.Kill();
  EXPECT_EQ(told.Wait(), 1);
  EXPECT_EQ(semaphore->count(), 1);
  semaphore->Acquire();
  auto on_its_way = Spawn(wait);
  auto stuck = Spawn(wait);
  Sleep();
  semaphore->Release();
  semaphore->Acquire();
  semaphore = nullptr;
  EXPECT_EQ(on_its_way.Wait(), 0);
  EXPECT_EQ(stuck.Wait(), 0);
}

TEST(Semaphore, A6_3_AThousandWaitersOfWhomManyLeaveGetWhatIsTheirs) {
  WithManualClock([](ManualClock&) {
    Semaphore semaphore(0);
    std::vector<int> served;
    std::vector<GreenThread<void>> waiters;
    for (int i = 0; i < 1000; ++i) {
      waiters.push_back(Spawn([&, i] {
        if (semaphore.Acquire(i % 4 == 1 ? Deadline(absl::Seconds(1)) : Deadline::Never())) {
          served.push_back(i);
        }
      }));
    }
    Sleep();
    EXPECT_EQ(semaphore.waiting(), 1000u);
    EXPECT_EQ(semaphore.balance(), -1000);
    for (int i = 2; i < 1000; i += 4) waiters[i].Kill();
    EXPECT_EQ(semaphore.waiting(), 750u);
    Sleep(absl::Seconds(2));
    EXPECT_EQ(semaphore.waiting(), 500u);
    semaphore.Adjust(100);
    EXPECT_EQ(semaphore.waiting(), 400u);
    EXPECT_EQ(semaphore.count(), 0);
    // Some of those served never run: their shares go on.
    std::vector<GreenThread<void>> killed;
    for (int i = 0; i < 100; i += 4) killed.push_back(waiters[i]);
    KillAll(killed);
    EXPECT_EQ(semaphore.waiting(), 375u);
    semaphore.Adjust(375);
    JoinAll(waiters);
    EXPECT_EQ(served.size(), 475u);
    EXPECT_TRUE(std::is_sorted(served.begin(), served.end()));
    EXPECT_EQ(semaphore.count(), 0);
    EXPECT_EQ(semaphore.waiting(), 0u);
  });
}

TEST(Semaphore, A6_3_ATimeoutThatMeetsAReleasePassesTheShareOn) {
  WithManualClock([](ManualClock&) {
    Semaphore semaphore(0);
    auto first = Spawn([&] {
      const Timeout timeout(absl::Seconds(1));
      semaphore.Acquire();
    });
    auto second = Spawn([&] { return semaphore.Acquire(); });
    Sleep();
    Hub::Current().ScheduleCall(absl::Seconds(1), [&] { semaphore.Release(); });
    EXPECT_THROW(first.Wait(), TimeoutExpired);
    EXPECT_TRUE(second.Wait());
    EXPECT_EQ(semaphore.count(), 0);
  });
}

TEST(Semaphore, B4_4_WaitersComeBeforeLinks) {
  Semaphore semaphore(0);
  int called = 0;
  semaphore.Link([&] { ++called; });
  auto waiter = Spawn([&] { semaphore.Acquire(); });
  Sleep();
  semaphore.Release();
  EXPECT_EQ(called, 0);
  waiter.Kill();  // which passes its share on, now to nobody
  EXPECT_EQ(called, 1);
  EXPECT_TRUE(semaphore.Ready());
  EXPECT_EQ(semaphore.Link([&] { ++called; }), 0u);
  EXPECT_EQ(called, 2);
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
