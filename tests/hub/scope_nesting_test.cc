// Scopes in scopes: whose deadline counts, who is cancelled by whose error, what a shield between
// them changes, and what their children inherit.

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "greenlet/context.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/scope.h"
#include "hub/shield.h"
#include "hub/timeout.h"
#include "tests/hub/manual_clock.h"
#include "tests/hub/sync_testing.h"

namespace verdant {
namespace {

struct Boom : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Sleeps until it is told to end, and notes that.
void SleepAndTell(std::vector<std::string>& log, const char* name) {
  try {
    Sleep(absl::Hours(100));
  } catch (const GreenletExit&) {
    log.emplace_back(name);
    throw;
  }
}

TEST(ScopeNesting, AnInnerScopeCannotOutlastTheOuterWhateverItsDeadlineSays) {
  WithManualClock([](ManualClock& clock) {
    std::vector<std::string> log;
    std::optional<bool> outers;
    Scope outer({.deadline = absl::Seconds(3)});
    outer.SpawnN([&] {
      WithScope(
          [&](Scope& middle) {
            middle.SpawnN([&] {
              WithScope([&](Scope& inner) { inner.SpawnN(SleepAndTell, std::ref(log), "inner"); },
                        {.deadline = absl::Hours(2)});
            });
            middle.SpawnN(SleepAndTell, std::ref(log), "middle");
          },
          {.deadline = absl::Hours(1)});
    });
    try {
      outer.Join();
    } catch (const TimeoutExpired& expired) {
      outers = outer.TimedOut(expired);
    }
    EXPECT_EQ(outers, true);
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(3));
    EXPECT_EQ(log, (std::vector<std::string>{"middle", "inner"}));
  });
}

TEST(ScopeNesting, EachLevelHasTheEarliestDeadlineAroundIt) {
  WithManualClock([](ManualClock&) {
    std::vector<absl::Duration> left;
    const auto look = [&left] { left.push_back(CurrentDeadline().Remaining()); };
    WithScope(
        [&](Scope&) {
          look();
          WithScope([&](Scope&) { look(); }, {.deadline = absl::Seconds(9)});
          WithScope(
              [&](Scope& scope) {
                look();
                scope.SpawnN(look);
                WithScope([&](Scope&) { look(); });
              },
              {.deadline = absl::Seconds(2)});
          look();
        },
        {.deadline = absl::Seconds(5)});
    const auto s = [](int n) { return absl::Seconds(n); };
    EXPECT_EQ(left, (std::vector<absl::Duration>{s(5), s(5), s(2), s(2), s(2), s(5)}));
  });
}

TEST(ScopeNesting, AnInnerDeadlineLeavesTheOthersOfTheOuterAlone) {
  WithManualClock([](ManualClock& clock) {
    bool sibling_ended = false;
    bool inner_ran_out = false;
    WithScope(
        [&](Scope& outer) {
          outer.SpawnN([&] {
            Sleep(absl::Seconds(4));
            sibling_ended = true;
          });
          outer.SpawnN([&] {
            Scope inner({.deadline = absl::Seconds(1)});
            inner.SpawnN([] { Sleep(absl::Hours(1)); });
            try {
              inner.Join();
            } catch (const TimeoutExpired& expired) {
              inner_ran_out = inner.TimedOut(expired);
            }
          });
        },
        {.deadline = absl::Seconds(5)});
    EXPECT_TRUE(inner_ran_out);
    EXPECT_TRUE(sibling_ended);
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(4));
  });
}

TEST(ScopeNesting, AnErrorDeepDownCancelsLevelByLevelAndArrivesAsItWas) {
  WithManualClock([](ManualClock& clock) {
    std::vector<std::string> log;
    try {
      WithScope([&](Scope& outer) {
        outer.SpawnN(SleepAndTell, std::ref(log), "outer sibling");
        outer.SpawnN([&] {
          WithScope([&](Scope& inner) {
            inner.SpawnN(SleepAndTell, std::ref(log), "inner sibling");
            inner.SpawnN([] {
              Sleep(absl::Seconds(1));
              throw Boom("deep");
            });
          });
        });
      });
      ADD_FAILURE() << "did not throw";
    } catch (const Boom& boom) {
      EXPECT_STREQ(boom.what(), "deep");
    }
    EXPECT_EQ(log, (std::vector<std::string>{"inner sibling", "outer sibling"}));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(1));
  });
}

TEST(ScopeNesting, AnErrorOutsideEndsWhatTheOwnerWaitsForInside) {
  WithManualClock([](ManualClock& clock) {
    std::vector<std::string> log;
    EXPECT_THROW(
        WithScope([&](Scope& outer) {
          outer.SpawnN([] {
            Sleep(absl::Seconds(1));
            throw Boom("outside");
          });
          WithScope([&](Scope& inner) { inner.SpawnN(SleepAndTell, std::ref(log), "inside"); });
        }),
        Boom);
    EXPECT_EQ(log, (std::vector<std::string>{"inside"}));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(1));
  });
}

