#include <any>
#include <stdexcept>
#include <string>

#include "greenlet/greenlet.h"
#include "gtest/gtest.h"
#include "tests/greenlet/greenlet_testing.h"

namespace verdant {
namespace {

TEST(Throw, C6_AnExceptionThatLeavesTheBodyIsThrownInTheParent) {
  Greenlet child([] { throw std::runtime_error("boom"); });
  try {
    child.Switch();
    FAIL();
  } catch (const std::runtime_error& e) {
    EXPECT_STREQ(e.what(), "boom");
  }
  EXPECT_TRUE(child.dead());
}

TEST(Throw, C6_GreenletExitIsANormalEndWithoutAValue) {
  Greenlet child([]() -> int { throw GreenletExit(); });
  EXPECT_FALSE(child.Switch().has_value());
  EXPECT_TRUE(child.dead());
}

TEST(Throw, C6_ClimbsThroughParentsThatDoNotCatchIt) {
  bool caught = false;
  Greenlet outer([&] {
    Greenlet middle([&] {
      Greenlet inner([] { throw std::runtime_error("deep"); });
      inner.Switch();
    });
    try {
      middle.Switch();
    } catch (const std::runtime_error&) {
      caught = middle.dead();
    }
  });
  outer.Switch();
  EXPECT_TRUE(caught);
}

TEST(Throw, C7_ThrowRaisesAtThePendingSwitchAndMayBeSurvived) {
  Greenlet child([] {
    try {
      Greenlet::Current().parent().Switch();
    } catch (const std::runtime_error& e) {
      Greenlet::Current().parent().Switch(std::string(e.what()));
    }
    return 3;
  });
  child.Switch();
  Greenlet::Value answer = child.Throw(std::make_exception_ptr(std::runtime_error("inside")));
  EXPECT_EQ(std::any_cast<std::string>(answer), "inside");
  EXPECT_EQ(std::any_cast<int>(child.Switch()), 3);
}

TEST(Throw, C7_ThrowIntoAnUnstartedOneKillsItWithoutRunningIt) {
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

TEST(Throw, C7_AnUnstartedOnesGoesToItsParentWhoeverThrows) {
  std::string heard;
  Greenlet parent([&] {
    try {
      ToParent();
    } catch (const std::runtime_error& e) {
      heard = e.what();
    }
    return std::string("from the parent");
  });
  parent.Switch();
  int ends = 0;
  Greenlet child([guard = CountsEnd(ends)] {}, {.parent = &parent});
  EXPECT_EQ(std::any_cast<std::string>(child.Throw(Thrown(std::runtime_error("no")))),
            "from the parent");
  EXPECT_EQ(heard, "no");
  EXPECT_TRUE(child.dead());
  EXPECT_EQ(ends, 1);
}

TEST(Throw, C7_AnUnstartedParentOfAnUnstartedOneDiesTooAndGreenletExitStartsIt) {
  bool ran = false;
  Greenlet parent([&] { ran = true; });
  Greenlet child([] {}, {.parent = &parent});
  EXPECT_THROW(child.Throw(Thrown(std::runtime_error("no"))), std::runtime_error);
  EXPECT_TRUE(parent.dead());
  EXPECT_FALSE(ran);

  Greenlet heir([](Greenlet::Value value) { return !value.has_value(); });
  Greenlet quiet([] {}, {.parent = &heir});
  EXPECT_TRUE(std::any_cast<bool>(quiet.Throw()));
}

TEST(Throw, C7_NeedsNoStackToEndAnUnstartedOne) {
  Greenlet huge([] {}, {.stack_size = std::size_t{1} << 50});
  EXPECT_FALSE(huge.Throw().has_value());
  EXPECT_TRUE(huge.dead());
}

TEST(Throw, C7_ThrowIntoADeadOneReturnsGreenletExitAndRaisesTheRestInTheCaller) {
  Greenlet child([] {});
  child.Switch();
  EXPECT_FALSE(child.Throw().has_value());
  EXPECT_THROW(child.Throw(std::make_exception_ptr(std::runtime_error("late"))),
               std::runtime_error);
}

TEST(Throw, C7_OfNoExceptionOrOfAnEmptyHandleIsRefused) {
  Greenlet child([] { ToParent(); });
  EXPECT_THROW(child.Throw(nullptr), std::logic_error);
  EXPECT_FALSE(child.started());
  EXPECT_FALSE(child.dead());
  EXPECT_THROW(Greenlet().Throw(), std::logic_error);
}

TEST(Throw, C7_IntoOneselfThrowsHere) {
  Greenlet child([] {
    EXPECT_THROW(Greenlet::Current().Throw(Thrown(5)), int);
    Greenlet::Current().Throw();
  });
  EXPECT_FALSE(child.Switch().has_value());
  EXPECT_TRUE(child.dead());
}

TEST(Throw, C14_ExceptionsOfAnyTypeLeaveForTheParentAndNeverFurther) {
  EXPECT_THROW(Greenlet([] { throw 5; }).Switch(), int);
  EXPECT_THROW(Greenlet([] { throw "text"; }).Switch(), const char*);
  struct Own {};
  EXPECT_THROW(Greenlet([] { throw Own(); }).Switch(), Own);
  EXPECT_EQ(std::uncaught_exceptions(), 0);
}

TEST(Throw, C14_NestedExceptionsArriveWhole) {
  Greenlet child([] {
    try {
      throw std::runtime_error("cause");
    } catch (...) {
      std::throw_with_nested(std::logic_error("effect"));
    }
  });
  try {
    child.Switch();
    FAIL();
  } catch (const std::logic_error& e) {
    EXPECT_STREQ(e.what(), "effect");
    EXPECT_THROW(std::rethrow_if_nested(e), std::runtime_error);
  }
}

}  // namespace
}  // namespace verdant
