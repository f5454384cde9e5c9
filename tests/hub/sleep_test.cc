#include "hub/sleep.h"

#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/io.h"
#include "tests/hub/green_thread_testing.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

TEST(Sleep, A1_1_ZeroGoesToTheBackOfTheQueue) {
  std::vector<int> order;
  auto a = Spawn([&] {
    order.push_back(1);
    Sleep();
    order.push_back(3);
  });
  auto b = Spawn([&] { order.push_back(2); });
  JoinAll({a, b});
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST(Sleep, A1_1_WakesInDeadlineOrderAndEqualDeadlinesInTheOrderTheySlept) {
  WithManualClock([](ManualClock& clock) {
    std::vector<int> order;
    std::vector<GreenThread<void>> all;
    for (const int seconds : {3, 1, 2, 1, 3, 2}) {
      all.push_back(Spawn([&order, seconds, number = static_cast<int>(all.size())] {
        Sleep(absl::Seconds(seconds));
        order.push_back(seconds * 10 + number);
      }));
    }
    JoinAll(all);
    EXPECT_EQ(order, (std::vector<int>{11, 13, 22, 25, 30, 34}));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(3));
  });
}

TEST(Sleep, A1_1_TheTimerOfASleeperWokenByAnExceptionIsGone) {
  WithManualClock([](ManualClock&) {
    auto sleeper = Spawn([] { Sleep(absl::Hours(1)); });
    Sleep();
    EXPECT_EQ(Hub::Current().counts().timers, 1u);
    sleeper.Kill();
    EXPECT_EQ(Hub::Current().counts().timers, 0u);
  });
}

TEST(Sleep, A1_1_B1_17_IsALogicErrorInAHubCallback) {
  WithManualClock([](ManualClock&) {
    int refused = 0;
    Hub::Current().ScheduleCall(absl::Seconds(1), [&] {
      for (const absl::Duration duration : {absl::ZeroDuration(), absl::Seconds(1)}) {
        try {
          Sleep(duration);
        } catch (const std::logic_error& e) {
          if (std::string(e.what()).find("hub callback") != std::string::npos) ++refused;
        }
      }
    });
    Sleep(absl::Seconds(2));
    EXPECT_EQ(refused, 2);
  });
}

TEST(Sleep, B1_19_DoesNotStarveTimersWhileOthersAreAlwaysRunnable) {
  bool stop = false;
  auto busy = Spawn([&] {
    while (!stop) Sleep();
  });
  Sleep(absl::Milliseconds(1));
  stop = true;
  busy.Wait();
}

TEST(Sleep, B1_17_TheHubWaitsForASleeperUnlessItSleepsInTheBackground) {
  WithManualClock([](ManualClock& clock) {
    bool woke = false;
    auto background = Spawn([&] {
      BackgroundSleep(absl::Seconds(5));
      woke = true;
    });
    auto sleeper = Spawn([] { Sleep(absl::Seconds(2)); });
    EXPECT_TRUE(Hub::Current().Join());
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(2));
    EXPECT_TRUE(sleeper.Ready());
    EXPECT_FALSE(woke);
    EXPECT_EQ(Hub::Current().counts().timers, 1u);
    // While something else keeps the hub going it wakes like any other.
    Sleep(absl::Seconds(10));
    EXPECT_TRUE(woke);
    EXPECT_TRUE(background.Successful());
  });
}

TEST(Sleep, B1_17_ABackgroundSleeperDoesNotHideADeadlock) {
  WithManualClock([](ManualClock& clock) {
    int ticks = 0;
    auto background = Spawn([&] {
      for (;; ++ticks) BackgroundSleep(absl::Seconds(1));
    });
    Event<> never;
    try {
      never.Wait();
      ADD_FAILURE();
    } catch (const LoopExit& deadlock) {
      EXPECT_NE(std::string(deadlock.what()).find("waiting in BackgroundSleep"), std::string::npos);
    }
    EXPECT_EQ(clock.SinceStart(), absl::ZeroDuration());
    // A wait with a deadline is something that can happen: the background work goes on meanwhile.
    EXPECT_FALSE(never.Wait(absl::Milliseconds(2500)));
    EXPECT_EQ(clock.SinceStart(), absl::Milliseconds(2500));
    EXPECT_EQ(ticks, 2);
    background.Kill();
    EXPECT_TRUE(background.Killed());
    // The killed one is out of the count: this sleeper is waited for.
    auto sleeper = Spawn([] { Sleep(absl::Seconds(1)); });
    EXPECT_TRUE(Hub::Current().Join());
    EXPECT_TRUE(sleeper.Ready());
  });
}

