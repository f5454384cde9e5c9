#include "hub/timeout.h"

#include <memory>
#include <stdexcept>
#include <string>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

TEST(Timeout, A7_1_ThrowsItselfFromWhateverBlocks) {
  WithManualClock([](ManualClock& clock) {
    Timeout timeout(absl::Seconds(2));
    try {
      Sleep(absl::Hours(1));
      FAIL();
    } catch (const TimeoutExpired& expired) {
      EXPECT_TRUE(timeout.Owns(expired));
      EXPECT_EQ(expired.after(), absl::Seconds(2));
      EXPECT_EQ(expired.message(), "timed out after 2s");
    }
    EXPECT_TRUE(timeout.Fired());
    EXPECT_FALSE(timeout.pending());
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(2));
  });
}

TEST(Timeout, A7_1_IsNotCaughtByHandlersOfStdException) {
  WithManualClock([](ManualClock&) {
    Timeout timeout(absl::Seconds(1));
    bool swallowed = false;
    try {
      try {
        Sleep(absl::Hours(1));
      } catch (const std::exception&) {
        swallowed = true;
      }
    } catch (const TimeoutExpired&) {
    }
    EXPECT_FALSE(swallowed);
  });
}

TEST(Timeout, A7_2_AnInfiniteOneNeverFiresAndZeroFiresAtTheNextTurn) {
  WithManualClock([](ManualClock&) {
    Timeout never(absl::InfiniteDuration());
    EXPECT_FALSE(never.pending());
    Sleep(absl::Hours(1000));
    for (const absl::Duration now : {absl::ZeroDuration(), -absl::Seconds(1)}) {
      Timeout timeout(now);
      EXPECT_TRUE(timeout.pending());
      EXPECT_THROW(Sleep(absl::Seconds(1)), TimeoutExpired);
    }
  });
}

TEST(Timeout, A7_3_ThrowsTheExceptionItWasGiven) {
  WithManualClock([](ManualClock&) {
    Timeout timeout(absl::Seconds(1), std::make_exception_ptr(std::runtime_error("mine")));
    EXPECT_THROW(Sleep(absl::Hours(1)), std::runtime_error);
  });
}

TEST(Timeout, A7_4_CancelledItDoesNotFireAndMayStartAgain) {
  WithManualClock([](ManualClock& clock) {
    Timeout timeout(absl::Seconds(1));
    EXPECT_THROW(timeout.Start(), std::logic_error);
    timeout.Cancel();
    timeout.Cancel();
    EXPECT_FALSE(timeout.pending());
    Sleep(absl::Seconds(5));
    timeout.Start(absl::Seconds(3));
    EXPECT_TRUE(timeout.pending());
    EXPECT_THROW(Sleep(absl::Hours(1)), TimeoutExpired);
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(8));
    timeout.Start();
    EXPECT_FALSE(timeout.Fired());
    EXPECT_THROW(Sleep(absl::Hours(1)), TimeoutExpired);
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(11));
  });
}

TEST(Timeout, A7_4_LeavingTheScopeCancelsIt) {
  WithManualClock([](ManualClock&) {
    { const Timeout timeout(absl::Seconds(1)); }
    EXPECT_EQ(Hub::Current().counts().timers, 0u);
    Sleep(absl::Hours(1));
  });
}

TEST(Timeout, A7_5_AnInnerScopePassesTheOutersOn) {
  WithManualClock([](ManualClock&) {
    Timeout outer(absl::Seconds(1));
    bool passed_on = false;
    try {
      Timeout inner(absl::Seconds(2));
      try {
        Sleep(absl::Hours(1));
      } catch (const TimeoutExpired& expired) {
        EXPECT_FALSE(inner.Owns(expired));
        passed_on = true;
        throw;
      }
    } catch (const TimeoutExpired& expired) {
      EXPECT_TRUE(outer.Owns(expired));
    }
    EXPECT_TRUE(passed_on);
    Sleep(absl::Hours(1));  // the inner one is gone
  });
}

