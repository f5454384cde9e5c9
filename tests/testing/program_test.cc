#include "tests/testing/program.h"

#include <signal.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "tests/testing/temporary_directory.h"

namespace verdant::testing {
namespace {

TEST(RunProgram, GivesExitCodeAndBothOutputs) {
  const auto result = RunProgram({"sh", "-c", "echo to out; echo to err >&2; exit 3"});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->exit_code, 3);
  EXPECT_EQ(result->out, "to out\n");
  EXPECT_EQ(result->err, "to err\n");
}

TEST(RunProgram, PassesInputLargerThanAPipeHolds) {
  const std::string text(3'000'000, 'x');
  const auto result = RunProgram({"cat"}, {.standard_input = text});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->out, text);
}

TEST(RunProgram, AProgramNeedNotReadItsInput) {
  const auto result = RunProgram({"true"}, {.standard_input = std::string(3'000'000, 'x')});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->exit_code, 0);
}

TEST(RunProgram, SetsEnvironmentAndWorkingDirectory) {
  const TemporaryDirectory directory;
  const auto result =
      RunProgram({"sh", "-c", "echo $GREETING; pwd"},
                 {.environment = {{"GREETING", "hello"}}, .working_directory = directory.path()});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->out, "hello\n" + directory.path() + "\n");
}

TEST(RunProgram, AProgramThatDoesNotExistIsAnError) {
  const auto result = RunProgram({"/no/such/program"});
  EXPECT_EQ(result.status().code(), absl::StatusCode::kNotFound) << result.status();
}

TEST(RunProgram, ASignalShowsInTheExitCode) {
  const auto result = RunProgram({"sh", "-c", "kill -TERM $$"});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->exit_code, 128 + SIGTERM);
}

TEST(RunProgram, KillsAProgramThatTakesTooLongAndShowsWhatItWrote) {
  const auto result =
      RunProgram({"sh", "-c", "echo begun; exec sleep 1000"}, {}, absl::Milliseconds(300));
  EXPECT_EQ(result.status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST(RunProgram, OtherGreenThreadsRunMeanwhile) {
  const TemporaryDirectory directory;
  const std::string fifo = directory.File("fifo");
  ASSERT_EQ(RunProgram({"mkfifo", fifo})->exit_code, 0);
  // Each waits for the other: only both together can end.
  auto reader = Spawn([&] { return RunProgram({"cat", fifo}); });
  auto writer = Spawn([&] { return RunProgram({"sh", "-c", "echo met > " + fifo}); });
  ASSERT_TRUE(writer.Wait().ok());
  EXPECT_EQ(reader.Wait()->out, "met\n");
}

TEST(Program, OutputCanBeWaitedForAndSignalsAreDelivered) {
  auto program = Program::Start(
      {"sh", "-c", "trap 'echo stopping; exit 7' INT; echo ready; while :; do sleep 0.01; done"});
  ASSERT_TRUE(program.ok()) << program.status();
  ASSERT_TRUE((*program)->WaitForOutput("ready\n").ok());
  EXPECT_TRUE((*program)->Running());
  (*program)->Signal(SIGINT);
  const auto result = (*program)->Wait();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->exit_code, 7);
  EXPECT_EQ(result->out, "ready\nstopping\n");
  EXPECT_FALSE((*program)->Running());
}

TEST(Program, WaitingForOutputThatNeverComesFailsWhenTheProgramEnds) {
  auto program = Program::Start({"echo", "something else"});
  ASSERT_TRUE(program.ok()) << program.status();
  const absl::Status status = (*program)->WaitForOutput("ready");
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("something else"), std::string::npos) << status;
}

TEST(Program, IsKilledWithItsObject) {
  auto program = Program::Start({"sleep", "1000"});
  ASSERT_TRUE(program.ok()) << program.status();
  const pid_t pid = (*program)->pid();
  EXPECT_EQ(kill(pid, 0), 0);
  program->reset();
  EXPECT_EQ(kill(pid, 0), -1);
}

TEST(Program, AWaitThatIsTimedOutLeavesItRunning) {
  auto program = Program::Start({"cat"}, {.standard_input = ""});
  ASSERT_TRUE(program.ok()) << program.status();
  auto sleeper = Program::Start({"sleep", "1000"});
  ASSERT_TRUE(sleeper.ok()) << sleeper.status();
  EXPECT_EQ((*sleeper)->Wait(absl::ZeroDuration()).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE((*sleeper)->Running());
  EXPECT_EQ((*program)->Wait()->exit_code, 0);
}

}  // namespace
}  // namespace verdant::testing
