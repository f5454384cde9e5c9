#include "hub/watcher/watcher.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/wait.h"
#include "hub/watcher/async.h"
#include "hub/watcher/timer.h"
#include "tests/hub/manual_clock.h"
#include "tests/hub/sync_testing.h"

namespace verdant {
namespace {

TEST(TimerWatcher, B8_5_CallsOnceWithoutRepeat) {
  WithManualClock([](ManualClock& clock) {
    std::vector<absl::Duration> at;
    TimerWatcher timer(absl::Seconds(2), [&] { at.push_back(clock.SinceStart()); });
    EXPECT_FALSE(timer.active());
    timer.Start();
    timer.Start();
    EXPECT_TRUE(timer.active());
    EXPECT_TRUE(Hub::Current().Join());
    EXPECT_EQ(at, std::vector<absl::Duration>{absl::Seconds(2)});
    EXPECT_FALSE(timer.active());
    timer.Start();
    EXPECT_TRUE(Hub::Current().Join());
    EXPECT_EQ(at.size(), 2u);
  });
}

TEST(TimerWatcher, B8_5_RepeatsWithoutDriftUntilItIsStopped) {
  WithManualClock([](ManualClock& clock) {
    std::vector<absl::Duration> at;
    std::unique_ptr<TimerWatcher> timer;
    timer = std::make_unique<TimerWatcher>(absl::Seconds(1), absl::Seconds(10), [&] {
      at.push_back(clock.SinceStart());
      if (at.size() == 2) clock.Advance(absl::Seconds(3));  // late, but not for long
      if (at.size() == 4) timer->Stop();
    });
    timer->Start();
    EXPECT_TRUE(Hub::Current().Join());
    EXPECT_EQ(at, (std::vector<absl::Duration>{absl::Seconds(1), absl::Seconds(11),
                                               absl::Seconds(21), absl::Seconds(31)}));
  });
}

TEST(TimerWatcher, B8_5_WhatWasMissedIsNotMadeUpFor) {
  WithManualClock([](ManualClock& clock) {
    int calls = 0;
    TimerWatcher timer(absl::Seconds(1), absl::Seconds(1), [&] {
      if (++calls == 1) clock.Advance(absl::Seconds(100));
      if (calls == 3) timer.Stop();
    });
    timer.Start();
    EXPECT_TRUE(Hub::Current().Join());
    EXPECT_EQ(calls, 3);
    EXPECT_LE(clock.SinceStart(), absl::Seconds(103));
  });
}

TEST(TimerWatcher, B8_5_AgainPutsItOff) {
  WithManualClock([](ManualClock& clock) {
    std::vector<absl::Duration> at;
    TimerWatcher idle(absl::Seconds(5), absl::Seconds(5), [&] {
      at.push_back(clock.SinceStart());
      idle.Stop();
    });
    idle.Again();
    for (int i = 0; i < 3; ++i) {
      Sleep(absl::Seconds(4));
      idle.Again();
    }
    EXPECT_TRUE(Hub::Current().Join());
    EXPECT_EQ(at, std::vector<absl::Duration>{absl::Seconds(17)});
    idle.set_repeat(absl::ZeroDuration());
    idle.Start();
    idle.Again();
    EXPECT_FALSE(idle.active());
  });
}

TEST(TimerWatcher, B8_5_AnInfiniteRepeatIsNone) {
  WithManualClock([](ManualClock& clock) {
    int calls = 0;
    TimerWatcher timer(absl::Seconds(1), absl::InfiniteDuration(), [&] { ++calls; });
    timer.Start();
    EXPECT_TRUE(Hub::Current().Join());
    EXPECT_EQ(calls, 1);
    EXPECT_FALSE(timer.active());
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(1));
  });
}

TEST(Watcher, B8_5_OneWithoutRefIsNoReasonToWait) {
  WithManualClock([](ManualClock& clock) {
    int calls = 0;
    TimerWatcher timer(absl::Seconds(1), absl::Seconds(1), [&] { ++calls; });
    EXPECT_TRUE(timer.ref());
    timer.Unref();
    timer.Start();
    EXPECT_TRUE(Hub::Current().Join());
    EXPECT_EQ(clock.SinceStart(), absl::ZeroDuration());
    Event<> never;
    EXPECT_THROW(never.Wait(), LoopExit);
    Sleep(absl::Seconds(3));  // it calls all the same while there is another reason
    EXPECT_GE(calls, 2);
    timer.Ref();
    EXPECT_FALSE(Hub::Current().Join(absl::Seconds(5)));
    timer.Stop();
    EXPECT_TRUE(Hub::Current().Join());
  });
}

TEST(Watcher, B8_5_MayBeDestroyedByItsOwnCallback) {
  WithManualClock([](ManualClock&) {
    std::unique_ptr<TimerWatcher> timer;
    int calls = 0;
    timer = std::make_unique<TimerWatcher>(absl::Seconds(1), absl::Seconds(1),
                                           [&, text = std::string(100, 'x')] {
                                             timer = nullptr;
                                             calls += static_cast<int>(text.size());
                                           });
    timer->Start();
    EXPECT_TRUE(Hub::Current().Join());
    EXPECT_EQ(calls, 100);
    EXPECT_EQ(Hub::Current().counts().timers, 0u);
  });
}

TEST(Watcher, A12_12_WhatItsCallbackThrowsIsReportedAndItGoesOn) {
  WithManualClock([](ManualClock&) {
    const Reports reports;
    int calls = 0;
    TimerWatcher timer(absl::Seconds(1), absl::Seconds(1), [&] {
      if (++calls == 2) timer.Stop();
      throw std::runtime_error("x");
    });
    timer.Start();
    EXPECT_TRUE(Hub::Current().Join());
    EXPECT_EQ(reports.texts,
              std::vector<std::string>(2, "a timer watcher's callback: std::runtime_error: x"));
  });
}

TEST(Watcher, B8_3_ACallbackMustNotBlock) {
  WithManualClock([](ManualClock&) {
    std::string what;
    TimerWatcher timer(absl::Seconds(1), [&] {
      try {
        Sleep(absl::Seconds(1));
      } catch (const std::logic_error& e) {
        what = e.what();
      }
    });
    timer.Start();
    EXPECT_TRUE(Hub::Current().Join());
    EXPECT_NE(what.find("hub callback"), std::string::npos);
  });
}

TEST(Watcher, B8_5_FeedCallsOnceAtTheNextTurnUnlessItIsTakenBack) {
  WithManualClock([](ManualClock&) {
    int calls = 0;
    TimerWatcher timer(absl::Hours(1), [&] { ++calls; });
    timer.Feed();
    timer.Feed();
    EXPECT_TRUE(timer.pending());
    EXPECT_FALSE(timer.active());
    Sleep(absl::Seconds(1));
    EXPECT_EQ(calls, 1);
    EXPECT_FALSE(timer.pending());
    timer.Feed();
    timer.Stop();
    Sleep(absl::Seconds(1));
    {
      TimerWatcher gone(absl::Hours(1), [&] { ++calls; });
      gone.Feed();
    }
    Sleep(absl::Seconds(1));
    EXPECT_EQ(calls, 1);
  });
}

TEST(Watcher, B8_9_WaitEndsWithTheEventTheDeadlineAStopOrTheEndOfTheWatcher) {
  WithManualClock([](ManualClock& clock) {
    TimerWatcher timer(absl::Seconds(3), nullptr);
    EXPECT_TRUE(timer.Wait());
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(3));
    EXPECT_FALSE(timer.Wait(absl::Seconds(1)));
    auto stopper = Spawn([&] { timer.Stop(); });
    EXPECT_FALSE(timer.Wait());
    stopper.Wait();
    auto doomed = std::make_unique<TimerWatcher>(absl::Hours(1), nullptr);
    auto waiter = Spawn([&] { return doomed->Wait(); });
    Sleep();
    doomed = nullptr;
    EXPECT_FALSE(waiter.Wait());
  });
}

