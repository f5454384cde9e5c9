#include "hub/timeout.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>

#include "absl/status/status.h"
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
      EXPECT_EQ(expired.message(), "timed out after 2 seconds");
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

TEST(Timeout, A7_7_IsTimeoutKnowsEveryKind) {
  const auto is_timeout = [](auto error) { return IsTimeout(std::make_exception_ptr(error)); };
  EXPECT_TRUE(is_timeout(TimeoutExpired(0, absl::Seconds(1))));
  EXPECT_TRUE(is_timeout(std::system_error(ETIMEDOUT, std::generic_category())));
  EXPECT_TRUE(is_timeout(std::system_error(std::make_error_code(std::errc::timed_out), "read")));
  EXPECT_FALSE(is_timeout(std::system_error(EAGAIN, std::generic_category())));
  EXPECT_FALSE(is_timeout(std::runtime_error("timeout")));
  EXPECT_FALSE(is_timeout(GreenletExit()));
  EXPECT_FALSE(is_timeout(1));
  EXPECT_FALSE(IsTimeout(std::exception_ptr()));
  struct Mine : std::system_error {
    Mine() : std::system_error(std::make_error_code(std::errc::timed_out)) {}
  };
  EXPECT_TRUE(is_timeout(Mine()));
  EXPECT_TRUE(IsTimeout(absl::DeadlineExceededError("recv from peer: timed out")));
  EXPECT_FALSE(IsTimeout(absl::UnavailableError("refused")));
  EXPECT_FALSE(IsTimeout(absl::OkStatus()));
}

TEST(Timeout, A7_7_IsTimeoutKnowsThoseOfTimeoutsAndDeadlines) {
  WithManualClock([](ManualClock&) {
    const auto sleeper = Spawn([] { Sleep(absl::Hours(1)); });
    const Timeout timeout(absl::Seconds(5));
    try {
      sleeper.Wait(absl::Seconds(1));
      FAIL();
    } catch (...) {
      EXPECT_TRUE(IsTimeout(std::current_exception()));
    }
    try {
      sleeper.Wait();
      FAIL();
    } catch (...) {
      EXPECT_TRUE(IsTimeout(std::current_exception()));
    }
    sleeper.Kill();
  });
}

TEST(Timeout, A7_8_TheTextSaysHowManySeconds) {
  const auto text = [](absl::Duration after) { return TimeoutExpired(0, after).message(); };
  EXPECT_EQ(text(absl::Seconds(1)), "timed out after 1 second");
  EXPECT_EQ(text(absl::Seconds(2)), "timed out after 2 seconds");
  EXPECT_EQ(text(absl::Milliseconds(1500)), "timed out after 1.5 seconds");
  EXPECT_EQ(text(absl::ZeroDuration()), "timed out after 0 seconds");
  EXPECT_EQ(text(absl::Hours(1)), "timed out after 3600 seconds");
  EXPECT_EQ(text(absl::Seconds(1)), "timed out after 1 second");
  EXPECT_EQ(text(absl::Hours(12 * 24)), "timed out after 1036800 seconds");
  EXPECT_EQ(text(absl::Seconds(1234567)), "timed out after 1234567 seconds");
  EXPECT_EQ(text(absl::Seconds(1234567) + absl::Milliseconds(890)),
            "timed out after 1234567.89 seconds");
  EXPECT_EQ(text(absl::Nanoseconds(1)), "timed out after 0.000000001 seconds");
  EXPECT_EQ(text(absl::Milliseconds(-1500)), "timed out after -1.5 seconds");
  EXPECT_EQ(text(absl::InfiniteDuration()), "timed out after infinite seconds");
}

TEST(Timeout, B7_1_RunsFromItsConstructionAndOnceStartedIsNotStartedAgain) {
  WithManualClock([](ManualClock&) {
    Timeout timeout(absl::Seconds(1));
    EXPECT_TRUE(timeout.pending());
    EXPECT_THROW(timeout.Start(), std::logic_error);
    EXPECT_THROW(timeout.Start(absl::Seconds(2)), std::logic_error);
    EXPECT_TRUE(timeout.pending());
    EXPECT_THROW(Sleep(absl::Hours(1)), TimeoutExpired);
    EXPECT_FALSE(timeout.pending());
  });
}

TEST(Timeout, B7_2_ZeroFiresAtTheNextTurnAfterWhatIsRunnableAndNoneNever) {
  WithManualClock([](ManualClock&) {
    Timeout none(absl::InfiniteDuration());
    none.Cancel();
    none.Start();
    EXPECT_FALSE(none.pending());
    bool other_ran = false;
    SpawnN([&] { other_ran = true; });
    const Timeout timeout(absl::ZeroDuration());
    EXPECT_THROW(Sleep(absl::Hours(1)), TimeoutExpired);
    EXPECT_TRUE(other_ran);
    EXPECT_FALSE(none.Fired());
  });
}

TEST(Timeout, B7_3_TheTextItWasGivenIsPartOfTheMessage) {
  WithManualClock([](ManualClock&) {
    const Timeout timeout(absl::Seconds(1), "reading the index");
    try {
      Sleep(absl::Hours(1));
      FAIL();
    } catch (const TimeoutExpired& expired) {
      EXPECT_TRUE(timeout.Owns(expired));
      EXPECT_EQ(expired.message(), "timed out after 1 second: reading the index");
    }
  });
}

TEST(Timeout, B7_4_ALongComputationBeforeItDoesNotShortenIt) {
  WithManualClock([](ManualClock& clock) {
    Sleep();
    clock.Advance(absl::Seconds(100));
    const Timeout timeout(absl::Seconds(5));
    Sleep(absl::Seconds(4));
    EXPECT_FALSE(timeout.Fired());
    EXPECT_THROW(Sleep(absl::Seconds(4)), TimeoutExpired);
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(105));
  });
}

TEST(Timeout, B7_5_AnOuterOnePassesThroughEveryWithTimeoutInside) {
  WithManualClock([](ManualClock&) {
    Timeout outer(absl::Seconds(1));
    int passed = 0;
    try {
      WithTimeout(absl::Seconds(3), [&] {
        struct Count {
          int& passed;
          ~Count() { ++passed; }
        } const count{passed};
        return WithTimeout(
            absl::Seconds(2),
            [&] {
              const Count inner{passed};
              Sleep(absl::Hours(1));
              return 0;
            },
            -1);
      });
      FAIL();
    } catch (const TimeoutExpired& expired) {
      EXPECT_TRUE(outer.Owns(expired));
    }
    EXPECT_EQ(passed, 2);
  });
}

TEST(WithTimeout, A7_3_ASilentOneEndsItsBodyAndNothingElse) {
  WithManualClock([](ManualClock& clock) {
    bool ended = false;
    EXPECT_FALSE(WithTimeout(absl::Seconds(1), [&] {
      Sleep(absl::Hours(1));
      ended = true;
    }));
    EXPECT_FALSE(ended);
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(1));
    EXPECT_EQ(Hub::Current().counts().timers, 0u);
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
