// What is aimed at somebody who stands in Greenlet::Switch(), as timeout.h and handle.h promise it.

#include <any>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "greenlet/greenlet.h"
#include "greenlet/typed_greenlet.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/handle.h"
#include "hub/scope.h"
#include "hub/shield.h"
#include "hub/timeout.h"
#include "tests/hub/green_thread_testing.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

// What a generator that sleeps an hour at each step yields, and the sleeper's end.
struct Sleeper {
  bool ended = false;
  std::string error;
  Greenlet greenlet{[this] {
    const OnExit on_exit{ended};
    try {
      Sleep(absl::Hours(1));
      Greenlet::Current().parent().Switch(1);
    } catch (const std::logic_error& e) {
      error = e.what();
    }
  }};
};

TEST(InterruptInSwitch, A7_1_ATimeoutReachesAGreenThread) {
  WithManualClock([](ManualClock& clock) {
    Sleeper sleeper;
    bool in_time = true;
    auto green = Spawn([&] {
      in_time = WithTimeout(absl::Seconds(1), [&] { sleeper.greenlet.Switch(); });
      EXPECT_EQ(clock.SinceStart(), absl::Seconds(1));
      EXPECT_FALSE(sleeper.ended);
      // It goes on by itself, and nobody stands in Switch() to take what it brings.
      EXPECT_NE(sleeper.greenlet.Description().find("active"), std::string::npos);
      EXPECT_THROW(sleeper.greenlet.Switch(), std::logic_error);
      Sleep(absl::Hours(2));
    });
    green.Wait();
    EXPECT_FALSE(in_time);
    EXPECT_TRUE(sleeper.ended);
    EXPECT_TRUE(sleeper.greenlet.dead());
    EXPECT_NE(sleeper.error.find("is parked in the hub"), std::string::npos) << sleeper.error;
  });
}

TEST(InterruptInSwitch, A7_1_ATimeoutReachesMain) {
  WithManualClock([](ManualClock& clock) {
    Sleeper sleeper;
    EXPECT_FALSE(WithTimeout(absl::Seconds(1), [&] { sleeper.greenlet.Switch(); }));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(1));
    Sleep(absl::Hours(2));
    EXPECT_TRUE(sleeper.greenlet.dead());
  });
}

TEST(InterruptInSwitch, A7_1_ATimeoutReachesWhoeverCallsATypedGenerator) {
  WithManualClock([](ManualClock&) {
    TypedGreenlet<int()> slow([](auto& caller) {
      for (int i = 0;; ++i) {
        Sleep(absl::Seconds(10));
        caller.Switch(i);
      }
    });
    const auto take = [&] {
      EXPECT_EQ(slow.Switch(), 0);
      EXPECT_FALSE(WithTimeout(absl::Seconds(1), [&] { slow.Switch(); }));
      EXPECT_THROW(slow.Switch(), std::logic_error);  // it sleeps
    };
    take();
    Sleep(absl::Seconds(20));
    EXPECT_TRUE(slow.dead());  // its answer found nobody
    EXPECT_EQ(slow.Switch(), std::nullopt);
    slow = TypedGreenlet<int()>([](auto& caller) {
      caller.Switch(0);
      Sleep(absl::Seconds(10));
    });
    Spawn(take).Wait();
    Sleep(absl::Seconds(20));
    EXPECT_TRUE(slow.dead());
  });
}

TEST(InterruptInSwitch, AGeneratorThatItselfStandsInSwitchCanBeGoneOnWith) {
  WithManualClock([](ManualClock&) {
    Greenlet inner([] { Sleep(absl::Hours(1)); });
    Greenlet generator([&] {
      bool interrupted = false;
      try {
        inner.Switch();
      } catch (const std::runtime_error&) {
        interrupted = true;
      }
      Greenlet::Current().parent().Switch(interrupted);
      return 7;
    });
    EXPECT_FALSE(WithTimeout(absl::Seconds(1), [&] { generator.Switch(); }));
    EXPECT_EQ(std::any_cast<bool>(generator.Throw(Boom())), true);
    EXPECT_EQ(std::any_cast<int>(generator.Switch()), 7);
    EXPECT_TRUE(generator.dead());
    // What ends now has no parent in Switch(), so nobody hears of it.
    Sleep(absl::Hours(2));
    EXPECT_TRUE(inner.dead());
  });
}

