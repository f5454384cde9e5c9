// Idle, prepare and check: what is called at each turn of the hub.

#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/watcher/check.h"
#include "hub/watcher/idle.h"
#include "hub/watcher/prepare.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

TEST(LoopWatchers, B8_5_PrepareComesBeforeTheHubLooksForIoAndCheckAfterIt) {
  WithManualClock([](ManualClock&) {
    std::vector<std::string> order;
    PrepareWatcher prepare([&] { order.push_back("prepare"); });
    CheckWatcher check([&] { order.push_back("check"); });
    Hub::Current().ScheduleCall(absl::Seconds(1), [&] {
      order.push_back("timer");
      SpawnN([&] {
        order.push_back("green");
        prepare.Stop();
        check.Stop();
      });
    });
    prepare.Start();
    check.Start();
    Sleep(absl::Seconds(2));
    ASSERT_GE(order.size(), 4u);
    EXPECT_EQ(std::vector<std::string>(order.end() - 4, order.end()),
              (std::vector<std::string>{"timer", "prepare", "check", "green"}));
  });
}

TEST(LoopWatchers, B8_5_WhatAPrepareMakesRunnableKeepsTheHubAwake) {
  WithManualClock([](ManualClock& clock) {
    int rounds = 0;
    PrepareWatcher prepare([&] {
      if (++rounds <= 5) SpawnN([] {});
    });
    prepare.Start();
    Sleep(absl::Seconds(1));
    EXPECT_GE(rounds, 6);
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(1));
  });
}

TEST(LoopWatchers, B8_5_PrepareAndCheckAloneAreNoReasonToWait) {
  WithManualClock([](ManualClock&) {
    PrepareWatcher prepare(nullptr);
    CheckWatcher check(nullptr);
    prepare.Start();
    check.Start();
    EXPECT_FALSE(prepare.ref());
    EXPECT_FALSE(check.ref());
    EXPECT_TRUE(Hub::Current().Join());
    Event<> never;
    EXPECT_THROW(never.Wait(), LoopExit);
  });
}

TEST(LoopWatchers, B8_5_IdleIsCalledInsteadOfSleepingForAsLongAsItIsActive) {
  OnFreshThread([] {
    int calls = 0;
    std::vector<std::string> order;
    IdleWatcher idle([&] {
      order.push_back("idle");
      if (++calls == 3) idle.Stop();
    });
    idle.Start();
    auto busy = Spawn([&] {
      for (int i = 0; i < 3; ++i) {
        order.push_back("busy");
        Sleep();
      }
    });
    EXPECT_TRUE(Hub::Current().Join());  // which waits for it to stop
    EXPECT_EQ(order, (std::vector<std::string>{"busy", "busy", "busy", "idle", "idle", "idle"}));
    busy.Wait();
  });
}

TEST(LoopWatchers, B8_5_IdleDoesNotHoldUpTimersAndPosts) {
  OnFreshThread([] {
    int calls = 0;
    IdleWatcher idle([&] { ++calls; });
    idle.Start();
    Sleep(absl::Milliseconds(5));
    EXPECT_GT(calls, 0);
    Event<> posted;
    Hub::Current().Post([&] { posted.Send(); });
    posted.Wait();
  });
}

TEST(LoopWatchers, B8_5_IdleWithoutRefDoesNotHideADeadlock) {
  OnFreshThread([] {
    int calls = 0;
    IdleWatcher idle([&] { ++calls; });
    idle.Unref();
    idle.Start();
    Event<> never;
    EXPECT_THROW(never.Wait(), LoopExit);
  });
}

TEST(LoopWatchers, B8_5_OneMayEndOrStartOthersOfItsKind) {
  WithManualClock([](ManualClock&) {
    std::vector<int> calls(4, 0);
    std::vector<std::unique_ptr<CheckWatcher>> watchers(4);
    for (std::size_t i = 0; i < 3; ++i) {
      watchers[i] = std::make_unique<CheckWatcher>([&, i] {
        ++calls[i];
        if (i != 0) return;
        watchers[1] = nullptr;  // not called any more
        watchers[3]->Start();   // from the next turn on
        watchers[0] = nullptr;
      });
      watchers[i]->Start();
    }
    watchers[3] = std::make_unique<CheckWatcher>([&] {
      ++calls[3];
      watchers[3]->Stop();
    });
    Sleep(absl::Seconds(1));
    Sleep(absl::Seconds(1));
    EXPECT_EQ(calls[0], 1);
    EXPECT_EQ(calls[1], 0);
    EXPECT_GE(calls[2], 2);
    EXPECT_EQ(calls[3], 1);
  });
}

TEST(LoopWatchers, B1_18_IdleWaitResumesWhenThereIsNothingMoreUrgent) {
  OnFreshThread([] {
    std::vector<std::string> order;
    auto busy = Spawn([&] {
      for (int i = 0; i < 2; ++i) {
        order.push_back("busy");
        Sleep();
      }
    });
    IdleWatcher idle(nullptr);
    EXPECT_TRUE(idle.Wait());
    idle.Stop();
    order.push_back("main");
    EXPECT_EQ(order, (std::vector<std::string>{"busy", "busy", "main"}));
    busy.Wait();
  });
}

}  // namespace
}  // namespace verdant
