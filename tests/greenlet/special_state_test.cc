#include <fenv.h>

#include <any>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "greenlet/greenlet.h"
#include "gtest/gtest.h"
#include "tests/greenlet/greenlet_testing.h"

namespace verdant {
namespace {

TEST(SpecialState, C12_ExceptionsBeingHandledNeverMixBetweenGreenlets) {
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

TEST(SpecialState, C12_SwitchingWhileAnExceptionUnwindsKeepsTheCountOfUncaughtOnesApart) {
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

TEST(SpecialState, FloatingPointRoundingIsPrivateToAGreenletThatKeepsIt) {
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

TEST(SpecialState, OthersKeepTheRoundingTheySetWhileOneKeepsItsOwn) {
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

}  // namespace
}  // namespace verdant
