#include <stdexcept>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/scope.h"
#include "hub/shield.h"
#include "tests/hub/manual_clock.h"
#include "tests/hub/sync_testing.h"

namespace verdant {
namespace {

struct Boom : std::runtime_error {
  using std::runtime_error::runtime_error;
};

TEST(Scope, TheFirstErrorCancelsTheSiblingsAndIsThrown) {
  WithManualClock([](ManualClock& clock) {
    std::vector<std::string> log;
    EXPECT_THROW(WithScope([&](Scope& scope) {
                   scope.SpawnN([&] {
                     try {
                       Sleep(absl::Hours(1));
                     } catch (const GreenletExit&) {
                       log.push_back("cancelled");
                       throw;
                     }
                   });
                   scope.SpawnN([] {
                     Sleep(absl::Seconds(1));
                     throw Boom("first");
                   });
                 }),
                 Boom);
    EXPECT_EQ(log, (std::vector<std::string>{"cancelled"}));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(1));
  });
}

TEST(Scope, AnErrorInterruptsTheBodyWhereverItWaits) {
  WithManualClock([](ManualClock& clock) {
    Event<> never;
    bool went_on = false;
    EXPECT_THROW(WithScope([&](Scope& scope) {
                   scope.SpawnN([] { throw Boom("early"); });
                   never.Wait();
                   went_on = true;
                 }),
                 Boom);
    EXPECT_FALSE(went_on);
    EXPECT_EQ(clock.jumps(), 0);
  });
}

TEST(Scope, ABodyThatCatchesTheErrorMayEndWell) {
  const int result = WithScope([](Scope& scope) {
    scope.SpawnN([] { throw Boom("expected"); });
    try {
      Sleep(absl::Hours(1));
    } catch (const Boom&) {
      return 5;
    }
    return 0;
  });
  EXPECT_EQ(result, 5);
}

TEST(Scope, AnErrorThatWasThrownInTheOwnerIsNotThrownAgain) {
  Scope scope;
  scope.SpawnN([] { throw Boom("x"); });
  EXPECT_THROW(Sleep(absl::Hours(1)), Boom);
  EXPECT_NO_THROW(scope.Join());
  EXPECT_TRUE(scope.cancelled());
}

TEST(Scope, AnErrorThatFoundNoOccasionIsThrownByJoin) {
  Scope scope;
  scope.SpawnN([] { throw Boom("x"); });
  {
    const Shield shield;
    Sleep();
    EXPECT_EQ(scope.size(), 0u);
  }
  EXPECT_THROW(scope.Join(), Boom);
  EXPECT_NO_THROW(scope.Join());
}

TEST(Scope, AnErrorThatIsNeverThrownIsReported) {
  Reports reports;
  {
    Scope scope;
    scope.SpawnN([] { throw Boom("unseen"); });
    const Shield shield;
    Sleep();
  }
  ASSERT_EQ(reports.texts.size(), 1u);
  EXPECT_NE(reports.texts[0].find("unseen"), std::string::npos);
  EXPECT_NO_THROW(Sleep());
}

TEST(Scope, LaterErrorsGoToTheErrorHandler) {
  WithManualClock([](ManualClock&) {
    Reports reports;
    EXPECT_THROW(WithScope([&](Scope& scope) {
                   scope.SpawnN([] {
                     try {
                       Sleep(absl::Hours(1));
                     } catch (const GreenletExit&) {
                       throw Boom("second");
                     }
                   });
                   scope.SpawnN([] {
                     Sleep(absl::Seconds(1));
                     throw std::logic_error("first");
                   });
                 }),
                 std::logic_error);
    ASSERT_EQ(reports.texts.size(), 1u);
    EXPECT_NE(reports.texts[0].find("second"), std::string::npos);
  });
}

TEST(Scope, ABodyThatThrowsCancelsTheChildrenAndWaitsForThem) {
  WithManualClock([](ManualClock& clock) {
    bool cleaned_up = false;
    try {
      WithScope([&](Scope& scope) {
        scope.SpawnN([&] {
          try {
            Sleep(absl::Hours(1));
          } catch (const GreenletExit&) {
            const Shield shield;
            Sleep(absl::Milliseconds(10));
            cleaned_up = true;
            throw;
          }
        });
        Sleep();
        throw Boom("body");
      });
      ADD_FAILURE() << "did not throw";
    } catch (const Boom& boom) {
      EXPECT_STREQ(boom.what(), "body");
    }
    EXPECT_TRUE(cleaned_up);
    EXPECT_EQ(clock.SinceStart(), absl::Milliseconds(10));
  });
}

TEST(Scope, AnUnstartedChildOfACancelledScopeNeverRuns) {
  bool ran = false;
  Scope scope;
  auto before = scope.Spawn([&] { ran = true; });
  scope.Cancel();
  auto after = scope.Spawn([&] { ran = true; });
  scope.Join();
  EXPECT_FALSE(ran);
  EXPECT_TRUE(before.Killed());
  EXPECT_TRUE(after.Killed());
}

TEST(Scope, CancelledByAChildEndsWithoutAnError) {
  WithManualClock([](ManualClock& clock) {
    WithScope([](Scope& scope) {
      scope.SpawnN([] { Sleep(absl::Hours(1)); });
      scope.SpawnN([&] {
        Sleep(absl::Seconds(1));
        scope.Cancel();
      });
    });
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(1));
  });
}

