#include "greenlet/exit.h"

#include <exception>
#include <type_traits>

#include "gtest/gtest.h"

namespace verdant {
namespace {

TEST(Exit, A1_13_IsNotCaughtAsAnOrdinaryException) {
  static_assert(!std::is_base_of_v<std::exception, GreenletExit>);
  bool stopped = false;
  const auto body = [&] {
    try {
      throw GreenletExit();
    } catch (const std::exception&) {
      stopped = true;
    }
  };
  EXPECT_THROW(body(), GreenletExit);
  EXPECT_FALSE(stopped);
}

TEST(Exit, TravelsInAnExceptionPointer) {
  const std::exception_ptr exit = std::make_exception_ptr(GreenletExit());
  EXPECT_THROW(std::rethrow_exception(exit), GreenletExit);
}

TEST(Exit, RunsDestructorsOnItsWay) {
  bool cleaned = false;
  struct Cleans {
    bool& cleaned;
    ~Cleans() { cleaned = true; }
  };
  try {
    const Cleans cleans{cleaned};
    throw GreenletExit();
  } catch (const GreenletExit&) {
  }
  EXPECT_TRUE(cleaned);
}

}  // namespace
}  // namespace verdant