TEST(Watcher, B8_9_AWaitThatStartsItStopsItAgainHoweverItEnds) {
  WithManualClock([](ManualClock&) {
    TimerWatcher timer(absl::Seconds(3), absl::Seconds(3), nullptr);
    EXPECT_TRUE(timer.Wait());
    EXPECT_FALSE(timer.active());
    EXPECT_FALSE(timer.Wait(absl::Seconds(1)));
    EXPECT_FALSE(timer.active());
    auto killed = Spawn([&] { timer.Wait(); });
    Sleep();
    EXPECT_TRUE(timer.active());
    killed.Kill();
    EXPECT_THROW(killed.Wait(), GreenletExit);
    EXPECT_FALSE(timer.active());
    EXPECT_TRUE(Hub::Current().Join());
    EXPECT_EQ(Hub::Current().counts().timers, 0u);
    timer.Start();
    EXPECT_TRUE(timer.Wait());
    EXPECT_TRUE(timer.active());
    timer.Stop();
  });
}

TEST(Watcher, B8_9_OfSeveralThatWaitTheLastStopsIt) {
  WithManualClock([](ManualClock& clock) {
    int calls = 0;
    TimerWatcher timer(absl::Seconds(3), absl::Seconds(3), [&] { ++calls; });
    auto first = Spawn([&] { return timer.Wait(absl::Seconds(1)); });
    auto second = Spawn([&] { return timer.Wait(); });
    auto third = Spawn([&] { return timer.Wait(); });
    EXPECT_FALSE(first.Wait());
    EXPECT_TRUE(timer.active());
    EXPECT_TRUE(second.Wait());
    EXPECT_TRUE(third.Wait());
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(3));
    EXPECT_FALSE(timer.active());
    EXPECT_EQ(calls, 1);
    // Whoever starts it meanwhile wants it for longer.
    auto waiter = Spawn([&] { return timer.Wait(); });
    Sleep();
    timer.Start();
    EXPECT_TRUE(waiter.Wait());
    EXPECT_TRUE(timer.active());
    timer.Stop();
  });
}

