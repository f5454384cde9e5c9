// kill -QUIT, to a program that has a DumpOnSignal and two hubs.

#include <signal.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/testing/program.h"

namespace verdant {
namespace {

using testing::Program;

std::unique_ptr<Program> StartTarget(const std::string& mode) {
  const std::string path = absl::StrCat(std::getenv("TEST_SRCDIR"), "/",
                                        std::getenv("TEST_WORKSPACE"), "/tests/e2e/gdb_target");
  absl::StatusOr<std::unique_ptr<Program>> program = Program::Start({path, mode});
  EXPECT_TRUE(program.ok()) << program.status();
  EXPECT_TRUE((*program)->WaitForOutput("ready\n").ok());
  return *std::move(program);
}

TEST(DumpOnSignal, B13_5_EveryHubOfASleepingProcessDescribesItself) {
  const std::unique_ptr<Program> program = StartTarget("asleep");
  program->Signal(SIGQUIT);
  ASSERT_TRUE(program->WaitForOutput("'elsewhere'").ok()) << program->err();
  const std::string& text = program->err();
  EXPECT_TRUE(absl::StrContains(text, "hub 1 of thread ")) << text;
  EXPECT_TRUE(absl::StrContains(text, ": 7 green threads, 0 runnable, ")) << text;
  EXPECT_TRUE(absl::StrContains(text, "  the main greenlet: waiting in Sleep\n    green thread 2 "))
      << text;
  EXPECT_TRUE(absl::StrContains(text, "'deep' spawned at tests/e2e/gdb_target.cc:")) << text;
  EXPECT_TRUE(absl::StrContains(text, ": waiting in read of file descriptor ")) << text;
  EXPECT_TRUE(absl::StrContains(text, ": aside in a greenlet's switch")) << text;
  EXPECT_TRUE(absl::StrContains(text, "hub 2 of thread ")) << text;
  EXPECT_TRUE(program->Running());
}

TEST(DumpOnSignal, B13_5_OfAStuckProcessWhatIsStuckIsTold) {
  const std::unique_ptr<Program> program = StartTarget("stuck");
  program->Signal(SIGQUIT);
  ASSERT_TRUE(program->WaitForOutput("'elsewhere'").ok()) << program->err();
  const std::string& text = program->err();
  EXPECT_TRUE(absl::StrContains(text, ": is stuck, has not turned for 1s\n  green thread "))
      << text;
  EXPECT_TRUE(absl::StrContains(text, " 'stuck' spawned at tests/e2e/gdb_target.cc:")) << text;
  EXPECT_TRUE(absl::StrContains(text, "gdb_target+0x")) << text;
}

}  // namespace
}  // namespace verdant
