#include "greenlet/typed_greenlet.h"

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "gtest/gtest.h"
#include "tests/greenlet/greenlet_testing.h"

namespace verdant {
namespace {

TEST(TypedGreenlet, C3_IsAGeneratorThatEnds) {
  TypedGreenlet<int()> squares([](auto& caller) {
    for (int i = 0; i < 3; ++i) caller.Switch(i * i);
  });
  std::vector<int> got;
  while (const std::optional<int> square = squares.Switch()) got.push_back(*square);
  EXPECT_EQ(got, (std::vector<int>{0, 1, 4}));
  EXPECT_TRUE(squares.dead());
  EXPECT_EQ(squares.Switch(), std::nullopt);
}

TEST(TypedGreenlet, C3_OneValueArrivesBareFirstAsAParameterThenAsTheResultOfSwitch) {
  TypedGreenlet<double(double)> average([](auto& caller, double first) {
    double sum = first;
    for (int n = 1;; ++n) sum += caller.Switch(sum / n);
  });
  EXPECT_EQ(average.Switch(10), 10);
  EXPECT_EQ(average.Switch(20), 15);
  EXPECT_EQ(average.Switch(60), 30);
}

TEST(TypedGreenlet, C3_SeveralArriveAsATuple) {
  using Joiner = TypedGreenlet<std::string(std::string, int)>;
  Joiner joiner([](Joiner::Caller& caller, std::string text, int number) {
    for (;;) std::tie(text, number) = caller.Switch(text + std::to_string(number));
  });
  EXPECT_EQ(joiner.Switch("a", 1), "a1");
  EXPECT_EQ(joiner.Switch("b", 2), "b2");
}

TEST(TypedGreenlet, C3_ABodyThatDoesNotWantTheFirstValuesMayLeaveThemOut) {
  TypedGreenlet<int(int)> echo([](auto& caller) {
    for (int answer = -1;;) answer = caller.Switch(answer);
  });
  EXPECT_EQ(echo.Switch(5), -1);
  EXPECT_EQ(echo.Switch(6), 6);
}

TEST(TypedGreenlet, C3_AnswersOfNoTypeSayWhetherItGoesOn) {
  int sum = 0;
  TypedGreenlet<void(int)> sink([&](auto& caller, int number) {
    while (number != 0) {
      sum += number;
      number = caller.Switch();
    }
  });
  EXPECT_TRUE(sink.Switch(2));
  EXPECT_TRUE(sink.Switch(3));
  EXPECT_FALSE(sink.Switch(0));
  EXPECT_FALSE(sink.Switch(4));
  EXPECT_EQ(sum, 5);
}

TEST(TypedGreenlet, C3_ValuesThatOnlyMovePassBothWays) {
  using Owner = TypedGreenlet<std::unique_ptr<int>(std::unique_ptr<int>)>;
  Owner owner([](auto& caller, std::unique_ptr<int> held) {
    for (;;) {
      ++*held;
      held = caller.Switch(std::move(held));
    }
  });
  EXPECT_EQ(**owner.Switch(std::make_unique<int>(1)), 2);
  EXPECT_EQ(**owner.Switch(std::make_unique<int>(5)), 6);
}

TEST(TypedGreenlet, C4_WhatTheBodyReturnsIsTheLastAnswer) {
  TypedGreenlet<int(int)> twice([](auto& caller, int number) {
    number = caller.Switch(number);
    return number * 2;
  });
  EXPECT_EQ(twice.Switch(1), 1);
  EXPECT_EQ(twice.Switch(4), 8);
  EXPECT_TRUE(twice.dead());
}

TEST(TypedGreenlet, C6_WhatLeavesTheBodyIsThrownByTheSwitchAndGreenletExitIsTheEnd) {
  TypedGreenlet<int()> fails([](auto& caller) {
    caller.Switch(1);
    throw std::runtime_error("boom");
  });
  EXPECT_EQ(fails.Switch(), 1);
  EXPECT_THROW(fails.Switch(), std::runtime_error);
  EXPECT_EQ(fails.Switch(), std::nullopt);

  TypedGreenlet<int()> exits([](auto&) { throw GreenletExit(); });
  EXPECT_EQ(exits.Switch(), std::nullopt);
}

TEST(TypedGreenlet, AnswersWhoeverSwitchedToItLast) {
  TypedGreenlet<int()> numbers([](auto& caller) {
    for (int i = 0;; ++i) caller.Switch(i);
  });
  EXPECT_EQ(numbers.Switch(), 0);
  int inner = -1;
  Greenlet other([&] {
    inner = *numbers.Switch();
    ToParent();
  });
  other.Switch();
  EXPECT_EQ(inner, 1);
  EXPECT_EQ(numbers.Switch(), 2);
}

TEST(TypedGreenlet, OneMayDrawFromAnother) {
  TypedGreenlet<int()> numbers([](auto& caller) {
    for (int i = 1;; ++i) caller.Switch(i);
  });
  TypedGreenlet<int()> doubled([&](auto& caller) {
    for (;;) caller.Switch(2 * *numbers.Switch());
  });
  EXPECT_EQ(doubled.Switch(), 2);
  EXPECT_EQ(doubled.Switch(), 4);
  EXPECT_EQ(numbers.Switch(), 3);
}

TEST(TypedGreenlet, OneThatRunsAlreadyIsRefusedAndLosesNothing) {
  TypedGreenlet<int(int)> self;
  self = TypedGreenlet<int(int)>([&](auto& caller, int number) {
    for (;;) {
      EXPECT_THROW(self.Switch(99), std::logic_error);
      Greenlet([&] { EXPECT_THROW(self.Switch(98), std::logic_error); }).Switch();
      number = caller.Switch(number + 1);
    }
  });
  EXPECT_EQ(self.Switch(1), 2);
  EXPECT_EQ(self.Switch(5), 6);
}

TEST(TypedGreenlet, AnEmptyHandleIsRefused) {
  const TypedGreenlet<int()> none;
  EXPECT_FALSE(none);
  EXPECT_THROW(none.Switch(), std::logic_error);
}

TEST(TypedGreenlet, C7_ThrowGoesThroughTheUntypedHandle) {
  TypedGreenlet<int(int)> stubborn([](auto& caller, int number) {
    for (;;) {
      try {
        number = caller.Switch(number);
      } catch (const std::runtime_error&) {
        number = -1;
      }
    }
  });
  EXPECT_EQ(stubborn.Switch(3), 3);
  stubborn.untyped().Throw(Thrown(std::runtime_error("in")));
  EXPECT_EQ(stubborn.Switch(4), 4);
}

TEST(TypedGreenlet, ResumedWithoutValuesTheBodyHearsOfIt) {
  bool heard = false;
  TypedGreenlet<int(int)> body([&](auto& caller, int number) {
    try {
      caller.Switch(number);
    } catch (const std::logic_error&) {
      heard = true;
    }
    return 9;
  });
  EXPECT_EQ(body.Switch(1), 1);
  body.untyped().Switch();
  EXPECT_TRUE(heard);
  EXPECT_TRUE(body.dead());
  TypedGreenlet<int(int)> unstarted([&](auto&, int number) { return number; });
  EXPECT_THROW(unstarted.untyped().Switch(), std::logic_error);
}

TEST(TypedGreenlet, C10_TheLastHandleUnwindsIt) {
  int ends = 0;
  {
    TypedGreenlet<int()> body([&](auto& caller) {
      const CountsEnd end(ends);
      caller.Switch(1);
    });
    body.Switch();
    const TypedGreenlet<int()> copy = body;
    EXPECT_EQ(copy, body);
    body = TypedGreenlet<int()>();
    EXPECT_EQ(ends, 0);
  }
  EXPECT_EQ(ends, 1);
}

TEST(TypedGreenlet, C9_AnotherThreadsIsRefused) {
  TypedGreenlet<int()> body([](auto& caller) {
    for (;;) caller.Switch(1);
  });
  body.Switch();
  OnFreshThread([&] { EXPECT_THROW(body.Switch(), std::logic_error); });
  EXPECT_EQ(body.Switch(), 1);
}

}  // namespace
}  // namespace verdant