TEST(InterruptInSwitch, WhatItReturnsLaterGoesToItsParentIfThatStandsInASwitchAgain) {
  WithManualClock([](ManualClock&) {
    Greenlet slow([] {
      Sleep(absl::Seconds(10));
      return 5;
    });
    Greenlet slower([] {
      Sleep(absl::Seconds(20));
      return 6;
    });
    EXPECT_FALSE(WithTimeout(absl::Seconds(1), [&] { slow.Switch(); }));
    EXPECT_EQ(std::any_cast<int>(slower.Switch()), 5);
    Sleep(absl::Seconds(20));
    EXPECT_TRUE(slow.dead());
    EXPECT_TRUE(slower.dead());
  });
}

TEST(InterruptInSwitch, A1_10_AKillReachesAGreenThreadBeforeAnythingElseRuns) {
  WithManualClock([](ManualClock&) {
    std::vector<std::string> order;
    Sleeper sleeper;
    auto victim = Spawn([&] {
      try {
        sleeper.greenlet.Switch();
      } catch (const GreenletExit&) {
        order.emplace_back("killed");
        throw;
      }
    });
    Sleep();
    auto other = Spawn([&] { order.emplace_back("other"); });
    victim.Kill();
    EXPECT_EQ(order, (std::vector<std::string>{"killed", "other"}));
    EXPECT_TRUE(victim.Killed());
    EXPECT_TRUE(victim.Dead());
    Sleep(absl::Hours(2));
    EXPECT_TRUE(sleeper.greenlet.dead());
  });
}

TEST(InterruptInSwitch, A1_10_B1_5_OneThatStandsAsideForGoodCanBeKilledAndJoined) {
  WithManualClock([](ManualClock&) {
    bool cleaned = false;
    Greenlet orphan;
    Spawn([&] {
      orphan = Greenlet([] { Greenlet::Current().parent().Switch(); });
      orphan.Switch();
    }).Wait();
    auto green = Spawn([&] {
      const OnExit on_exit{cleaned};
      orphan.Switch();
    });
    auto soon = Spawn([&] { TypedGreenlet<int()>([](auto&) { Event<>().Wait(); }).Switch(); });
    Sleep();
    Sleep();
    EXPECT_TRUE(orphan.dead());
    EXPECT_FALSE(green.Ready());
    EXPECT_TRUE(green.KillAndJoin(Deadline(absl::Seconds(30))));
    EXPECT_TRUE(cleaned);
    soon.KillSoon(Boom());
    EXPECT_THROW(soon.Wait(Deadline(absl::Seconds(30))), std::runtime_error);
  });
}

TEST(InterruptInSwitch, ThoseThatComeTogetherAreThrownOneByOne) {
  WithManualClock([](ManualClock&) {
    Sleeper one;
    Sleeper two;
    std::vector<std::string> caught;
    auto green = Spawn([&] {
      for (Sleeper* sleeper : {&one, &two}) {
        try {
          sleeper->greenlet.Switch();
        } catch (...) {
          caught.push_back(DescribeException(std::current_exception()));
        }
      }
    });
    Sleep();
    green.KillSoon(Boom());
    green.KillSoon();
    green.Wait();
    // The second is thrown where it would next have waited, so that `two` never began.
    EXPECT_EQ(caught,
              (std::vector<std::string>{"std::runtime_error: boom", "verdant::GreenletExit"}));
    EXPECT_FALSE(two.greenlet.started());
    Sleep(absl::Hours(2));
  });
}

TEST(InterruptInSwitch, OneThatIsTakenBackInTimeLeavesNoTrace) {
  WithManualClock([](ManualClock&) {
    std::unique_ptr<Timeout> timeout;
    int result = 0;
    // Runs when the timeout has fired and before the other is back.
    auto canceller = Spawn([&] {
      Sleep(absl::Seconds(1));
      timeout->Cancel();
    });
    auto green = Spawn([&] {
      const Greenlet slow([] {
        Sleep(absl::Seconds(10));
        return 5;
      });
      timeout = std::make_unique<Timeout>(absl::Seconds(1));
      result = std::any_cast<int>(slow.Switch());
      EXPECT_TRUE(timeout->Fired());
      timeout = nullptr;
    });
    green.Wait();
    EXPECT_EQ(result, 5);
    canceller.Wait();
  });
}

