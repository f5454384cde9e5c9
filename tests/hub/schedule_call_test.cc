#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

TEST(ScheduleCall, A12_7_EqualDeadlinesFireInTheOrderTheyWereSet) {
  WithManualClock([](ManualClock& clock) {
    std::vector<int> order;
    for (int i = 0; i < 3; ++i)
      Hub::Current().ScheduleCall(absl::Seconds(2), [&order, i] { order.push_back(i); });
    Hub::Current().ScheduleCall(absl::Seconds(1), [&] { order.push_back(9); });
    Sleep(absl::Seconds(3));
    EXPECT_EQ(order, (std::vector<int>{9, 0, 1, 2}));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(3));
  });
}

TEST(ScheduleCall, A12_7_CancelIsIdempotentAndSaysWhetherItWasInTime) {
  WithManualClock([](ManualClock&) {
    auto token = std::make_shared<int>(0);
    bool called = false;
    TimerHandle handle =
        Hub::Current().ScheduleCall(absl::Seconds(1), [&called, token] { called = true; });
    TimerHandle copy = handle;
    EXPECT_TRUE(copy.pending());
    EXPECT_TRUE(handle.Cancel());
    EXPECT_EQ(token.use_count(), 1);
    EXPECT_FALSE(handle.Cancel());
    EXPECT_FALSE(copy.Cancel());
    EXPECT_FALSE(TimerHandle().Cancel());
    Sleep(absl::Seconds(2));
    EXPECT_FALSE(called);
  });
}

TEST(ScheduleCall, ADroppedHandleDoesNotCancelAndACallMayCancelItself) {
  WithManualClock([](ManualClock&) {
    int calls = 0;
    Hub::Current().ScheduleCall(absl::Seconds(1), [&] { ++calls; });
    TimerHandle self;
    self = Hub::Current().ScheduleCall(absl::Seconds(1), [&] {
      ++calls;
      EXPECT_FALSE(self.pending());
      EXPECT_FALSE(self.Cancel());
    });
    TimerHandle never = Hub::Current().ScheduleCall(absl::InfiniteDuration(), [&] { ++calls; });
    EXPECT_FALSE(never.pending());
    Sleep(absl::Seconds(2));
    EXPECT_EQ(calls, 2);
    EXPECT_FALSE(self.Cancel());
  });
}

TEST(ScheduleCall, A12_12_WhatACallThrowsIsReportedAndTheHubGoesOn) {
  WithManualClock([](ManualClock&) {
    std::vector<std::string> reports;
    Hub::Current().SetErrorHandler([&](const UncaughtError& error) {
      reports.push_back(error.context + ": " + DescribeException(error.error));
      Hub::Current().SetErrorHandler(nullptr);  // may be done here
    });
    Hub::Current().ScheduleCall(absl::Seconds(1), [] { throw std::runtime_error("x"); });
    Sleep(absl::Seconds(2));
    EXPECT_EQ(reports, std::vector<std::string>{"a timer's call: std::runtime_error: x"});
  });
}

TEST(ScheduleCall, A12_7_ALocalCallIsSkippedOnceItsGreenThreadHasEnded) {
  WithManualClock([](ManualClock&) {
    std::vector<std::string> calls;
    auto brief = Spawn([&] {
      Hub::Current().ScheduleCallLocal(absl::Seconds(1), [&] { calls.push_back("brief, local"); });
      Hub::Current().ScheduleCall(absl::Seconds(1), [&] { calls.push_back("brief, global"); });
    });
    auto patient = Spawn([&] {
      Hub::Current().ScheduleCallLocal(absl::Seconds(1), [&] { calls.push_back("patient"); });
      Sleep(absl::Seconds(2));
    });
    Hub::Current().ScheduleCallLocal(absl::Seconds(1), [&] { calls.push_back("main"); });
    Sleep(absl::Seconds(3));
    EXPECT_EQ(calls, (std::vector<std::string>{"main", "brief, global", "patient"}));
    JoinAll({brief, patient});
  });
}

TEST(ScheduleCall, A12_7_ALocalCallOfOneThatWasKilledIsSkippedAndMayBeCancelled) {
  WithManualClock([](ManualClock&) {
    auto token = std::make_shared<int>(0);
    bool called = false;
    TimerHandle handle;
    auto owner = Spawn([&, token] {
      Hub::Current().ScheduleCallLocal(absl::Seconds(1), [&called, token] { called = true; });
      handle = Hub::Current().ScheduleCallLocal(absl::Seconds(2), [token] {});
      Sleep(absl::Hours(1));
    });
    Sleep();
    owner.Kill();
    EXPECT_TRUE(handle.Cancel());
    Sleep(absl::Seconds(3));
    EXPECT_FALSE(called);
    EXPECT_EQ(token.use_count(), 1);
  });
}

TEST(ScheduleCall, A12_7_InACallbackThereIsNoDifferenceBetweenLocalAndGlobal) {
  WithManualClock([](ManualClock&) {
    bool called = false;
    Hub::Current().ScheduleCall(absl::Seconds(1), [&] {
      Hub::Current().ScheduleCallLocal(absl::Seconds(1), [&] { called = true; });
    });
    Sleep(absl::Seconds(3));
    EXPECT_TRUE(called);
  });
}

TEST(ScheduleCall, A12_13_ACancelledCallIsGoneAtOnce) {
  WithManualClock([](ManualClock&) {
    std::vector<TimerHandle> handles;
    for (int i = 0; i < 5000; ++i) {
      handles.push_back(Hub::Current().ScheduleCall(absl::Hours(i), [] {}));
    }
    EXPECT_EQ(Hub::Current().counts().timers, 5000u);
    for (TimerHandle& handle : handles) EXPECT_TRUE(handle.Cancel());
    EXPECT_EQ(Hub::Current().counts().timers, 0u);
  });
}

TEST(ScheduleCall, AnEmptyFunctionIsRefused) {
  Hub& hub = Hub::Current();
  EXPECT_THROW(hub.ScheduleCall(absl::ZeroDuration(), nullptr), std::logic_error);
  EXPECT_THROW(hub.ScheduleCall(absl::InfiniteDuration(), nullptr), std::logic_error);
  EXPECT_THROW(hub.ScheduleCallLocal(absl::ZeroDuration(), nullptr), std::logic_error);
  EXPECT_EQ(hub.counts().timers, 0u);
}

TEST(ScheduleCall, A12_10_ATurnRunsPostedCallsThenDueTimersThenGreenThreads) {
  WithManualClock([](ManualClock& clock) {
    std::vector<std::string> order;
    Sleep();
    auto green = Spawn([&] { order.push_back("green"); });
    Hub::Current().ScheduleCall(absl::ZeroDuration(), [&] { order.push_back("timer"); });
    Hub::Current().Post([&] { order.push_back("post"); });
    clock.Advance(absl::Seconds(1));
    Sleep(absl::Seconds(1));  // the hub turns
    // What was runnable before the turn ended ran in it.
    EXPECT_EQ(order, (std::vector<std::string>{"green", "post", "timer"}));
    order.clear();
    Hub::Current().ScheduleCall(absl::Seconds(1), [&] {
      SpawnN([&] { order.push_back("green"); });
      Hub::Current().ScheduleCall(absl::ZeroDuration(), [&] { order.push_back("timer"); });
      Hub::Current().Post([&] { order.push_back("post"); });
    });
    Sleep(absl::Seconds(2));
    EXPECT_EQ(order, (std::vector<std::string>{"green", "post", "timer"}));
    green.Wait();
  });
}

}  // namespace
}  // namespace verdant