TEST(Watcher, B8_9_WaitingIsAReasonToGoOnWithoutRef) {
  WithManualClock([](ManualClock&) {
    TimerWatcher timer(absl::Seconds(3), nullptr);
    timer.Unref();
    EXPECT_TRUE(timer.Wait());
    Event<> never;
    EXPECT_THROW(never.Wait(), LoopExit);
  });
}

TEST(Watcher, B8_3_AWaitInACallbackIsRefusedAndStartsNothing) {
  WithManualClock([](ManualClock&) {
    TimerWatcher other(absl::Hours(1), nullptr);
    std::string what;
    TimerWatcher timer(absl::Seconds(1), [&] {
      try {
        other.Wait();
      } catch (const std::logic_error& e) {
        what = e.what();
      }
    });
    timer.Start();
    EXPECT_TRUE(Hub::Current().Join());
    EXPECT_NE(what.find("hub callback"), std::string::npos) << what;
    EXPECT_FALSE(other.active());
  });
}

TEST(Watcher, B1_15_IsWaitedForTogetherWithOthers) {
  WithManualClock([](ManualClock& clock) {
    std::vector<std::string> order;
    TimerWatcher timer(absl::Seconds(2), absl::Seconds(2), [&] { order.push_back("callback"); });
    TimerWatcher slow(absl::Seconds(5), nullptr);
    Event<> event;
    auto sender = SpawnAfter(absl::Seconds(3), [&] { event.Send(); });
    timer.Start();
    slow.Start();
    timer.Link([&] { order.push_back("link"); });
    EXPECT_EQ(Wait({slow, event, timer}), (std::vector<std::size_t>{2, 1, 0}));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(5));
    EXPECT_EQ(order, (std::vector<std::string>{"link", "callback", "callback"}));
    const std::uint64_t link = timer.Link([&] { order.push_back("never"); });
    EXPECT_TRUE(timer.Unlink(link));
    EXPECT_FALSE(timer.Unlink(link));
    EXPECT_EQ(WaitAny({timer, slow}, absl::Seconds(10)), 0u);
    timer.Feed();
    EXPECT_TRUE(timer.Ready());
    EXPECT_EQ(WaitAny({slow, timer}), 1u);
    timer.Stop();
    EXPECT_EQ(std::count(order.begin(), order.end(), "never"), 0);
    sender.Wait();
  });
}