TEST(Timeout, A7_5_OfTwoThatExpireTogetherTheOuterIsThrownAndTheInnerGoesWithItsScope) {
  WithManualClock([](ManualClock&) {
    Timeout outer(absl::Seconds(1));
    try {
      Timeout inner(absl::Seconds(1));
      Sleep(absl::Hours(1));
      FAIL();
    } catch (const TimeoutExpired& expired) {
      EXPECT_TRUE(outer.Owns(expired));
    }
    Sleep(absl::Hours(1));
  });
}

TEST(Timeout, TheSecondOfTwoThatExpiredIsThrownAtTheNextWait) {
  WithManualClock([](ManualClock& clock) {
    Timeout first(absl::Seconds(1));
    Timeout second(absl::Seconds(2));
    clock.Advance(absl::Seconds(5));
    try {
      Sleep();
      Sleep(absl::Hours(1));
      FAIL();
    } catch (const TimeoutExpired& expired) {
      EXPECT_TRUE(first.Owns(expired));
    }
    try {
      Sleep();
      FAIL();
    } catch (const TimeoutExpired& expired) {
      EXPECT_TRUE(second.Owns(expired));
    }
  });
}

TEST(Timeout, DoesNotInterruptOneThatComputes) {
  WithManualClock([](ManualClock& clock) {
    Timeout timeout(absl::Seconds(1));
    clock.Advance(absl::Seconds(10));
    EXPECT_FALSE(timeout.Fired());
    EXPECT_THROW(Sleep(absl::Seconds(1)), TimeoutExpired);
  });
}

TEST(Timeout, MayOutliveItsGreenThread) {
  WithManualClock([](ManualClock&) {
    std::unique_ptr<Timeout> timeout;
    Spawn([&] { timeout = std::make_unique<Timeout>(absl::Seconds(1)); }).Wait();
    Sleep(absl::Seconds(2));
    EXPECT_TRUE(timeout->Fired());
    timeout = nullptr;
    Sleep(absl::Seconds(2));
  });
}

TEST(Timeout, IsRefusedInAHubCallback) {
  WithManualClock([](ManualClock&) {
    std::string what;
    Hub::Current().Post([&] {
      try {
        const Timeout timeout(absl::Seconds(1));
      } catch (const std::logic_error& e) {
        what = e.what();
      }
    });
    Sleep(absl::Seconds(1));
    EXPECT_NE(what.find("hub callback"), std::string::npos) << what;
  });
}

TEST(WithTimeout, A7_6_GivesTheResultOrTheFallback) {
  WithManualClock([](ManualClock&) {
    const auto slow = [] {
      Sleep(absl::Hours(1));
      return 1;
    };
    EXPECT_EQ(WithTimeout(
                  absl::Seconds(1), [] { return 5; }, 0),
              5);
    EXPECT_EQ(WithTimeout(absl::Seconds(1), slow, -1), -1);
    EXPECT_EQ(WithTimeout(absl::Seconds(1), slow), std::nullopt);
    EXPECT_EQ(WithTimeout(absl::Hours(2), slow), 1);
    EXPECT_FALSE(WithTimeout(absl::Seconds(1), [] { Sleep(absl::Hours(1)); }));
    EXPECT_TRUE(WithTimeout(absl::Seconds(1), [] {}));
  });
}

TEST(WithTimeout, A7_6_LetsForeignTimeoutsAndOtherExceptionsThrough) {
  WithManualClock([](ManualClock&) {
    Timeout outer(absl::Seconds(1));
    EXPECT_THROW(WithTimeout(absl::Seconds(2), [] { Sleep(absl::Hours(1)); }), TimeoutExpired);
    EXPECT_THROW(WithTimeout(
                     absl::Seconds(2), []() -> int { throw std::runtime_error("x"); }, 0),
                 std::runtime_error);
  });
}

}  // namespace
}  // namespace verdant
