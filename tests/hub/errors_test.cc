#include "hub/errors.h"

#include <stdexcept>

#include "gtest/gtest.h"

namespace verdant {
namespace {

TEST(DescribeException, GivesTypeAndMessage) {
  EXPECT_EQ(DescribeException(std::make_exception_ptr(std::runtime_error("boom"))),
            "std::runtime_error: boom");
  EXPECT_EQ(DescribeException(std::make_exception_ptr(LoopExit("stuck"))),
            "verdant::LoopExit: stuck");
}

TEST(DescribeException, GivesTheTypeOfWhatIsNoStdException) {
  EXPECT_EQ(DescribeException(std::make_exception_ptr(GreenletExit())), "verdant::GreenletExit");
  EXPECT_EQ(DescribeException(std::make_exception_ptr(42)), "int");
}

TEST(DescribeException, SurvivesNoException) {
  EXPECT_EQ(DescribeException(nullptr), "no exception");
}

TEST(IsGreenletExit, IsTrueOfThatAndWhatDerivesFromItAlone) {
  struct Farewell : GreenletExit {};
  EXPECT_TRUE(IsGreenletExit(std::make_exception_ptr(GreenletExit())));
  EXPECT_TRUE(IsGreenletExit(std::make_exception_ptr(Farewell())));
  EXPECT_FALSE(IsGreenletExit(std::make_exception_ptr(LoopExit("stuck"))));
  EXPECT_FALSE(IsGreenletExit(std::make_exception_ptr(42)));
  EXPECT_FALSE(IsGreenletExit(nullptr));
}

TEST(GreenletExit, IsNotCaughtByHandlersOfStdException) {
  bool caught_as_std = false;
  bool caught = false;
  try {
    try {
      throw GreenletExit();
    } catch (const std::exception&) {
      caught_as_std = true;
    }
  } catch (const GreenletExit&) {
    caught = true;
  }
  EXPECT_FALSE(caught_as_std);
  EXPECT_TRUE(caught);
}

}  // namespace
}  // namespace verdant
