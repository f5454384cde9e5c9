#include "pool/result_range.h"

#include <deque>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "gtest/gtest.h"
#include "hub/timeout.h"

namespace verdant {
namespace {

// Gives what it was made with; an empty string in its place throws, "late" does once that it is
// late.
class Script : public ResultRange<Script, std::string> {
 public:
  explicit Script(std::deque<std::string> lines) : lines_(std::move(lines)) {}
  int taken() const { return taken_; }

 private:
  friend class ResultRange<Script, std::string>;
  bool Take(internal::Outcome<std::string>& outcome, Deadline deadline) {
    if (lines_.empty()) return false;
    if (lines_.front() == "late") {
      lines_.front() = "at last";
      throw TimeoutExpired(0, deadline.Remaining());
    }
    ++taken_;
    if (lines_.front().empty()) {
      outcome.error = std::make_exception_ptr(std::runtime_error("empty"));
    } else {
      outcome.value = lines_.front();
    }
    lines_.pop_front();
    return true;
  }

  std::deque<std::string> lines_;
  int taken_ = 0;
};

static_assert(std::ranges::input_range<Script>);
static_assert(std::is_same_v<ResultValue<void>, std::monostate>);
static_assert(std::is_same_v<ResultValue<const int&>, int>);

TEST(ResultRange, NextGivesValuesThrowsExceptionsInTheirPlaceAndStaysAtItsEnd) {
  Script script({"a", "", "b"});
  EXPECT_EQ(script.Next(), "a");
  EXPECT_THROW(script.Next(), std::runtime_error);
  EXPECT_EQ(script.Next(), "b");
  EXPECT_EQ(script.Next(), std::nullopt);
  EXPECT_EQ(script.Next(), std::nullopt);
}

TEST(ResultRange, AnIteratorThrowsWhereItStandsAndGoesOn) {
  Script script({"a", "", "b"});
  std::vector<std::string> log;
  for (auto it = script.begin(); it != script.end(); ++it) {
    try {
      log.push_back(*it);
      EXPECT_EQ(it->size(), 1u);
    } catch (const std::runtime_error& e) {
      log.push_back(e.what());
      EXPECT_THROW(static_cast<void>(*it), std::runtime_error);
    }
  }
  EXPECT_EQ(log, (std::vector<std::string>{"a", "empty", "b"}));
}

TEST(ResultRange, MovingOnTakesOneResultAndLookingTakesNone) {
  Script script({"a", "b", "c"});
  auto it = script.begin();
  EXPECT_EQ(script.taken(), 1);
  EXPECT_EQ(*it, *it);
  EXPECT_EQ(script.taken(), 1);
  it++;
  EXPECT_EQ(script.taken(), 2);
  EXPECT_EQ(std::move(*it), "b");
}

TEST(ResultRange, EveryBeginGoesOnToTheNextResult) {
  Script script({"a", "b", "c"});
  for (const std::string& line : script) {
    EXPECT_EQ(line, "a");
    break;
  }
  EXPECT_EQ(script.Next(), "b");
  for (const std::string& line : script) EXPECT_EQ(line, "c");
  EXPECT_EQ(script.begin(), script.end());
  EXPECT_EQ(script.taken(), 3);
}

TEST(ResultRange, A3_15_AnInterruptedStepKeepsTheIteratorAndCanBeRepeated) {
  Script script({"a", "late"});
  auto it = script.begin();
  EXPECT_THROW(++it, TimeoutExpired);
  EXPECT_EQ(*it, "a");
  EXPECT_NE(it, script.end());
  ++it;
  EXPECT_EQ(*it, "at last");
  ++it;
  EXPECT_EQ(it, script.end());
}

TEST(ResultRange, ARangeForEndsAtTheFirstExceptionAndAnotherContinues) {
  Script script({"a", "", "b", "c"});
  std::vector<std::string> log;
  EXPECT_THROW(
      {
        for (auto& line : script) log.push_back(line);
      },
      std::runtime_error);
  for (auto& line : script) log.push_back(line);
  EXPECT_EQ(log, (std::vector<std::string>{"a", "b", "c"}));
}

TEST(ResultRange, AnOutcomeHasAValueOrAnErrorOrNeither) {
  internal::Outcome<int> outcome;
  EXPECT_FALSE(outcome.has());
  outcome.value = 1;
  EXPECT_TRUE(outcome.has());
  outcome.Clear();
  outcome.error = std::make_exception_ptr(1);
  EXPECT_TRUE(outcome.has());
  outcome.Clear();
  EXPECT_FALSE(outcome.has());
}

}  // namespace
}  // namespace verdant
