// How it counts. Who is served is in semaphore_fairness_test.cc.

#include "hub/semaphore.h"

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "tests/hub/manual_clock.h"
#include "tests/hub/sync_testing.h"

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

TEST(Semaphore, A6_4_BalanceCountsWaitersAsNegative) {
  Semaphore semaphore(1);
  EXPECT_EQ(semaphore.balance(), 1);
  EXPECT_FALSE(semaphore.bounded());
  semaphore.Acquire();
  auto a = Spawn([&] { semaphore.Acquire(); });
  auto b = Spawn([&] { semaphore.Acquire(); });
  Sleep();
  EXPECT_EQ(semaphore.balance(), -2);
  KillAll({a, b});
  EXPECT_EQ(semaphore.balance(), 0);
}

TEST(Semaphore, A6_1_ANegativeTimeoutIsNowAndNoneIsNever) {
  WithManualClock([](ManualClock& clock) {
    Semaphore semaphore(1);
    EXPECT_TRUE(semaphore.Acquire(-absl::Seconds(1)));
    EXPECT_FALSE(semaphore.Acquire(-absl::Seconds(1)));
    EXPECT_EQ(clock.SinceStart(), absl::ZeroDuration());
    Hub::Current().ScheduleCall(absl::Hours(1000), [&] { semaphore.Release(); });
    EXPECT_TRUE(semaphore.Acquire(Deadline::Never()));
    EXPECT_EQ(clock.SinceStart(), absl::Hours(1000));
  });
}

TEST(Semaphore, A6_1_ReleaseMayGoAboveTheInitialCount) {
  Semaphore semaphore(1);
  semaphore.Release();
  semaphore.Release();
  EXPECT_EQ(semaphore.count(), 3);
}

TEST(Semaphore, B6_6_UncontendedItDoesNotSwitch) {
  Semaphore semaphore(1);
  Sleep();
  const std::uint64_t switches = Hub::Current().counts().switches;
  for (int i = 0; i < 10; ++i) {
    semaphore.Acquire();
    semaphore.Release();
  }
  EXPECT_EQ(Hub::Current().counts().switches, switches);
}

TEST(Semaphore, B6_1_WaitSaysHowManyThereAreAndTakesNone) {
  WithManualClock([](ManualClock& clock) {
    Semaphore semaphore(2);
    EXPECT_EQ(semaphore.Wait(), 2);
    EXPECT_EQ(semaphore.count(), 2);
    semaphore.Adjust(-2);
    EXPECT_EQ(semaphore.Wait(absl::Seconds(1)), 0);
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(1));
    auto looker = Spawn([&] { return semaphore.Wait(); });
    Sleep();
    EXPECT_EQ(semaphore.waiting(), 0u) << "it wants nothing";
    semaphore.Adjust(3);
    EXPECT_EQ(looker.Wait(), 3);
    EXPECT_EQ(semaphore.count(), 3);
  });
}

TEST(Semaphore, InAHubCallbackItCanBeReleasedAndTriedButNotWaitedFor) {
  Semaphore semaphore(0);
  EXPECT_NE(RefusalInHubCallback([&] { semaphore.Acquire(); }).find("hub callback"),
            std::string::npos);
  EXPECT_NE(RefusalInHubCallback([&] { semaphore.Wait(); }).find("hub callback"),
            std::string::npos);
  EXPECT_EQ(semaphore.balance(), 0);
  InHubCallback([&] {
    semaphore.Release();
    EXPECT_TRUE(semaphore.Acquire());
    EXPECT_FALSE(semaphore.TryAcquire());
    semaphore.Release();
  });
  EXPECT_EQ(semaphore.count(), 1);
}

TEST(Semaphore, B6_2_AReleaseOnAnotherThreadIsRefusedWhileOneWaitsAndChangesNothing) {
  Semaphore semaphore(0);
  auto waiter = Spawn([&] { return semaphore.Acquire(); });
  Sleep();
  std::thread([&] { EXPECT_THROW(semaphore.Release(), std::logic_error); }).join();
  EXPECT_EQ(semaphore.balance(), -1);
  semaphore.Release();
  EXPECT_TRUE(waiter.Wait());
  EXPECT_EQ(semaphore.count(), 0);
}

TEST(Semaphore, B4_4_LinksAreCalledForAsLongAsOneCouldBeTaken) {
  Semaphore semaphore(0);
  EXPECT_FALSE(semaphore.Ready());
  std::vector<int> called;
  for (int i = 0; i < 3; ++i) {
    semaphore.Link([&, i] {
      called.push_back(i);
      EXPECT_TRUE(semaphore.TryAcquire());
    });
  }
  semaphore.Release();
  EXPECT_EQ(called, (std::vector<int>{0})) << "it took the only one";
  semaphore.Adjust(2);
  EXPECT_EQ(called, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(semaphore.count(), 0);
}

TEST(Semaphore, B4_4_AnErringLinkIsReportedAndAnUnlinkedOneIsNotCalled) {
  Reports reports;
  Semaphore semaphore(0);
  bool later = false;
  semaphore.Link([] { throw std::runtime_error("boom"); });
  const auto gone = semaphore.Link([] { ADD_FAILURE(); });
  semaphore.Link([&] { later = true; });
  EXPECT_TRUE(semaphore.Unlink(gone));
  EXPECT_FALSE(semaphore.Unlink(gone));
  semaphore.Release();
  EXPECT_TRUE(later);
  EXPECT_EQ(semaphore.count(), 1);
  EXPECT_EQ(reports.texts,
            (std::vector<std::string>{"a link of a Semaphore: std::runtime_error: boom"}));
}

TEST(Semaphore, B4_4_ALinkMayDestroyIt) {
  auto semaphore = std::make_unique<Semaphore>(0);
  semaphore->Link([&] { semaphore = nullptr; });
  semaphore->Link([] { ADD_FAILURE() << "gone with the semaphore"; });
  semaphore->Release();
  EXPECT_EQ(semaphore, nullptr);
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

}  // namespace
}  // namespace verdant