TEST(ScopeNesting, AShieldBetweenThemLetsTheInnerFinish) {
  WithManualClock([](ManualClock& clock) {
    bool finished = false;
    Scope outer({.deadline = absl::Seconds(1)});
    std::optional<bool> outers;
    try {
      {
        const Shield shield;
        EXPECT_TRUE(CurrentDeadline().never());
        WithScope(
            [&](Scope& inner) {
              EXPECT_EQ(CurrentDeadline().Remaining(), absl::Seconds(4));
              inner.SpawnN([&] {
                EXPECT_EQ(CurrentDeadline().Remaining(), absl::Seconds(4));
                Sleep(absl::Seconds(3));
                finished = true;
              });
            },
            {.deadline = absl::Seconds(4)});
      }
      EXPECT_TRUE(CurrentDeadline().Passed());
      outer.Join();
      Sleep();
    } catch (const TimeoutExpired& expired) {
      outers = outer.TimedOut(expired);
    }
    EXPECT_TRUE(finished);
    EXPECT_EQ(outers, true);
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(3));
  });
}

TEST(ScopeNesting, WhatIsSpawnedUnderAShieldInTheOuterScopeIsCancelledWithIt) {
  WithManualClock([](ManualClock& clock) {
    std::vector<std::string> log;
    EXPECT_THROW(WithScope(
                     [&](Scope& outer) {
                       const Shield shield;
                       outer.SpawnN(SleepAndTell, std::ref(log), "child");
                       Sleep(absl::Seconds(2));
                     },
                     {.deadline = absl::Seconds(1)}),
                 TimeoutExpired);
    EXPECT_EQ(log, (std::vector<std::string>{"child"}));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(2));
  });
}

TEST(ScopeNesting, AChildUnderAShieldIsCancelledOnceAndItsScopeWaitsHoweverLong) {
  WithManualClock([](ManualClock& clock) {
    Reports reports;
    int told = 0;
    EXPECT_THROW(WithScope(
                     [&](Scope& scope) {
                       scope.SpawnN([&] {
                         {
                           const Shield shield;
                           Sleep(absl::Minutes(10));
                         }
                         for (int i = 0; i < 3; ++i) {
                           try {
                             Sleep();
                           } catch (const GreenletExit&) {
                             ++told;
                           }
                         }
                       });
                       scope.SpawnN([] {
                         Sleep(absl::Seconds(1));
                         throw Boom("x");
                       });
                     },
                     {.deadline = absl::Minutes(1)}),
                 Boom);
    EXPECT_EQ(told, 1);
    EXPECT_EQ(clock.SinceStart(), absl::Minutes(10));
    ASSERT_EQ(reports.texts.size(), 1u);
    EXPECT_NE(reports.texts[0].find("lives on"), std::string::npos);
  });
}

TEST(ScopeNesting, AChildThatWaitsAgainAfterBeingCancelledIsTheOwnersToWaitForToo) {
  WithManualClock([](ManualClock& clock) {
    Reports reports;
    int refused = 0;
    auto owner = Spawn([&] {
      WithScope([&](Scope& scope) {
        scope.SpawnN([&] {
          for (;;) {
            try {
              Sleep(absl::Hours(1));
              return;
            } catch (const GreenletExit&) {
              if (++refused == 30) throw;
            }
          }
        });
      });
    });
    Sleep(absl::Seconds(1));
    owner.Kill();
    Sleep(absl::Seconds(10));
    EXPECT_FALSE(owner.Ready());  // no child outlives its scope
    owner.Join();
    EXPECT_TRUE(owner.Killed());
    EXPECT_EQ(refused, 30);
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(30));
    EXPECT_EQ(reports.texts.size(), 1u);
  });
}

TEST(ScopeNesting, Decision20_ChildrenInheritTheContextAndKeepWhatTheySetToThemselves) {
  const ContextVar<int> var("var", 0);
  var.Set(1);
  std::vector<int> seen;
  WithScope([&](Scope& scope) {
    scope.SpawnN([&] {
      seen.push_back(var.Get());
      var.Set(10);
      scope.SpawnN([&] { seen.push_back(var.Get()); });
    });
    scope.SpawnN([&] {
      Sleep();
      seen.push_back(var.Get());
    });
    var.Set(2);
    scope.Spawn([&] { seen.push_back(var.Get()); }).Wait();
    scope.Join();
    EXPECT_EQ(var.Get(), 2);
  });
  EXPECT_EQ(seen, (std::vector<int>{1, 2, 10, 1}));
}

}  // namespace
}  // namespace verdant
