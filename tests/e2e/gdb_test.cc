// tools/gdb/verdant.py in gdb -batch, on live processes and on a core file, with and without the
// inline switch. The target's green threads are those of gdb_target.cc.

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "tests/testing/program.h"
#include "tests/testing/temporary_directory.h"

namespace verdant {
namespace {

using testing::Program;
using testing::ProgramResult;

std::string InRunfiles(std::string_view path) {
  return absl::StrCat(std::getenv("TEST_SRCDIR"), "/", std::getenv("TEST_WORKSPACE"), "/", path);
}

// What gdb prints for these commands; `arguments` come last.
std::string Gdb(const std::vector<std::string>& commands, std::vector<std::string> arguments) {
  std::vector<std::string> argv = {"gdb", "-nx", "-batch", "-x",
                                   InRunfiles("tools/gdb/verdant.py")};
  for (const char* command :
       {"set debuginfod enabled off", "set width 0", "set pagination off", "set confirm off"}) {
    argv.insert(argv.end(), {"-ex", command});
  }
  for (const std::string& command : commands) argv.insert(argv.end(), {"-ex", command});
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const absl::StatusOr<ProgramResult> result =
      testing::RunProgram(std::move(argv), {}, absl::Minutes(2));
  if (!result.ok()) {
    ADD_FAILURE() << result.status()
                  << "\nThis test needs gdb with Python (Debian, Ubuntu: apt-get install gdb).";
    return "";
  }
  return absl::StrCat(result->out, result->err);
}

// The same once the program has called StopHere() for the first time.
std::string GdbAtStop(std::vector<std::string> commands, const std::string& program,
                      const std::string& mode) {
  commands.insert(commands.begin(), {"break StopHere", "run"});
  return Gdb(commands, {"--args", program, mode});
}

// The first line that has all of these; empty if there is none.
std::string LineWith(const std::string& text, const std::vector<std::string>& parts) {
  for (std::string_view line : absl::StrSplit(text, '\n')) {
    bool all = true;
    for (const std::string& part : parts) all = all && absl::StrContains(line, part);
    if (all) return std::string(line);
  }
  return "";
}

// The number of the greenlet of that name in "info greenlets", as "1.4".
std::string IdOf(const std::string& listing, const std::string& name) {
  const std::string line = LineWith(listing, {" " + name + " "});
  const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
  const std::size_t at = !words.empty() && words[0] == "*" ? 1 : 0;
  return words.size() > at ? words[at] : "";
}

// What "greenlet apply all bt" says of one.
std::string BacktraceOf(const std::string& all, const std::string& name) {
  const std::size_t at = all.find(" " + name + " ", all.find("\nGreenlet 1.0 hub"));
  if (at == std::string::npos) return "";
  return all.substr(at, all.find("\nGreenlet ", at) - at);
}

// The functions are there in this order, the innermost first, and the outermost frame is the entry
// of a green thread's stack.
void ExpectFrames(const std::string& backtrace, const std::vector<std::string>& functions) {
  std::size_t at = 0;
  for (const std::string& function : functions) {
    at = backtrace.find(function, at);
    ASSERT_NE(at, std::string::npos) << function << " is missing in\n" << backtrace;
    at += function.size();
  }
  EXPECT_NE(backtrace.find("verdant_fiber_entry ()", at), std::string::npos) << backtrace;
  EXPECT_FALSE(absl::StrContains(backtrace, "Backtrace stopped")) << backtrace;
  EXPECT_FALSE(absl::StrContains(backtrace, "??")) << backtrace;
  // Nothing comes after the entry.
  const std::size_t entry = backtrace.find("verdant_fiber_entry ()");
  EXPECT_EQ(backtrace.find("\n#", entry), std::string::npos) << backtrace;
}

class GreenThreadsInGdb : public ::testing::TestWithParam<const char*> {
 protected:
  std::string Target() const { return InRunfiles(absl::StrCat("tests/e2e/", GetParam())); }
};

// What must be seen of the target stopped in a green thread, live or in a core.
void ExpectWholeView(const std::string& text) {
  for (const std::vector<std::string>& parts : std::vector<std::vector<std::string>>{
           {"Hub 1 on gdb's thread 1 ", "greenlets", "runnable"},
           {"Hub 2 on gdb's thread 2 "},
           {"  1.1 ", " main ", "waiting in GreenThread::Join"},
           {" 'waiter' ", "waiting in Event::Wait, spawned at tests/e2e/gdb_target.cc:"},
           {" 'sleeper' ", "waiting in Sleep, spawned at"},
           {" 'deep' ", "waiting in Event::Wait, spawned at"},
           {" 'aside' ", "aside in a greenlet's switch, spawned at"},
           {" 'greenlet' ", "waiting in Sleep"},
           {" 'busy' ", "runnable, spawned at"},
           {"* 1.", " 'stopper' ", "running, spawned at"},
           {" 'fresh' ", "not started, spawned at"},
           {"  1.0 ", " hub ", "aside while others run"},
           {"  2.", " 'elsewhere' ", "waiting in Event::Wait, spawned at"}}) {
    EXPECT_NE(LineWith(text, parts), "") << parts[1 < parts.size() ? 1 : 0] << " in\n" << text;
  }
  const std::string reader = LineWith(text, {" 'reader of "});
  const std::string fd(reader, std::min(reader.size(), reader.find(" of ") + 4));
  const std::string number = fd.substr(0, fd.find('\''));
  EXPECT_NE(LineWith(reader, {"waiting in read of file descriptor " + number + ","}), "") << reader;

  ExpectFrames(BacktraceOf(text, "'waiter'"), {"AwaitAnswer"});
  ExpectFrames(BacktraceOf(text, "'sleeper'"), {"verdant::Sleep", "SleepLong"});
  ExpectFrames(BacktraceOf(text, "'deep'"),
               {"AwaitAnswer", "Descend", "Descend", "Descend", "Descend", "Descend"});
  ExpectFrames(BacktraceOf(text, "'busy'"), {"LetOthersRun"});
  ExpectFrames(BacktraceOf(text, "'greenlet'"), {"SleepLong", "BlockInGreenlet"});
  ExpectFrames(BacktraceOf(text, "'aside'"), {"verdant::Greenlet::Switch"});
  ExpectFrames(BacktraceOf(text, "'stopper'"), {"StopHere"});
  ExpectFrames(BacktraceOf(text, "'elsewhere'"), {"AwaitAnswer", "WorkElsewhere"});
  ExpectFrames(BacktraceOf(text, "hub"), {"verdant::Hub::HubMain"});
  EXPECT_TRUE(absl::StrContains(BacktraceOf(text, "'fresh'"), "no frames yet")) << text;
  const std::string main = BacktraceOf(text, "main");
  EXPECT_TRUE(absl::StrContains(main, "AnyGreenThread::Join")) << main;
  EXPECT_TRUE(absl::StrContains(main, " main ()") || absl::StrContains(main, " main (argc"))
      << main;
}

TEST_P(GreenThreadsInGdb, ShowsWhatEveryGreenThreadOfALiveProcessDoes) {
  ExpectWholeView(GdbAtStop({"info greenlets", "greenlet apply all bt"}, Target(), "running"));
}

TEST_P(GreenThreadsInGdb, ShowsTheSameInACoreFile) {
  const testing::TemporaryDirectory directory;
  const std::string core = directory.File("core");
  const std::string saved = GdbAtStop({"greenlet gcore " + core, "kill"}, Target(), "running");
  ASSERT_TRUE(absl::StrContains(saved, "Saved corefile")) << saved;
  ExpectWholeView(Gdb({"info greenlets", "greenlet apply all bt"}, {Target(), core}));
}

TEST_P(GreenThreadsInGdb, ShowsASleepingProcessThatItAttachesTo) {
  auto program = Program::Start({Target(), "asleep"});
  ASSERT_TRUE(program.ok()) << program.status();
  ASSERT_TRUE((*program)->WaitForOutput("ready\n").ok());
  const std::string text = Gdb({"info greenlets", "greenlet apply all bt", "detach"},
                               {"-p", absl::StrCat((*program)->pid())});
  EXPECT_NE(LineWith(text, {" main ", "waiting in Sleep"}), "") << text;
  EXPECT_NE(LineWith(text, {" 'waiter' ", "waiting in Event::Wait"}), "") << text;
  ExpectFrames(BacktraceOf(text, "'deep'"), {"AwaitAnswer", "Descend"});
  EXPECT_TRUE((*program)->Running());
}

TEST_P(GreenThreadsInGdb, APlainBacktraceEndsCleanlyInAGreenThreadAndInTheHub) {
  ExpectFrames(GdbAtStop({"bt"}, Target(), "running"), {"#0", "StopHere ()"});
  const std::string hub = GdbAtStop({"info greenlets", "bt"}, Target(), "asleep");
  ExpectFrames(hub, {"#0", "StopHere ()", "verdant::Hub::HubMain"});
  EXPECT_NE(LineWith(hub, {"* 1.0 ", " hub ", "running"}), "") << hub;
}

TEST_P(GreenThreadsInGdb, RunsAnyCommandInAGreenThreadAndLeavesTheSelectionAsItWas) {
  const std::string listing = GdbAtStop({"info greenlets"}, Target(), "running");
  const std::string deep = IdOf(listing, "'deep'");
  const std::string elsewhere = IdOf(listing, "'elsewhere'");
  ASSERT_EQ(deep.substr(0, 2), "1.") << listing;
  const std::string short_id = deep.substr(2);
  const std::string text = GdbAtStop(
      {"echo <up>\\n", "greenlet " + short_id + " frame function Descend", "echo <here>\\n",
       "frame", "echo <two>\\n", absl::StrCat("greenlet apply ", deep, " ", elsewhere, " bt 30"),
       "echo <none>\\n", "greenlet 1.99", "greenlet x bt", "thread 2",
       "greenlet " + short_id + " bt", "continue", "echo <end>\\n"},
      Target(), "running");
  const auto part = [&](std::string_view from, std::string_view to) {
    const std::size_t begin = std::min(text.find(from), text.size());
    return text.substr(begin, text.find(to, begin) - begin);
  };
  EXPECT_TRUE(absl::StrContains(part("<up>", "<here>"), " Descend (")) << text;
  EXPECT_TRUE(absl::StrContains(part("<here>", "<two>"), "#0 ")) << text;
  EXPECT_TRUE(absl::StrContains(part("<here>", "<two>"), " StopHere ()")) << text;
  EXPECT_TRUE(absl::StrContains(part("<two>", "<none>"), " WorkElsewhere (")) << text;
  EXPECT_TRUE(absl::StrContains(text, "there is no greenlet 1.99")) << text;
  EXPECT_TRUE(absl::StrContains(text, "'x' is no greenlet")) << text;
  // On the other hub's thread its number means another, which there is not.
  EXPECT_TRUE(absl::StrContains(text, "there is no greenlet " + short_id)) << text;
  // The process goes on as if nothing had been looked at.
  EXPECT_TRUE(absl::StrContains(text, "exited normally")) << text;
}

TEST(GdbScript, SaysWhyThereIsNothingToSee) {
  const std::string text = Gdb({"info greenlets", "greenlet", "greenlet 1"}, {"/bin/true"});
  EXPECT_TRUE(absl::StrContains(text, "there is no symbol verdant_debug_hubs")) << text;
  EXPECT_TRUE(absl::StrContains(text, "greenlet ID [COMMAND]")) << text;
  const std::string early = Gdb({"info greenlets"}, {InRunfiles("tests/e2e/gdb_target")});
  EXPECT_TRUE(absl::StrContains(early, "No hubs.")) << early;
}

INSTANTIATE_TEST_SUITE_P(Targets, GreenThreadsInGdb,
                         ::testing::Values("gdb_target", "gdb_target_optimised"),
                         [](const auto& info) {
                           return std::string(info.index == 0 ? "AsBuilt" : "Optimised");
                         });

}  // namespace
}  // namespace verdant