TEST(Watcher, ALinkMayEndIt) {
  WithManualClock([](ManualClock&) {
    int calls = 0;
    auto timer = std::make_unique<TimerWatcher>(absl::Seconds(1), [&] { ++calls; });
    timer->Start();
    timer->Link([&] { timer = nullptr; });
    timer->Link([&] { ++calls; });
    EXPECT_TRUE(Hub::Current().Join());
    EXPECT_EQ(timer, nullptr);
    EXPECT_EQ(calls, 0);
  });
}

TEST(Watcher, B8_3_OnAnotherThreadItIsRefused) {
  TimerWatcher timer(absl::Hours(1), nullptr);
  std::thread([&] {
    EXPECT_THROW(timer.Start(), std::logic_error);
    EXPECT_THROW(timer.Feed(), std::logic_error);
  }).join();
  EXPECT_FALSE(timer.active());
}

TEST(Watcher, OneThatOutlivesItsHubIsSilent) {
  std::unique_ptr<TimerWatcher> timer;
  std::unique_ptr<AsyncWatcher> async;
  int calls = 0;
  OnFreshThread([&] {
    timer = std::make_unique<TimerWatcher>(absl::Hours(1), [&] { ++calls; });
    async = std::make_unique<AsyncWatcher>([&] { ++calls; });
    timer->Start();
    async->Start();
  });
  async->Send();
  timer->Stop();
  timer = nullptr;
  async = nullptr;
  EXPECT_EQ(calls, 0);
}

TEST(AsyncWatcher, B8_5_IsSentFromAnyThreadAndWakesASleepingHub) {
  int calls = 0;
  Event<> called;
  AsyncWatcher async([&] {
    ++calls;
    called.Send();
  });
  async.Start();
  std::jthread sender([&] { async.Send(); });
  called.Wait();
  sender.join();
  EXPECT_EQ(calls, 1);
  EXPECT_FALSE(async.pending());
}

TEST(AsyncWatcher, B8_5_SendsThatComeTogetherAreOne) {
  int calls = 0;
  AsyncWatcher async([&] { ++calls; });
  async.Start();
  for (int i = 0; i < 5; ++i) async.Send();
  EXPECT_TRUE(async.pending());
  Sleep(absl::Milliseconds(1));
  EXPECT_EQ(calls, 1);
  async.Send();
  async.Stop();
  EXPECT_FALSE(async.pending());
  Sleep(absl::Milliseconds(1));
  EXPECT_EQ(calls, 1);
}

TEST(AsyncWatcher, B8_5_ASenderMayOutliveIt) {
  std::optional<AsyncWatcher::Sender> sender;
  int calls = 0;
  {
    AsyncWatcher async([&] { ++calls; });
    async.Start();
    sender.emplace(async.sender());
  }
  std::thread([&] { sender->Send(); }).join();
  Sleep(absl::Milliseconds(1));
  EXPECT_EQ(calls, 0);
}

TEST(AsyncWatcher, B8_5_WithoutRefADeadlockIsSeen) {
  AsyncWatcher async(nullptr);
  async.Start();
  async.Unref();
  Event<> never;
  EXPECT_THROW(never.Wait(), LoopExit);
}

TEST(AsyncWatcher, B8_5_ManyThreadsSendAtOnce) {
  std::atomic<int> sent{0};
  int seen = 0;
  Event<> all;
  AsyncWatcher async([&] {
    seen = sent;
    if (seen == 4000 && !all.Ready()) all.Send();
  });
  async.Start();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        ++sent;
        async.Send();
      }
    });
  }
  all.Wait();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(seen, 4000);
}

}  // namespace
}  // namespace verdant
