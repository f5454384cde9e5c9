// What the crawler's command line understands, says and refuses.
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/e2e/crawler_testing.h"
#include "tests/testing/program.h"

namespace verdant::crawler {
namespace {

using testing::ProgramResult;

TEST(CrawlerCommandLine, VersionNamesEveryLibrary) {
  const ProgramResult result = RunCrawler({"--version"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(absl::StartsWith(result.out, "crawler 0."));
  for (const std::string_view library :
       {"libcurl", "BoringSSL", "c-ares", "nghttp2", "zlib", "brotli", "zstd", "lexbor", "ada"}) {
    const std::size_t at = result.out.find(absl::StrCat("  ", library, " "));
    ASSERT_NE(at, result.out.npos) << library;
    EXPECT_GT(result.out.find('\n', at) - at, library.size() + 4) << library;
  }
}

TEST(CrawlerCommandLine, HelpIsCompleteForEachCommand) {
  const ProgramResult overview = RunCrawler({"help"});
  EXPECT_EQ(overview.exit_code, 0);
  EXPECT_EQ(RunCrawler({"--help"}).out, overview.out);
  const std::vector<std::pair<std::string, std::vector<std::string>>> commands = {
      {"fetch", {"--input", "--concurrency", "--output", "--body-dir"}},
      {"crawl",
       {"--scope", "--max-pages", "--max-depth", "--concurrency", "--delay", "--output",
        "--user-agent", "--allow-private"}},
      {"demo", {"--pages", "--seed"}},
      {"help", {}}};
  for (const auto& [command, options] : commands) {
    EXPECT_TRUE(absl::StrContains(overview.out, command));
    const ProgramResult help = RunCrawler({"help", command});
    EXPECT_EQ(help.exit_code, 0);
    EXPECT_EQ(help.err, "");
    EXPECT_TRUE(absl::StartsWith(help.out, absl::StrCat("Usage: crawler ", command)));
    for (const std::string& option : options) {
      EXPECT_TRUE(absl::StrContains(help.out, option)) << command << " " << option;
    }
    for (const std::string& line : Lines(help.out)) EXPECT_LE(line.size(), 80u) << line;
    EXPECT_EQ(RunCrawler({command, "--help"}).out, help.out);
  }
}

TEST(CrawlerCommandLine, BadUsageIsOneLineAndExits2) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> usages = {
      {{}, "no command"},
      {{"fetsh"}, "fetch"},
      {{"fetch"}, "no URL"},
      {{"crawl"}, "no seed"},
      {{"crawl", "example.org"}, "no scheme"},
      {{"crawl", "--scope", "galaxy", "http://x.invalid/"}, "--scope"},
      {{"crawl", "--max-pages", "0", "http://x.invalid/"}, "--max-pages"},
      {{"crawl", "--delay", "-1", "http://x.invalid/"}, "--delay"},
      {{"crawl", "--user-agent", "1", "http://x.invalid/"}, "--user-agent"},
      {{"fetch", "--concurency", "3", "http://x.invalid/"}, "--concurrency"},
      {{"fetch", "--concurrency", "none", "http://x.invalid/"}, "--concurrency"},
      {{"fetch", "--input"}, "--input"},
      {{"demo", "stray"}, "stray"},
      {{"help", "nothing"}, "nothing"},
  };
  for (const auto& [arguments, part] : usages) {
    const ProgramResult result = RunCrawler(arguments);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(Lines(result.err).size(), 1u) << result.err;
    EXPECT_TRUE(absl::StrContains(result.err, part)) << result.err;
  }
}

TEST(CrawlerCommandLine, TextThatCannotBeWrittenIsAFailure) {
  const absl::StatusOr<ProgramResult> result =
      testing::RunProgram({"sh", "-c", CrawlerCommand({"--version"}) + " >/dev/full"});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->exit_code, 1);
  EXPECT_EQ(result->err, "crawler: cannot write standard output\n");
}

TEST(CrawlerCommandLine, TheDemoFindsWhatItShould) {
  for (const std::string_view seed : {"1", "2"}) {
    const ProgramResult result =
        RunCrawler({"demo", "--pages", "300", "--seed", std::string(seed)});
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
    EXPECT_EQ(result.err, "");
    EXPECT_TRUE(absl::StrContains(result.out, "both sets are equal")) << result.out;
  }
}

}  // namespace
}  // namespace verdant::crawler
