#include "hub/shared_semaphore.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "hub/semaphore.h"
#include "hub/timeout.h"
#include "tests/hub/manual_clock.h"
#include "tests/hub/shared_testing.h"
#include "tests/hub/sync_testing.h"

namespace verdant {
namespace {

TEST(SharedSemaphore, B6_2_TakesWhatIsThereWithoutWaiting) {
  SharedSemaphore semaphore(2);
  semaphore.Acquire();
  EXPECT_TRUE(semaphore.Acquire(absl::ZeroDuration()));
  EXPECT_FALSE(semaphore.TryAcquire());
  EXPECT_EQ(semaphore.count(), 0);
  semaphore.Release(3);
  EXPECT_EQ(semaphore.count(), 3);
  EXPECT_TRUE(semaphore.TryAcquire());
  EXPECT_THROW(semaphore.Release(-1), std::logic_error);
  EXPECT_THROW(SharedSemaphore(-1), std::logic_error);
}

TEST(SharedSemaphore, B6_2_AnotherHubsReleaseWakesAGreenThreadWhileTheOthersRun) {
  SharedSemaphore semaphore(0);
  int ticks = 0;
  auto waiter = Spawn([&] { semaphore.Acquire(); });
  auto ticker = Spawn([&] {
    for (; !waiter.Ready(); Sleep()) ++ticks;
  });
  Until([&] { return semaphore.waiting() == 1; });
  auto other = HubThread([&] { semaphore.Release(); });
  waiter.Wait();
  ticker.Wait();
  EXPECT_GT(ticks, 0);
  EXPECT_EQ(semaphore.count(), 0);
}

TEST(SharedSemaphore, B6_2_APlainThreadBlocksAndGetsNoHubByIt) {
  SharedSemaphore semaphore(0);
  std::atomic<int> step{0};
  auto plain = PlainThread([&] {
    EXPECT_FALSE(semaphore.Acquire(absl::Milliseconds(1)));
    ++step;
    EXPECT_TRUE(semaphore.Acquire(absl::Hours(1)));
    EXPECT_EQ(internal::current_hub, nullptr);
  });
  Until([&] { return step == 1 && semaphore.waiting() == 1; });
  semaphore.Release();
  plain.Join();
  EXPECT_EQ(semaphore.count(), 0);
}

TEST(SharedSemaphore, B6_2_WaitersOfAllKindsAreServedInTheOrderTheyCame) {
  SharedSemaphore semaphore(0);
  std::mutex mutex;
  std::vector<int> order;
  auto take = [&](int who) {
    semaphore.Acquire();
    const std::lock_guard<std::mutex> lock(mutex);
    order.push_back(who);
  };
  std::vector<TestThread> threads;
  std::vector<AnyGreenThread> green;
  for (std::size_t i = 0; i < 9; ++i) {
    const int who = static_cast<int>(i);
    if (i % 3 == 0) {
      green.push_back(Spawn(take, who));
    } else if (i % 3 == 1) {
      threads.push_back(HubThread([&take, who] { take(who); }));
    } else {
      threads.push_back(PlainThread([&take, who] { take(who); }));
    }
    Until([&] { return semaphore.waiting() == i + 1; });
  }
  for (std::size_t i = 0; i < 9; ++i) {
    semaphore.Release();
    Until([&] {
      const std::lock_guard<std::mutex> lock(mutex);
      return order.size() == i + 1;
    });
  }
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST(SharedSemaphore, B6_2_NobodyOvertakesThoseThatWait) {
  SharedSemaphore semaphore(0);
  bool served = false;
  auto waiter = Spawn([&] {
    semaphore.Acquire();
    served = true;
  });
  Until([&] { return semaphore.waiting() == 1; });
  semaphore.Release();
  EXPECT_FALSE(semaphore.TryAcquire());
  EXPECT_FALSE(semaphore.Acquire(absl::ZeroDuration()));
  EXPECT_TRUE(served);
  waiter.Wait();
}

TEST(SharedSemaphore, B6_2_ADeadlineTakesNothing) {
  WithManualClock([](ManualClock& clock) {
    SharedSemaphore semaphore(0);
    EXPECT_FALSE(semaphore.Acquire(absl::Seconds(3)));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(3));
    EXPECT_EQ(semaphore.waiting(), 0U);
    semaphore.Release();
    EXPECT_EQ(semaphore.count(), 1);
  });
}

TEST(SharedSemaphore, B6_2_ServedAfterItsDeadlineButBeforeItRanItHasIt) {
  WithManualClock([](ManualClock&) {
    SharedSemaphore semaphore(0);
    // Of two timers for the same moment the one set first is first; both come before green threads.
    auto waiter = Spawn([&] { return semaphore.Acquire(Deadline(absl::Seconds(1))); });
    auto releaser =
        Spawn([&] { Hub::Current().ScheduleCall(absl::Seconds(1), [&] { semaphore.Release(); }); });
    EXPECT_TRUE(waiter.Wait());
    EXPECT_EQ(semaphore.count(), 0);
    releaser.Wait();
  });
}

TEST(SharedSemaphore, B6_2_OneKilledWhileWaitingTakesNothing) {
  SharedSemaphore semaphore(0);
  auto waiter = Spawn([&] { semaphore.Acquire(); });
  Until([&] { return semaphore.waiting() == 1; });
  waiter.KillAndJoin();
  EXPECT_TRUE(waiter.Killed());
  EXPECT_EQ(semaphore.waiting(), 0U);
  semaphore.Release();
  EXPECT_EQ(semaphore.count(), 1);
}

TEST(SharedSemaphore, B6_2_OneKilledAfterItWasServedPassesItOn) {
  SharedSemaphore semaphore(0);
  auto first = Spawn([&] { semaphore.Acquire(); });
  auto second = Spawn([&] { semaphore.Acquire(); });
  Until([&] { return semaphore.waiting() == 2; });
  semaphore.Release();
  first.Kill();
  second.Wait();
  EXPECT_TRUE(first.Killed());
  EXPECT_EQ(semaphore.count(), 0);
}

TEST(SharedSemaphore, B6_2_ServedByAnotherThreadAndKilledBeforeItHeardItPassesItOn) {
  SharedSemaphore semaphore(0);
  auto waiter = Spawn([&] { semaphore.Acquire(); });
  Until([&] { return semaphore.waiting() == 1; });
  PlainThread([&] { semaphore.Release(); }).Join();  // this hub has not turned since
  EXPECT_EQ(semaphore.waiting(), 0U);
  EXPECT_EQ(semaphore.count(), 0);
  waiter.KillAndJoin();
  EXPECT_EQ(semaphore.count(), 1);
}

TEST(SharedSemaphore, B6_2_ATimeoutThrownInItTakesNothing) {
  SharedSemaphore semaphore(0);
  EXPECT_FALSE(WithTimeout(absl::Milliseconds(1), [&] { semaphore.Acquire(); }));
  EXPECT_EQ(semaphore.waiting(), 0U);
}

TEST(SharedSemaphore, B6_2_WaitsOfAHubThatEndsAreStruckOutAndWhatTheyHadGoesOn) {
  SharedSemaphore semaphore(0);
  std::atomic<bool> end{false};
  auto gone = HubThread([&] {
    auto abandoned = Spawn([&] { semaphore.Acquire(); });
    auto served = Spawn([&] { semaphore.Acquire(); });
    Sleep();
    while (!end) std::this_thread::yield();  // without letting `abandoned` hear of it
  });
  Until([&] { return semaphore.waiting() == 2; });
  semaphore.Release();
  end = true;
  gone.Join();
  EXPECT_EQ(semaphore.waiting(), 0U);
  EXPECT_EQ(semaphore.count(), 1);
}

TEST(SharedSemaphore, B6_2_DestroyedUnderItsWaitersItTellsThem) {
  std::optional<SharedSemaphore> semaphore(std::in_place, 0);
  std::atomic<int> told{0};
  auto wait = [&told, &semaphore = *semaphore] {
    try {
      semaphore.Acquire();
    } catch (const std::logic_error&) {
      ++told;
    }
  };
  auto green = Spawn(wait);
  auto plain = PlainThread(wait);
  Until([&] { return semaphore->waiting() == 2; });
  semaphore.reset();
  green.Wait();
  plain.Join();
  EXPECT_EQ(told, 2);
}

TEST(SharedSemaphore, B6_2_InAHubCallbackItTakesButDoesNotWait) {
  SharedSemaphore semaphore(1);
  EXPECT_NE(RefusalInHubCallback([&] {
              semaphore.Acquire();
              semaphore.Acquire();
            }),
            "no error");
  EXPECT_EQ(semaphore.count(), 0);
  EXPECT_EQ(semaphore.waiting(), 0U);
}

TEST(SharedSemaphore, B6_2_WhileSomebodyWaitsItsHubExpectsWordFromOthers) {
  SharedSemaphore semaphore(0);
  auto other = PlainThread([&] {
    Until([&] { return semaphore.waiting() == 1; });
    semaphore.Release();
  });
  semaphore.Acquire();  // no LoopExit
  EXPECT_EQ(semaphore.count(), 0);
  SharedSemaphore never(0);
  auto waiter = Spawn([&] { never.Acquire(); });
  Sleep();
  waiter.KillAndJoin();
  Semaphore own(0);
  EXPECT_THROW(own.Acquire(), LoopExit);  // nobody waits for others any more
}

TEST(SharedSemaphore, B6_2_AsALockItIsHeldAcrossWaitsByOneAtATime) {
  constexpr int kRounds = 100;
  SharedSemaphore lock(1);
  int inside = 0;
  int most = 0;
  int count = 0;
  auto work = [&] {
    std::vector<AnyGreenThread> green;
    for (int g = 0; g < 3; ++g) {
      green.push_back(Spawn([&] {
        for (int i = 0; i < kRounds; ++i) {
          lock.Acquire();
          most = std::max(most, ++inside);
          Sleep();
          ++count;
          --inside;
          lock.Release();
        }
      }));
    }
    JoinAll(green);
  };
  auto other = HubThread(work);
  work();
  other.Join();
  EXPECT_EQ(most, 1);
  EXPECT_EQ(count, 6 * kRounds);
}

}  // namespace
}  // namespace verdant