TEST(InterruptInSwitch, WhoeverIsSwitchedToBeforeItsInterruptComesGetsTheValueFirst) {
  WithManualClock([](ManualClock&) {
    Event<> go;
    Greenlet quick([&] {
      go.Wait();
      Greenlet::Current().parent().Switch(5);
      return 6;
    });
    std::vector<int> got;
    auto green = Spawn([&] {
      quick.set_parent(Greenlet::Current());
      got.push_back(std::any_cast<int>(quick.Switch()));
      // Now what is aimed at it is due, wherever it might have to wait.
      try {
        quick.Switch();
      } catch (const GreenletExit&) {
        got.push_back(-1);
      }
      got.push_back(std::any_cast<int>(quick.Switch()));
    });
    Sleep();
    go.Send();
    green.KillSoon();  // queued behind `quick`
    green.Wait();
    EXPECT_EQ(got, (std::vector<int>{5, -1, 6}));
  });
}

TEST(InterruptInSwitch, AShieldKeepsItAway) {
  WithManualClock([](ManualClock&) {
    std::string caught;
    auto green = Spawn([&] {
      const Greenlet slow([] {
        Sleep(absl::Seconds(10));
        return 5;
      });
      try {
        {
          const Shield shield;
          EXPECT_EQ(std::any_cast<int>(slow.Switch()), 5);
          EXPECT_TRUE(shield.Hit());
        }
        Sleeper().greenlet.Switch();
      } catch (const GreenletExit&) {
        caught = "killed";
      }
    });
    Sleep();
    green.Kill();
    EXPECT_EQ(caught, "");
    green.Wait();
    EXPECT_EQ(caught, "killed");
  });
}

TEST(InterruptInSwitch, AScopeCancelsAChildThere) {
  WithManualClock([](ManualClock& clock) {
    Sleeper sleeper;
    EXPECT_THROW(WithScope([&](Scope& scope) {
                   scope.SpawnN([&] { sleeper.greenlet.Switch(); });
                   scope.SpawnN([] {
                     Sleep(absl::Seconds(1));
                     throw std::runtime_error("boom");
                   });
                 }),
                 std::runtime_error);
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(1));
    Sleep(absl::Hours(2));
    EXPECT_TRUE(sleeper.greenlet.dead());
  });
}

TEST(InterruptInSwitch, WhoUnwindsADroppedGreenletSeesItThroughAndIsInterruptedAfterwards) {
  WithManualClock([](ManualClock&) {
    Reports reports;
    struct SlowToGo {
      ~SlowToGo() { Sleep(absl::Seconds(10)); }
    };
    bool unwound = false;
    auto green = Spawn([&] {
      Greenlet greenlet([&] {
        const OnExit on_exit{unwound};
        const SlowToGo slow;
        Greenlet::Current().parent().Switch();
      });
      greenlet.Switch();
      greenlet = Greenlet();
      EXPECT_TRUE(unwound);
      Sleep();
      ADD_FAILURE() << "was to be killed";
    });
    Sleep();
    green.Kill();
    EXPECT_FALSE(green.Ready());
    EXPECT_THROW(green.Wait(), GreenletExit);
    EXPECT_EQ(reports.errors, std::vector<std::string>());
  });
}

TEST(InterruptInSwitch, APlainGreenletIsInterruptedThereToo) {
  WithManualClock([](ManualClock& clock) {
    Sleeper sleeper;
    Greenlet outer([&] {
      EXPECT_FALSE(WithTimeout(absl::Seconds(1), [&] { sleeper.greenlet.Switch(); }));
      return 3;
    });
    EXPECT_EQ(std::any_cast<int>(outer.Switch()), 3);
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(1));
    Sleep(absl::Hours(2));
    EXPECT_TRUE(sleeper.greenlet.dead());
  });
}

TEST(InterruptInSwitch, OneThatIsQueuedToBeInterruptedAndDroppedIsUnwoundOnce) {
  WithManualClock([](ManualClock&) {
    int exits = 0;
    AnyGreenThread handle;
    Sleeper sleeper;
    Greenlet outer([&] {
      handle = CurrentGreenThread();
      try {
        sleeper.greenlet.Switch();
      } catch (const GreenletExit&) {
        ++exits;
        throw;
      }
    });
    auto starter = Spawn([&] { outer.Switch(); });
    Sleep();
    handle.KillSoon();
    outer = Greenlet();  // unwound here and now
    EXPECT_EQ(exits, 1);
    EXPECT_TRUE(handle.Ready());
    starter.Kill();
    Sleep(absl::Hours(2));
    EXPECT_EQ(exits, 1);
  });
}

}  // namespace
}  // namespace verdant
