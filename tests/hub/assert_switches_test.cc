#include "hub/assert_switches.h"

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

std::string Complaint(const std::function<void()>& call) {
  try {
    call();
  } catch (const FailedToSwitch& failure) {
    return failure.what();
  }
  return "";
}

TEST(AssertSwitches, B13_5_WhoWaitsOrYieldsPasses) {
  WithManualClock([](ManualClock&) {
    EXPECT_EQ(AssertSwitches([] {
                Sleep();
                return 7;
              }),
              7);
    AssertSwitches([] { Sleep(absl::Seconds(1)); });
    auto other = Spawn([] {});
    AssertSwitches([&] { other.Join(); });
  });
}

TEST(AssertSwitches, B13_5_WhoLetsNobodyRunDoesNot) {
  WithManualClock([](ManualClock&) {
    EXPECT_EQ(Complaint([] { AssertSwitches([] {}); }),
              "AssertSwitches: the call let nobody else run");
    auto ready = Spawn([] {});
    ready.Join();
    EXPECT_THROW(AssertSwitches([&] { ready.Join(); }), FailedToSwitch);
    // Sooner or later somebody else runs, but not because of it.
    EXPECT_THROW(AssertSwitches([] { SpawnN([] {}); }), FailedToSwitch);
    Sleep();
  });
}

TEST(AssertSwitches, B13_5_TheLongestTimeWithoutATurnOfTheHubIsBounded) {
  WithManualClock([](ManualClock& clock) {
    const auto work = [&](absl::Duration duration) {
      return [&clock, duration] {
        Sleep(absl::Milliseconds(1));
        clock.Advance(duration);
        Sleep(absl::Milliseconds(1));
      };
    };
    AssertSwitches(work(absl::Milliseconds(10)), absl::Milliseconds(10));
    EXPECT_EQ(
        Complaint([&] { AssertSwitches(work(absl::Milliseconds(11)), absl::Milliseconds(10)); }),
        "AssertSwitches: the hub was kept from turning for 11ms, more than 10ms");
    // At the very end as well, where no turn follows.
    EXPECT_THROW(AssertSwitches(
                     [&] {
                       Sleep();
                       clock.Advance(absl::Milliseconds(11));
                     },
                     absl::Milliseconds(10)),
                 FailedToSwitch);
  });
}

TEST(AssertSwitches, B13_5_TimeAsleepIsNotBlocking) {
  WithManualClock(
      [](ManualClock&) { AssertSwitches([] { Sleep(absl::Hours(1)); }, absl::Milliseconds(10)); });
}

TEST(AssertSwitches, B13_5_WhatTheCallThrowsPasses) {
  WithManualClock([](ManualClock&) {
    EXPECT_THROW(AssertSwitches([] { throw std::runtime_error("its own"); }), std::runtime_error);
  });
}

TEST(AssertSwitches, B13_5_ReferencesAndMoveOnlyResultsComeThrough) {
  WithManualClock([](ManualClock&) {
    int value = 3;
    int& same = AssertSwitches([&]() -> int& {
      Sleep();
      return value;
    });
    EXPECT_EQ(&same, &value);
    EXPECT_EQ(*AssertSwitches([] {
      Sleep();
      return std::make_unique<int>(5);
    }),
              5);
  });
}

}  // namespace
}  // namespace verdant