TEST(Sleep, B1_17_InAHubCallbackTheBackgroundKindIsALogicErrorToo) {
  std::string what;
  Hub::Current().Post([&] { what = LogicError([] { BackgroundSleep(absl::Seconds(1)); }); });
  Sleep();
  while (what.empty()) Sleep();
  EXPECT_NE(what.find("hub callback"), std::string::npos) << what;
  WithManualClock([](ManualClock& clock) {
    BackgroundSleep(absl::ZeroDuration());  // yields
    EXPECT_EQ(clock.jumps(), 0);
  });
}

TEST(Idle, B1_18_RunsWhenNothingElseCanTheMostUrgentFirst) {
  WithManualClock([](ManualClock& clock) {
    std::vector<std::string> order;
    std::vector<GreenThread<void>> all;
    const auto idle = [&](const char* name, int priority) {
      all.push_back(Spawn([&order, name, priority] {
        Idle(priority);
        order.emplace_back(name);
      }));
    };
    idle("low", -1);
    idle("first", 0);
    idle("second", 0);
    idle("high", 1);
    auto busy = Spawn([&] {
      for (int i = 0; i < 3; ++i) {
        Sleep();
        order.emplace_back("busy");
      }
      Hub::Current().Post([&] { order.emplace_back("posted"); });
    });
    auto timed = Spawn([&] {
      Sleep(absl::Seconds(1));
      order.emplace_back("timer");
    });
    JoinAll(all);
    timed.Join();
    EXPECT_EQ(order, (std::vector<std::string>{"busy", "busy", "busy", "posted", "high", "first",
                                               "second", "low", "timer"}));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(1));
  });
}

TEST(Idle, B1_18_WhatOneWakesRunsBeforeTheNext) {
  std::vector<int> order;
  Event<> event;
  auto woken = Spawn([&] {
    event.Wait();
    order.push_back(2);
  });
  auto first = Spawn([&] {
    Idle();
    order.push_back(1);
    event.Send();
  });
  auto second = Spawn([&] {
    Idle();
    order.push_back(3);
  });
  JoinAll({woken, first, second});
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST(Idle, B1_18_OneThatIsKilledMeanwhileIsForgotten) {
  int ran = 0;
  auto victim = Spawn([&] {
    Idle(1);
    ++ran;
  });
  Sleep();
  victim.Kill();
  EXPECT_TRUE(victim.Killed());
  auto other = Spawn([&] {
    Idle();
    ++ran;
  });
  EXPECT_TRUE(Hub::Current().Join());  // waits for idlers
  EXPECT_TRUE(other.Ready());
  EXPECT_EQ(ran, 1);
  std::string what;
  Hub::Current().Post([&] { what = LogicError([] { Idle(); }); });
  while (what.empty()) Sleep();
  EXPECT_NE(what.find("hub callback"), std::string::npos) << what;
}

TEST(Sleep, B1_19_DoesNotStarveDescriptorsWhileOthersAreAlwaysRunnable) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
  {
    absl::StatusOr<IoDescriptor> reader = IoDescriptor::Register(ends[0]);
    ASSERT_TRUE(reader.ok());
    bool stop = false;
    auto waiting = Spawn([&] {
      EXPECT_EQ(reader->WaitReadable(Deadline::Never()), IoWait::kReady);
      stop = true;
    });
    std::vector<GreenThread<void>> busy;
    for (int i = 0; i < 3; ++i) {
      busy.push_back(Spawn([&] {
        while (!stop) Sleep();
      }));
    }
    Sleep();
    ASSERT_EQ(write(ends[1], "x", 1), 1);
    JoinAll(busy);  // would never end
    EXPECT_TRUE(stop);
    waiting.Wait();
  }
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace verdant
