#include "hub/shield.h"

#include <optional>
#include <stdexcept>

#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "hub/timeout.h"
#include "tests/hub/manual_clock.h"
#include "tests/hub/sync_testing.h"

namespace verdant {
namespace {

TEST(Shield, AKillWaitsUntilItIsGone) {
  WithManualClock([](ManualClock& clock) {
    bool done = false;
    bool went_on = false;
    auto green = Spawn([&] {
      {
        const Shield shield;
        EXPECT_FALSE(shield.Hit());
        Sleep(absl::Seconds(2));
        EXPECT_TRUE(shield.Hit());
        done = true;
      }
      Sleep();
      went_on = true;
    });
    Sleep(absl::Seconds(1));
    green.Kill();
    EXPECT_FALSE(green.Ready());
    EXPECT_THROW(green.Wait(), GreenletExit);
    EXPECT_TRUE(done);
    EXPECT_FALSE(went_on);
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(2));
  });
}

TEST(Shield, KeepsAwayWhatWasOnItsWayAlready) {
  bool done = false;
  auto green = Spawn([&] {
    CurrentGreenThread().KillSoon();
    {
      const Shield shield;
      EXPECT_TRUE(shield.Hit());
      Sleep();
      done = true;
    }
    EXPECT_THROW(Sleep(), GreenletExit);
  });
  green.Wait();
  EXPECT_TRUE(done);
}

TEST(Shield, TimeoutsSetBeforeItWaitAndThoseSetUnderItWork) {
  WithManualClock([](ManualClock& clock) {
    const Timeout outer(absl::Seconds(1));
    {
      const Shield shield;
      EXPECT_FALSE(WithTimeout(absl::Seconds(3), [] { Sleep(absl::Hours(1)); }));
      EXPECT_EQ(clock.SinceStart(), absl::Seconds(3));
      EXPECT_TRUE(outer.Fired());
      Sleep();
    }
    std::optional<bool> owned;
    try {
      Sleep();
    } catch (const TimeoutExpired& expired) {
      owned = outer.Owns(expired);
    }
    EXPECT_EQ(owned, true);
  });
}

TEST(Shield, ATimeoutCancelledUnderItIsNeverThrown) {
  WithManualClock([](ManualClock&) {
    {
      Timeout timeout(absl::Seconds(1));
      const Shield shield;
      Sleep(absl::Seconds(2));
      EXPECT_TRUE(shield.Hit());
      timeout.Cancel();
      EXPECT_FALSE(shield.Hit());
    }
    EXPECT_NO_THROW(Sleep());
  });
}

TEST(Shield, OfNestedOnesEachKeepsAwayWhatIsFromOutsideOfIt) {
  WithManualClock([](ManualClock& clock) {
    auto green = Spawn([&] {
      const Shield outer;
      const Timeout between(absl::Seconds(1));
      {
        const Shield inner;
        Sleep(absl::Seconds(2));
        EXPECT_TRUE(inner.Hit());
      }
      EXPECT_THROW(Sleep(), TimeoutExpired);
      EXPECT_TRUE(outer.Hit());  // by the kill
      Sleep(absl::Seconds(1));
    });
    Sleep(absl::Milliseconds(500));
    green.Kill();
    green.Join();
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(3));
    // It ended before anything waited again.
    EXPECT_TRUE(green.Successful());
  });
}

TEST(Shield, OrderOfWhatWasKeptAwayStays) {
  auto green = Spawn([] {
    {
      const Shield shield;
      Sleep();
      Sleep();
    }
    EXPECT_THROW(Sleep(), std::runtime_error);
    EXPECT_THROW(Sleep(), std::invalid_argument);
  });
  Sleep();
  green.KillSoon(std::make_exception_ptr(std::runtime_error("first")));
  green.KillSoon(std::make_exception_ptr(std::invalid_argument("second")));
  green.Wait();
}

TEST(Shield, DoesNotKeepAwayADeadlockOrAKillOfOneself) {
  const Shield shield;
  EXPECT_THROW(CurrentGreenThread().Kill(), GreenletExit);
  EXPECT_THROW(Sleep(absl::InfiniteDuration()), LoopExit);
}

TEST(Shield, IsALogicErrorInAHubCallback) {
  EXPECT_NE(RefusalInHubCallback([] { const Shield shield; }), "no error");
}

}  // namespace
}  // namespace verdant
