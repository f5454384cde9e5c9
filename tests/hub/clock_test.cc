#include "hub/clock.h"

#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

TEST(Clock, TheMonotonicClockNeverGoesBackAndDoesNotJump) {
  Clock& clock = Clock::Monotonic();
  std::int64_t last = clock.NowNanos();
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t now = clock.NowNanos();
    ASSERT_GE(now, last);
    last = now;
  }
  EXPECT_FALSE(clock.AdvanceTo(last + 1));
  EXPECT_EQ(&clock, &Clock::Monotonic());
}

TEST(Deadline, DefaultsToNever) {
  EXPECT_TRUE(Deadline().never());
  EXPECT_EQ(Deadline(), Deadline::Never());
  EXPECT_EQ(Deadline(absl::InfiniteDuration()), Deadline::Never());
  EXPECT_FALSE(Deadline::Never().Passed());
  EXPECT_EQ(Deadline::Never().Remaining(), absl::InfiniteDuration());
}

TEST(Deadline, LiesSoFarAheadOnTheHubsClock) {
  WithManualClock([](ManualClock& clock) {
    const Deadline deadline = absl::Seconds(5);
    EXPECT_EQ(deadline.nanos(), clock.NowNanos() + 5000000000);
    EXPECT_EQ(deadline.Remaining(), absl::Seconds(5));
    clock.Advance(absl::Seconds(4));
    EXPECT_EQ(deadline.Remaining(), absl::Seconds(1));
    EXPECT_FALSE(deadline.Passed());
    clock.Advance(absl::Seconds(1));
    EXPECT_TRUE(deadline.Passed());
    clock.Advance(absl::Seconds(1));
    EXPECT_EQ(deadline.Remaining(), absl::ZeroDuration());
  });
}

TEST(Deadline, NegativeIsNowAndTooFarIsNever) {
  WithManualClock([](ManualClock& clock) {
    EXPECT_EQ(Deadline(-absl::Seconds(5)).nanos(), clock.NowNanos());
    EXPECT_EQ(Deadline(-absl::InfiniteDuration()).nanos(), clock.NowNanos());
    EXPECT_TRUE(Deadline(absl::Hours(24 * 365 * 300)).never());
    EXPECT_FALSE(Deadline(absl::Hours(24 * 365 * 100)).never());
  });
}

TEST(Deadline, Compares) {
  EXPECT_LT(Deadline::At(1), Deadline::At(2));
  EXPECT_LT(Deadline::At(2), Deadline::Never());
  EXPECT_EQ(Deadline::At(2), Deadline::At(2));
}

TEST(Clock, A12_11_AnIdleHubMovesAManualClockToTheNextTimer) {
  WithManualClock([](ManualClock& clock) {
    Sleep(absl::Hours(24 * 365));
    EXPECT_EQ(clock.SinceStart(), absl::Hours(24 * 365));
    Sleep(absl::Nanoseconds(1));
    EXPECT_EQ(clock.SinceStart(), absl::Hours(24 * 365) + absl::Nanoseconds(1));
  });
}

}  // namespace
}  // namespace verdant
