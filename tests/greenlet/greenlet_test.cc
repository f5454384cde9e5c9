#include "greenlet/greenlet.h"

#include <fenv.h>

#include <any>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "greenlet/internal/sanitizer.h"
#include "gtest/gtest.h"

namespace verdant {
namespace {

using Value = Greenlet::Value;

TEST(Greenlet, TwoGreenletsSwitchBackAndForth) {
  std::vector<int> order;
  Greenlet second;
  Greenlet first([&] {
    order.push_back(12);
    second.Switch();
    order.push_back(34);
  });
  second = Greenlet([&] {
    order.push_back(56);
    first.Switch();
    order.push_back(78);
  });
  first.Switch();
  EXPECT_EQ(order, (std::vector<int>{12, 56, 34}));
  EXPECT_TRUE(first.dead());
  EXPECT_TRUE(second.active());
}

TEST(Greenlet, C3_FirstSwitchPassesTheArgumentAndLaterOnesTheResultOfSwitch) {
  Greenlet adder([](Value first) {
    int sum = std::any_cast<int>(first);
    for (;;) sum += std::any_cast<int>(Greenlet::Current().parent().Switch(sum));
  });
  EXPECT_EQ(std::any_cast<int>(adder.Switch(1)), 1);
  EXPECT_EQ(std::any_cast<int>(adder.Switch(10)), 11);
  EXPECT_EQ(std::any_cast<int>(adder.Switch(100)), 111);
}

TEST(Greenlet, C4_TheReturnValueGoesToTheParent) {
  Greenlet child([] { return std::string("done"); });
  EXPECT_EQ(std::any_cast<std::string>(child.Switch()), "done");
  EXPECT_TRUE(child.dead());
}

TEST(Greenlet, C4_AnUnstartedParentIsStartedWithTheResult) {
  std::string got;
  Greenlet parent([&](Value value) { got = std::any_cast<std::string>(value); });
  Greenlet child([] { return std::string("from child"); });
  child.set_parent(parent);
  child.Switch();
  EXPECT_EQ(got, "from child");
  EXPECT_TRUE(parent.dead());
}

TEST(Greenlet, C5_SwitchingToADeadOneFallsThroughToTheNearestLiveAncestor) {
  Greenlet child([] {});
  child.Switch();
  EXPECT_EQ(std::any_cast<int>(child.Switch(7)), 7);
}

TEST(Greenlet, C6_AnExceptionThatLeavesTheBodyIsThrownInTheParent) {
  Greenlet child([] { throw std::runtime_error("boom"); });
  try {
    child.Switch();
    FAIL();
  } catch (const std::runtime_error& e) {
    EXPECT_STREQ(e.what(), "boom");
  }
  EXPECT_TRUE(child.dead());
}

TEST(Greenlet, C6_GreenletExitIsANormalEnd) {
  Greenlet child([] { throw GreenletExit(); });
  EXPECT_FALSE(child.Switch().has_value());
  EXPECT_TRUE(child.dead());
}

TEST(Greenlet, C7_ThrowRaisesAtThePendingSwitchAndMayBeSurvived) {
  Greenlet child([] {
    try {
      Greenlet::Current().parent().Switch();
    } catch (const std::runtime_error& e) {
      Greenlet::Current().parent().Switch(std::string(e.what()));
    }
    return 3;
  });
  child.Switch();
  Value answer = child.Throw(std::make_exception_ptr(std::runtime_error("inside")));
  EXPECT_EQ(std::any_cast<std::string>(answer), "inside");
  EXPECT_EQ(std::any_cast<int>(child.Switch()), 3);
}

TEST(Greenlet, C7_ThrowIntoAnUnstartedOneKillsItWithoutRunningIt) {
  bool ran = false;
  Greenlet child([&] { ran = true; });
  EXPECT_THROW(child.Throw(std::make_exception_ptr(std::runtime_error("never"))),
               std::runtime_error);
  EXPECT_FALSE(ran);
  EXPECT_TRUE(child.dead());
  Greenlet other([&] { ran = true; });
  EXPECT_FALSE(other.Throw().has_value());
  EXPECT_FALSE(ran);
}

TEST(Greenlet, C7_ThrowIntoADeadOneReturnsGreenletExitAndRaisesTheRestInTheCaller) {
  Greenlet child([] {});
  child.Switch();
  EXPECT_FALSE(child.Throw().has_value());
  EXPECT_THROW(child.Throw(std::make_exception_ptr(std::runtime_error("late"))),
               std::runtime_error);
}

TEST(Greenlet, C1_ParentCyclesAndMainsParentAreRefused) {
  Greenlet a([] {});
  Greenlet b([] {});
  b.set_parent(a);
  EXPECT_THROW(a.set_parent(b), std::logic_error);
  EXPECT_THROW(Greenlet::Current().set_parent(a), std::logic_error);
  EXPECT_FALSE(Greenlet::Current().parent());
}

TEST(Greenlet, C8_StatesAreVisible) {
  Greenlet child([] { Greenlet::Current().parent().Switch(); });
  EXPECT_FALSE(child.started());
  EXPECT_FALSE(child.active());
  child.Switch();
  EXPECT_TRUE(child.started());
  EXPECT_TRUE(child.active());
  EXPECT_FALSE(child.dead());
  child.Switch();
  EXPECT_TRUE(child.dead());
  EXPECT_TRUE(Greenlet::Current().active());
}

TEST(Greenlet, C9_SwitchingAcrossThreadsIsALogicError) {
  Greenlet child([] {});
  std::string what;
  std::thread other([&] {
    try {
      child.Switch();
    } catch (const std::logic_error& e) {
      what = e.what();
    }
  });
  other.join();
  EXPECT_NE(what.find("cannot switch to a different thread"), std::string::npos) << what;
}

TEST(Greenlet, C10_DroppingTheLastHandleUnwindsASuspendedGreenlet) {
  bool destroyed = false;
  struct Flag {
    bool* flag;
    ~Flag() { *flag = true; }
  };
  {
    Greenlet child([&] {
      Flag flag{&destroyed};
      Greenlet::Current().parent().Switch();
    });
    child.Switch();
    EXPECT_FALSE(destroyed);
  }
  EXPECT_TRUE(destroyed);
}

TEST(Greenlet, C10_OneThatDropsItsOwnLastHandleIsUnwoundWhenItSuspends) {
  bool destroyed = false;
  struct Flag {
    bool* flag;
    ~Flag() { *flag = true; }
  };
  Greenlet child;
  child = Greenlet([&] {
    Flag flag{&destroyed};
    child = Greenlet();
    Greenlet::Current().parent().Switch();
  });
  Greenlet(child).Switch();
  EXPECT_TRUE(destroyed);
}

TEST(Greenlet, C12_ExceptionsBeingHandledNeverMixBetweenGreenlets) {
  std::vector<Greenlet> all;
  std::string seen;
  for (int i = 0; i < 8; ++i) {
    all.emplace_back([i, &seen] {
      for (int round = 0; round < 5; ++round) {
        const std::string mine = std::to_string(i) + "." + std::to_string(round);
        try {
          throw std::runtime_error(mine);
        } catch (const std::runtime_error&) {
          Greenlet::Current().parent().Switch();
          try {
            throw;
          } catch (const std::runtime_error& again) {
            if (mine != again.what()) seen += mine + " became " + again.what() + "; ";
          }
        }
      }
    });
  }
  for (int round = 0; round < 6; ++round) {
    for (Greenlet& g : all) {
      try {
        throw std::logic_error("main's");
      } catch (const std::logic_error&) {
        g.Switch();
        EXPECT_STREQ(
            [] {
              try {
                throw;
              } catch (const std::logic_error& e) {
                return e.what();
              }
            }(),
            "main's");
      }
    }
  }
  EXPECT_EQ(seen, "");
  for (Greenlet& g : all) EXPECT_TRUE(g.dead());
  EXPECT_EQ(std::uncaught_exceptions(), 0);
}

TEST(Greenlet, SwitchingWhileAnExceptionUnwindsKeepsTheCountOfUncaughtOnesApart) {
  Greenlet partner([] {
    for (;;) Greenlet::Current().parent().Switch(std::uncaught_exceptions());
  });
  struct SwitchInDestructor {
    Greenlet& partner;
    int& seen;
    ~SwitchInDestructor() { seen = std::any_cast<int>(partner.Switch()); }
  };
  int seen = -1;
  try {
    SwitchInDestructor guard{partner, seen};
    throw std::runtime_error("unwinding");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(seen, 0);
}

TEST(Greenlet, FloatingPointRoundingIsPrivateToAGreenletThatKeepsIt) {
  Greenlet child([] {
    KeepFloatingPointControl();
    fesetround(FE_UPWARD);
    Greenlet::Current().parent().Switch();
    return fegetround();
  });
  child.Switch();
  EXPECT_EQ(fegetround(), FE_TONEAREST);
  EXPECT_EQ(std::any_cast<int>(child.Switch()), FE_UPWARD);
  EXPECT_EQ(fegetround(), FE_TONEAREST);
}

TEST(Greenlet, ALongChainUnwindsFromTheInnermostOut) {
#if defined(VERDANT_TSAN)
  constexpr int kLength = 1000;  // TSan counts each as a thread and has room for 8128
#else
  constexpr int kLength = 10000;
#endif
  int depth = 0;
  std::function<void()> nest = [&] {
    if (++depth < kLength) Greenlet([&] { nest(); }).Switch();
  };
  Greenlet([&] { nest(); }).Switch();
  EXPECT_EQ(depth, kLength);
}

TEST(Greenlet, C10_AGreenletUnwoundOnArrivalDoesNotEatWhatArrived) {
  Greenlet child;
  child = Greenlet([&](Value) {
    child = Greenlet();
    Greenlet::Current().parent().Switch(std::string("parting word"));
  });
  EXPECT_EQ(std::any_cast<std::string>(Greenlet(child).Switch(1)), "parting word");
}

TEST(Greenlet, OneWithoutAStackStaysUnstartedAndKeepsNothingOfTheAttempt) {
#if defined(VERDANT_ASAN) || defined(VERDANT_TSAN)
  GTEST_SKIP() << "the sanitizer does not let mappings fail";
#endif
  Greenlet huge([](Value value) { return value; }, {.stack_size = std::size_t{1} << 50});
  EXPECT_THROW(huge.Switch(1), StackExhausted);
  EXPECT_THROW(huge.Throw(), StackExhausted);
  EXPECT_FALSE(huge.started());
  // As the heir of another it dies of that, and the next ancestor hears of it.
  Greenlet child([] { return 5; });
  child.set_parent(huge);
  EXPECT_THROW(child.Switch(), StackExhausted);
  EXPECT_TRUE(child.dead());
  EXPECT_TRUE(huge.dead());
}

TEST(Greenlet, OthersKeepTheRoundingTheySetWhileOneKeepsItsOwn) {
  Greenlet keeper([] {
    KeepFloatingPointControl();
    fesetround(FE_UPWARD);
    for (;;) Greenlet::Current().parent().Switch(fegetround());
  });
  keeper.Switch();
  fesetround(FE_DOWNWARD);
  EXPECT_EQ(std::any_cast<int>(keeper.Switch()), FE_UPWARD);
  EXPECT_EQ(fegetround(), FE_DOWNWARD);
  Greenlet other([] { return fegetround(); });
  EXPECT_EQ(std::any_cast<int>(other.Switch()), FE_DOWNWARD);
  fesetround(FE_TONEAREST);
}

TEST(Greenlet, AnotherThreadsHandleIsNotRunByItsDestructionThere) {
  bool destroyed = false;
  struct Flag {
    bool* flag;
    ~Flag() { *flag = true; }
  };
  auto child = std::make_unique<Greenlet>([&] {
    Flag flag{&destroyed};
    Greenlet::Current().parent().Switch();
  });
  child->Switch();
  // Not allowed, but no stack of this thread may run over there.
  std::thread([&] { child = nullptr; }).join();
  EXPECT_FALSE(destroyed);
}

TEST(Greenlet, AStaticHandleMayOutliveTheThreadsOwnObjects) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(
      {
        static Greenlet late([] {
          struct Say {
            ~Say() { std::fputs("unwound\n", stderr); }
          } say;
          Greenlet::Current().parent().Switch();
        });
        late.Switch();
        std::exit(0);
      },
      testing::ExitedWithCode(0), "unwound");
}

TEST(Greenlet, AnEmptyHandleIsRefused) {
  Greenlet none;
  EXPECT_FALSE(none);
  EXPECT_THROW(none.Switch(), std::logic_error);
}

}  // namespace
}  // namespace verdant
