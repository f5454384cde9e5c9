#include "apps/crawler/options.h"

#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace verdant::crawler {
namespace {

constexpr std::string_view kSizes[] = {"small", "large"};

constexpr OptionSpec kOptions[] = {
    {.name = "verbose", .type = OptionType::kFlag, .help = "Say more."},
    {.name = "file", .type = OptionType::kText, .value_name = "FILE", .help = "A file."},
    {.name = "count",
     .type = OptionType::kInteger,
     .value_name = "N",
     .default_text = "3",
     .help = "How many.",
     .min = 1,
     .max = 10},
    {.name = "at-least", .type = OptionType::kInteger, .value_name = "N", .help = "At least."},
    {.name = "wait", .type = OptionType::kDuration, .value_name = "TIME", .help = "How long."},
    {.name = "size", .type = OptionType::kChoice, .help = "Which size.", .choices = kSizes},
};

constexpr CommandSpec kCommand = {
    .name = "do",
    .summary = "Do it",
    .arguments = "THING...",
    .details =
        "Does the things, one after another, and goes on doing them until all of them are "
        "done, which may take a while.\n\nThen it stops.",
    .exit_codes = "0 done, 1 not done.",
    .options = kOptions,
};

absl::StatusOr<ParsedOptions> Parse(std::initializer_list<const char*> args) {
  return ParseOptions(kCommand, args);
}

std::string Error(std::initializer_list<const char*> args) {
  const absl::StatusOr<ParsedOptions> parsed = Parse(args);
  EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(parsed.status().message());
}

TEST(Options, NothingGivenIsFine) {
  const ParsedOptions parsed = *Parse({});
  EXPECT_FALSE(parsed.Flag("verbose"));
  EXPECT_EQ(parsed.Text("file"), std::nullopt);
  EXPECT_EQ(parsed.Integer("count"), std::nullopt);
  EXPECT_EQ(parsed.Duration("wait"), std::nullopt);
  EXPECT_EQ(parsed.Choice("size"), std::nullopt);
  EXPECT_TRUE(parsed.arguments().empty());
  EXPECT_FALSE(parsed.Has("file"));
  EXPECT_FALSE(parsed.help());
}

TEST(Options, ReadsBothFormsAndArgumentsAnywhere) {
  const ParsedOptions parsed = *Parse({"one", "--verbose", "two", "--file=x=y", "--count", "7",
                                       "--wait=1.5", "--size", "large", "-"});
  EXPECT_TRUE(parsed.Flag("verbose"));
  EXPECT_EQ(parsed.Text("file"), "x=y");
  EXPECT_EQ(parsed.Integer("count"), 7);
  EXPECT_EQ(parsed.Duration("wait"), absl::Seconds(1.5));
  EXPECT_EQ(parsed.Choice("size"), "large");
  EXPECT_EQ(parsed.arguments(), (std::vector<std::string>{"one", "two", "-"}));
  EXPECT_TRUE(parsed.Has("file"));
}

TEST(Options, TwoDashesEndOptions) {
  const ParsedOptions parsed = *Parse({"--verbose", "--", "--file", "-x", "--"});
  EXPECT_EQ(parsed.arguments(), (std::vector<std::string>{"--file", "-x", "--"}));
  EXPECT_FALSE(parsed.Has("file"));
}

TEST(Options, FlagsTakeTrueAndFalseOnlyAfterEquals) {
  EXPECT_TRUE(Parse({"--verbose=true"})->Flag("verbose"));
  EXPECT_FALSE(Parse({"--verbose=false"})->Flag("verbose"));
  EXPECT_EQ(Error({"--verbose=yes"}), "--verbose: \"yes\" is not true or false");
  EXPECT_EQ(Parse({"--verbose", "false"})->arguments(), std::vector<std::string>{"false"});
}

TEST(Options, UnknownOptionsNameTheClosest) {
  EXPECT_EQ(Error({"--cuont=3"}), "unknown option \"--cuont\" for do (did you mean --count?)");
  EXPECT_EQ(Error({"--fil"}), "unknown option \"--fil\" for do (did you mean --file?)");
  EXPECT_EQ(Error({"--atleast", "3"}),
            "unknown option \"--atleast\" for do (did you mean --at-least?)");
  EXPECT_EQ(Error({"--hlep"}), "unknown option \"--hlep\" for do (did you mean --help?)");
  EXPECT_EQ(Error({"--something-else"}), "unknown option \"--something-else\" for do");
  EXPECT_EQ(Error({"--=x"}), "unknown option \"--\" for do");
  EXPECT_TRUE(absl::StrContains(Error({"-v"}), "options begin with two dashes"));
  EXPECT_TRUE(absl::StrContains(Error({"--a\x1b[31m"}), "\\x1b"));
}

TEST(Options, MissingValuesAreErrors) {
  EXPECT_EQ(Error({"--file"}), "--file: needs a value");
  EXPECT_EQ(Error({"--file", "--verbose"}),
            "--file: needs a value (write --file=--verbose if that is the value)");
  EXPECT_EQ(Error({"--file="}), "--file: \"\" is empty");
  EXPECT_EQ(Parse({"--file=--verbose"})->Text("file"), "--verbose");
  EXPECT_EQ(Parse({"--file", "-"})->Text("file"), "-");
}

TEST(Options, GivenTwiceIsAnError) {
  EXPECT_EQ(Error({"--count=1", "--count=1"}), "--count: given twice");
  EXPECT_EQ(Error({"--verbose", "--verbose"}), "--verbose: given twice");
}

TEST(Options, IntegersAreStrict) {
  for (const char* value : {"--count=0", "--count=11", "--count=x", "--count=1x", "--count=1.5",
                            "--count=99999999999999999999", "--count=0x3", "--count="}) {
    EXPECT_TRUE(absl::EndsWith(Error({value}), "is not a whole number from 1 to 10")) << value;
  }
  EXPECT_TRUE(absl::EndsWith(Error({"--at-least", "-5"}), "not a whole number of at least 0"));
  EXPECT_EQ(Parse({"--at-least=9223372036854775807"})->Integer("at-least"), INT64_MAX);
}

TEST(Options, DurationsTakeSecondsOrUnits) {
  EXPECT_EQ(Parse({"--wait=0"})->Duration("wait"), absl::ZeroDuration());
  EXPECT_EQ(Parse({"--wait=250ms"})->Duration("wait"), absl::Milliseconds(250));
  EXPECT_EQ(Parse({"--wait=1m30s"})->Duration("wait"), absl::Seconds(90));
  for (const char* value : {"--wait=-1", "--wait=inf", "--wait=nan", "--wait=soon", "--wait=1y",
                            "--wait=", "--wait=1e300"}) {
    EXPECT_TRUE(absl::StrContains(Error({value}), "is not a time")) << value;
  }
}

TEST(Options, ChoicesAreListed) {
  EXPECT_EQ(Error({"--size=medium"}), "--size: \"medium\" is not one of small, large");
}

TEST(Options, HelpGoesBeforeEverythingElse) {
  EXPECT_TRUE(Parse({"--help"})->help());
  EXPECT_TRUE(Parse({"x", "-h", "--nonsense"})->help());
  EXPECT_FALSE(Parse({"--", "--help"})->help());
}

TEST(Options, GettersRefuseWhatIsNotInTheTable) {
  const ParsedOptions parsed = *Parse({"--count=3"});
  EXPECT_THROW(parsed.Text("count"), std::logic_error);
  EXPECT_THROW(parsed.Integer("counts"), std::logic_error);
  EXPECT_THROW(ParsedOptions().Flag("verbose"), std::logic_error);
}

TEST(Options, CommandHelpIsComplete) {
  const std::string help = CommandHelp("prog", kCommand);
  EXPECT_TRUE(absl::StartsWith(help, "Usage: prog do [options] THING...\n\nDoes the things"));
  for (const std::string_view part :
       {"\n\nThen it stops.\n", "  --verbose\n      Say more.\n", "  --file=FILE\n",
        "  --count=N  (default: 3)\n      How many.\n", "  --size=small|large\n",
        "Exit status: 0 done, 1 not done.\n"}) {
    EXPECT_TRUE(absl::StrContains(help, part)) << part << " is not in " << help;
  }
  for (const std::string_view line : absl::StrSplit(help, '\n')) EXPECT_LE(line.size(), 80u);
}

TEST(Options, ProgramHelpListsCommands) {
  CommandSpec undo = kCommand;
  undo.name = "undo";
  undo.summary = "Undo it";
  const CommandSpec kCommands[] = {kCommand, undo};
  const std::string help = ProgramHelp("prog", "It does things.", kCommands);
  EXPECT_TRUE(absl::StrContains(help, "  do    Do it\n  undo  Undo it\n")) << help;
  EXPECT_TRUE(absl::StrContains(help, "It does things.\n"));
}

TEST(ClosestWord, CountsSwapsAsOneStep) {
  constexpr std::string_view kWords[] = {"fetch", "crawl", "demo"};
  EXPECT_EQ(ClosestWord("fecth", kWords), "fetch");
  EXPECT_EQ(ClosestWord("crawll", kWords), "crawl");
  EXPECT_EQ(ClosestWord("dmo", kWords), "demo");
  EXPECT_EQ(ClosestWord("demo", kWords), "demo");
  EXPECT_EQ(ClosestWord("xyz", kWords), std::nullopt);
  EXPECT_EQ(ClosestWord("", kWords), std::nullopt);
}

}  // namespace
}  // namespace verdant::crawler
