// The reports of docs/health.md, of programs that deserve them.

#include <signal.h>
#include <stdlib.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "greenlet/internal/sanitizer.h"
#include "gtest/gtest.h"
#include "tests/testing/program.h"

namespace verdant::testing {
namespace {

using Environment = std::vector<std::pair<std::string, std::string>>;

std::string PathOf(const std::string& name) {
  return absl::StrCat(getenv("TEST_SRCDIR"), "/", getenv("TEST_WORKSPACE"), "/tests/e2e/health_",
                      name);
}

ProgramResult RunHealth(std::vector<std::string> argv, const Environment& environment) {
  argv[0] = PathOf(argv[0]);
  auto result = RunProgram(std::move(argv), {.environment = environment}, absl::Seconds(120));
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *std::move(result) : ProgramResult{.exit_code = -1};
}

::testing::AssertionResult Has(const std::string& text, const std::string& part) {
  if (absl::StrContains(text, part)) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "no '" << part << "' in\n" << text;
}

TEST(Health, AStallIsReportedWithTheCulpritAndItsStack) {
  const ProgramResult result = RunHealth({"stall"}, {{"VERDANT_STALL_MS", "20"}});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(Has(result.err, "'device' spawned at "));
  EXPECT_TRUE(Has(result.err, "'numbers' spawned at "));
  EXPECT_TRUE(Has(result.err, "health/stall.cc:"));
  EXPECT_TRUE(Has(result.err, "has kept its hub from turning for "));
  EXPECT_TRUE(Has(result.err, "AskSlowDevice()"));
  EXPECT_TRUE(Has(result.err, "ComputeForLong()"));
  EXPECT_TRUE(Has(result.out, "1 in "));
}

TEST(Health, NoStallIsReportedWhenThatIsOff) {
  const ProgramResult result = RunHealth({"stall"}, {{"VERDANT_STALL_MS", "off"}});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(result.out, "0 1\n");
}

TEST(Health, StackUsageIsPrintedWithARecommendationForEachPlace) {
  const ProgramResult result = RunHealth({"stacks"}, {{"VERDANT_STACK_USAGE", "1"}});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out, "done\n");
  EXPECT_TRUE(Has(result.err, "recommended  spawned at\n        10 "));
  EXPECT_TRUE(Has(result.err, "\n       100 "));
  EXPECT_TRUE(Has(result.err, "health/stacks.cc:"));
}

TEST(Health, StackUsageIsNotPrintedUnlessAskedFor) { EXPECT_EQ(RunHealth({"stacks"}, {}).err, ""); }

TEST(Health, AMutexHeldWhileItsGreenThreadWaitsIsReported) {
  const ProgramResult result = RunHealth({"mutex", "across"}, {{"VERDANT_MUTEX_CHECK", "on"}});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out, "1\n");
  EXPECT_TRUE(Has(result.err, "'first' spawned at "));
  EXPECT_TRUE(Has(result.err, "health/mutex.cc:"));
  EXPECT_TRUE(Has(result.err, " holds the mutex 0x"));
  EXPECT_TRUE(Has(result.err, " while it waits in Sleep"));
  EXPECT_TRUE(Has(result.err, "UpdateAcross()"));
}

TEST(Health, AMutexReleasedInTimeIsNot) {
  const ProgramResult result = RunHealth({"mutex", "before"}, {{"VERDANT_MUTEX_CHECK", "on"}});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
}

TEST(Health, NorIsAnyWhenThatIsOff) {
  EXPECT_EQ(RunHealth({"mutex", "across"}, {{"VERDANT_MUTEX_CHECK", "off"}}).err, "");
}

TEST(Health, ADeadlockIsAnnouncedBeforeItHappens) {
  auto program = Program::Start({PathOf("mutex"), "deadlock"},
                                {.environment = {{"VERDANT_MUTEX_CHECK", "on"}}});
  ASSERT_TRUE(program.ok()) << program.status();
  EXPECT_TRUE((*program)->WaitForOutput("their OS thread hangs for good").ok())
      << (*program)->err();
  EXPECT_TRUE(Has((*program)->err(), "'second'"));
  (*program)->Signal(SIGKILL);
  EXPECT_TRUE((*program)->Wait().ok());
}

TEST(Health, AnOverflowNamesTheGreenThreadItsPlaceAndItsStack) {
#if defined(VERDANT_ASAN) || defined(VERDANT_TSAN)
  GTEST_SKIP() << "the sanitizer reports the overflow itself";
#endif
  const ProgramResult result = RunHealth({"overflow"}, {});
  EXPECT_EQ(result.exit_code, 128 + SIGSEGV);
  EXPECT_TRUE(
      Has(result.err, "verdant: stack overflow in green thread 2 'descender', spawned at "));
  EXPECT_TRUE(Has(result.err, "health/overflow.cc:"));
  EXPECT_TRUE(Has(result.err, ": its stack of 64 KiB is used up\n"));
}

}  // namespace
}  // namespace verdant::testing
