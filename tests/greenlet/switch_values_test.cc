#include <any>
#include <string>
#include <tuple>
#include <vector>

#include "greenlet/greenlet.h"
#include "greenlet/internal/sanitizer.h"
#include "gtest/gtest.h"
#include "tests/greenlet/greenlet_testing.h"

namespace verdant {
namespace {

using Value = Greenlet::Value;

TEST(Switch, TwoGreenletsSwitchBackAndForth) {
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

TEST(Switch, C3_FirstSwitchPassesTheArgumentAndLaterOnesTheResultOfSwitch) {
  Greenlet adder([](Value first) {
    int sum = std::any_cast<int>(first);
    for (;;) sum += std::any_cast<int>(Greenlet::Current().parent().Switch(sum));
  });
  EXPECT_EQ(std::any_cast<int>(adder.Switch(1)), 1);
  EXPECT_EQ(std::any_cast<int>(adder.Switch(10)), 11);
  EXPECT_EQ(std::any_cast<int>(adder.Switch(100)), 111);
}

TEST(Switch, C3_NoneIsEmptyOneIsBareAndSeveralAreATuple) {
  std::vector<std::string> types;
  Greenlet child([&](Value value) {
    for (;;) {
      types.push_back(!value.has_value()                                      ? "none"
                      : value.type() == typeid(int)                           ? "int"
                      : value.type() == typeid(std::tuple<int, std::string>)  ? "tuple"
                      : value.type() == typeid(std::tuple<int, double, char>) ? "three"
                                                                              : "other");
      value = ToParent();
    }
  });
  child.Switch();
  child.Switch(1);
  child.Switch(1, std::string("two"));
  child.Switch(1, 2.0, 'c');
  const int lvalue = 1;
  child.Switch(lvalue, std::string("two"));
  EXPECT_EQ(types, (std::vector<std::string>{"none", "int", "tuple", "three", "tuple"}));
}

TEST(Switch, C3_TheFirstValuesAreTheParametersOfTheBody) {
  std::string got;
  Greenlet two([&](int number, const std::string& text) {
    got = text + std::to_string(number);
    const auto [a, b, c] = std::any_cast<std::tuple<int, int, int>>(ToParent(number, text));
    return a + b + c;
  });
  const auto [number, text] =
      std::any_cast<std::tuple<int, std::string>>(two.Switch(4, std::string("x")));
  EXPECT_EQ(got, "x4");
  EXPECT_EQ(number, 4);
  EXPECT_EQ(text, "x");
  EXPECT_EQ(std::any_cast<int>(two.Switch(1, 2, 3)), 6);

  Greenlet one(+[](int number) { return number + 1; });
  EXPECT_EQ(std::any_cast<int>(one.Switch(1)), 2);
}

TEST(Switch, C3_AnotherTypeIsABadAnyCastOnTheSideThatAsks) {
  Greenlet child([](int) { return 1; });
  EXPECT_THROW(child.Switch(1.5), std::bad_any_cast);
  EXPECT_TRUE(child.dead());

  Greenlet none([](int) { return 1; });
  EXPECT_THROW(none.Switch(), std::bad_any_cast);
  Greenlet many([](int, int) { return 1; });
  EXPECT_THROW(many.Switch(1), std::bad_any_cast);

  Greenlet survivor([](Value) {
    for (;;) {
      try {
        const int number = std::any_cast<int>(ToParent(std::string("a string")));
        ToParent(number);
      } catch (const std::bad_any_cast&) {
        ToParent(std::string("refused"));
      }
    }
  });
  Value value = survivor.Switch();
  EXPECT_THROW(static_cast<void>(std::any_cast<int>(value)), std::bad_any_cast);
  EXPECT_EQ(std::any_cast<std::string>(value), "a string");
  EXPECT_EQ(std::any_cast<std::string>(survivor.Switch(2.5)), "refused");
  survivor.Switch();
  EXPECT_EQ(std::any_cast<int>(survivor.Switch(5)), 5);
}

TEST(Switch, C4_TheReturnValueGoesToTheParent) {
  Greenlet child([] { return std::string("done"); });
  EXPECT_EQ(std::any_cast<std::string>(child.Switch()), "done");
  EXPECT_TRUE(child.dead());
}

TEST(Switch, C4_AnUnstartedParentIsStartedWithTheResult) {
  std::string got;
  Greenlet parent([&](Value value) { got = std::any_cast<std::string>(value); });
  Greenlet child([] { return std::string("from child"); });
  child.set_parent(parent);
  child.Switch();
  EXPECT_EQ(got, "from child");
  EXPECT_TRUE(parent.dead());
}

TEST(Switch, C4_AParentThatCannotTakeTheResultDiesAndItsOwnHearsOfIt) {
  Greenlet parent([](int) { return 1; });
  Greenlet child([] { return std::string("not a number"); }, {.parent = &parent});
  EXPECT_THROW(child.Switch(), std::bad_any_cast);
  EXPECT_TRUE(child.dead());
  EXPECT_TRUE(parent.dead());
}

TEST(Switch, C4_AReturnedTupleArrivesAsOne) {
  Greenlet child([] { return std::tuple(1, 2); });
  EXPECT_EQ((std::any_cast<std::tuple<int, int>>(child.Switch())), std::tuple(1, 2));
  Greenlet nothing([] {});
  EXPECT_FALSE(nothing.Switch().has_value());
}

TEST(Switch, C5_SwitchingToADeadOneFromItsParentComesStraightBack) {
  Greenlet child([] {});
  child.Switch();
  EXPECT_EQ(std::any_cast<int>(child.Switch(7)), 7);
  EXPECT_FALSE(child.Switch().has_value());
  EXPECT_EQ((std::any_cast<std::tuple<int, int>>(child.Switch(1, 2))), std::tuple(1, 2));
}

TEST(Switch, C5_ADeadOneStandsForItsNearestLiveAncestor) {
  Greenlet live([] {
    Value value = ToParent();
    for (;;) value = ToParent(value.has_value() ? std::any_cast<int>(value) * 10 : 0);
  });
  live.Switch();
  Greenlet middle([] {}, {.parent = &live});
  Greenlet leaf([] {}, {.parent = &middle});
  middle.Throw();
  leaf.Throw();
  ASSERT_TRUE(leaf.dead() && middle.dead());
  EXPECT_EQ(std::any_cast<int>(leaf.Switch(4)), 40);
}

TEST(Switch, C5_AnUnstartedAncestorIsStartedWithTheValue) {
  Greenlet ancestor([](int number) { return number + 1; });
  Greenlet leaf([] {});
  leaf.Switch();
  leaf.set_parent(ancestor);
  EXPECT_EQ(std::any_cast<int>(leaf.Switch(4)), 5);
  EXPECT_TRUE(ancestor.dead());
}

TEST(Switch, AnEmptyHandleIsRefused) {
  Greenlet none;
  EXPECT_FALSE(none);
  EXPECT_THROW(none.Switch(), std::logic_error);
}

TEST(Switch, ALongChainUnwindsFromTheInnermostOut) {
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

}  // namespace
}  // namespace verdant