TEST(Scope, AKilledChildHasNotFailed) {
  WithScope([](Scope& scope) {
    auto child = scope.Spawn([] { Sleep(absl::Hours(1)); });
    Sleep();
    child.Kill();
    EXPECT_FALSE(scope.cancelled());
  });
}

TEST(Scope, AnOwnerThatIsKilledTakesItsChildrenAlong) {
  WithManualClock([](ManualClock&) {
    bool child_ended = false;
    auto owner = Spawn([&] {
      WithScope([&](Scope& scope) {
        scope.SpawnN([&] {
          try {
            Sleep(absl::Hours(1));
          } catch (...) {
            child_ended = true;
            throw;
          }
        });
      });
    });
    Sleep(absl::Seconds(1));
    owner.KillAndJoin();
    EXPECT_TRUE(child_ended);
    EXPECT_TRUE(owner.Killed());
  });
}

TEST(Scope, AChildThatRefusesToDieIsCancelledUntilItDoes) {
  WithManualClock([](ManualClock& clock) {
    Reports reports;
    int cancelled = 0;
    EXPECT_THROW(WithScope(
                     [&](Scope& scope) {
                       scope.SpawnN([&] {
                         while (cancelled < 4) {
                           try {
                             Sleep(absl::Hours(1));
                           } catch (const GreenletExit&) {
                             ++cancelled;
                           }
                         }
                       });
                       Sleep();
                       throw Boom("body");
                     },
                     {.persist = absl::Seconds(2)}),
                 Boom);
    EXPECT_EQ(cancelled, 4);
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(6));
    ASSERT_EQ(reports.texts.size(), 1u);
    EXPECT_NE(reports.texts[0].find("lives on 2s after it was cancelled"), std::string::npos);
  });
}

TEST(Scope, NothingInterruptsAnOwnerThatSeesItsChildrenOut) {
  WithManualClock([](ManualClock& clock) {
    bool child_ended = false;
    auto owner = Spawn([&] {
      const Timeout timeout(absl::Milliseconds(1500));
      WithScope([&](Scope& scope) {
        scope.SpawnN([&] {
          const Shield shield;
          Sleep(absl::Seconds(3));
          child_ended = true;
        });
        Sleep(absl::Seconds(1));
        throw Boom("body");
      });
    });
    EXPECT_THROW(owner.Wait(), Boom);
    EXPECT_TRUE(child_ended);
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(3));
  });
}

TEST(Scope, AThousandChildrenFailAsOne) {
  Reports reports;
  int ended = 0;
  EXPECT_THROW(WithScope([&](Scope& scope) {
                 for (int i = 0; i < 1000; ++i) {
                   scope.SpawnN([&ended, i] {
                     struct Count {
                       int& n;
                       ~Count() { ++n; }
                     } count{ended};
                     Sleep();
                     if (i == 500) throw Boom("one");
                     Sleep(absl::Hours(1));
                   });
                 }
               }),
               Boom);
  EXPECT_EQ(ended, 1000);
  EXPECT_TRUE(reports.texts.empty());
}

}  // namespace
}  // namespace verdant
