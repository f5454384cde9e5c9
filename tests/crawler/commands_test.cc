#include "apps/crawler/commands.h"

#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace verdant::crawler {
namespace {

absl::StatusOr<Command> Parse(std::initializer_list<const char*> args) {
  return ParseCommandLine(args);
}

std::string Error(std::initializer_list<const char*> args) {
  const absl::StatusOr<Command> command = Parse(args);
  EXPECT_EQ(command.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(command.status().message());
}

template <typename T>
T Get(std::initializer_list<const char*> args) {
  absl::StatusOr<Command> command = Parse(args);
  EXPECT_TRUE(command.ok()) << command.status();
  return std::get<T>(*command);
}

TEST(Commands, FetchHasDefaults) {
  const auto fetch = Get<FetchCommand>({"fetch", "http://a/", "not a url"});
  EXPECT_EQ(fetch.urls, (std::vector<std::string>{"http://a/", "not a url"}));
  EXPECT_EQ(fetch.input, std::nullopt);
  EXPECT_EQ(fetch.concurrency, 64);
  EXPECT_EQ(fetch.output, "-");
  EXPECT_EQ(fetch.body_dir, std::nullopt);
}

TEST(Commands, FetchTakesItsOptions) {
  const auto fetch = Get<FetchCommand>(
      {"fetch", "--input", "-", "--concurrency=8", "--output=o", "--body-dir", "bodies"});
  EXPECT_EQ(fetch.input, "-");
  EXPECT_EQ(fetch.concurrency, 8);
  EXPECT_EQ(fetch.output, "o");
  EXPECT_EQ(fetch.body_dir, "bodies");
  EXPECT_TRUE(fetch.urls.empty());
}

TEST(Commands, CrawlHasDefaults) {
  const auto crawl = Get<CrawlCommand>({"crawl", "http://A.example/x#y"});
  ASSERT_EQ(crawl.seeds.size(), 1u);
  EXPECT_EQ(crawl.seeds[0].href(), "http://a.example/x");
  EXPECT_EQ(crawl.scope, ScopeKind::kHost);
  EXPECT_EQ(crawl.max_pages, std::nullopt);
  EXPECT_EQ(crawl.max_depth, Scope::kUnlimitedDepth);
  EXPECT_EQ(crawl.concurrency, 64);
  EXPECT_EQ(crawl.delay, absl::ZeroDuration());
  EXPECT_EQ(crawl.output, "crawl");
  EXPECT_EQ(crawl.user_agent, kDefaultUserAgent);
  EXPECT_FALSE(crawl.allow_private);
}

TEST(Commands, CrawlTakesItsOptions) {
  const auto crawl = Get<CrawlCommand>(
      {"crawl", "--scope=prefix", "--max-pages=10", "--max-depth=0", "--concurrency=2",
       "--delay=500ms", "--output=dir", "--user-agent=MyBot/1.0 (+https://m.example)",
       "--allow-private", "http://a/", "https://b/"});
  EXPECT_EQ(crawl.scope, ScopeKind::kPrefix);
  EXPECT_EQ(crawl.max_pages, 10);
  EXPECT_EQ(crawl.max_depth, 0);
  EXPECT_EQ(crawl.concurrency, 2);
  EXPECT_EQ(crawl.delay, absl::Milliseconds(500));
  EXPECT_EQ(crawl.output, "dir");
  EXPECT_EQ(crawl.user_agent, "MyBot/1.0 (+https://m.example)");
  EXPECT_TRUE(crawl.allow_private);
  EXPECT_EQ(crawl.seeds.size(), 2u);
}

TEST(Commands, EveryScopeNameWorks) {
  for (const char* option : {"--scope=host", "--scope=domain", "--scope=prefix", "--scope=any"}) {
    const auto crawl = Get<CrawlCommand>({"crawl", option, "http://a/"});
    EXPECT_TRUE(absl::EndsWith(option, ScopeKindName(crawl.scope)));
  }
}

TEST(Commands, DemoHasDefaultsAndOptions) {
  EXPECT_EQ(Get<DemoCommand>({"demo"}).pages, 1000);
  EXPECT_EQ(Get<DemoCommand>({"demo"}).seed, 1u);
  const auto demo = Get<DemoCommand>({"demo", "--pages", "5", "--seed", "0"});
  EXPECT_EQ(demo.pages, 5);
  EXPECT_EQ(demo.seed, 0u);
}

TEST(Commands, BadUsageIsOneLineWithTheHelpToRead) {
  struct Case {
    std::initializer_list<const char*> args;
    std::string_view part;
  };
  const Case kCases[] = {
      {{}, "no command given; see \"crawler help\""},
      {{"fecth"}, "no command \"fecth\" (did you mean fetch?); see \"crawler help\""},
      {{"frobnicate"}, "no command \"frobnicate\"; see"},
      {{"--verbose"}, "no command \"--verbose\""},
      {{"--version", "x"}, "--version stands alone"},
      {{"fetch"}, "fetch: no URL given; see \"crawler help fetch\""},
      {{"fetch", "--concurency=3", "u"}, "did you mean --concurrency?"},
      {{"fetch", "--concurrency=0", "u"}, "from 1 to 100000"},
      {{"fetch", "--scope=host", "u"}, "unknown option \"--scope\" for fetch"},
      {{"crawl"}, "crawl: no seed URL given"},
      {{"crawl", "example.org"}, "seed \"example.org\": no scheme"},
      {{"crawl", "http://a/", "ftp://b/"}, "seed \"ftp://b/\": scheme \"ftp\""},
      {{"crawl", "--scope=all", "http://a/"}, "not one of host, domain, prefix, any"},
      {{"crawl", "--max-pages=0", "http://a/"}, "--max-pages: \"0\" is not"},
      {{"crawl", "--max-depth=-1", "http://a/"}, "--max-depth: \"-1\" is not"},
      {{"crawl", "--delay=-2", "http://a/"}, "--delay: \"-2\" is not a time"},
      {{"crawl", "--user-agent=/1.0", "http://a/"}, "does not begin with a name"},
      {{"crawl", "--user-agent=Bot\r\nX: y", "http://a/"}, "holds what a header cannot"},
      {{"demo", "x"}, "takes no argument, but \"x\" was given"},
      {{"demo", "--pages=0"}, "--pages: \"0\" is not"},
      {{"help", "fetch", "crawl"}, "one command at a time"},
      {{"help", "craw"}, "no command \"craw\" (did you mean crawl?)"},
  };
  for (const Case& test : kCases) {
    const std::string error = Error(test.args);
    EXPECT_TRUE(absl::StrContains(error, test.part)) << error << " lacks " << test.part;
    EXPECT_TRUE(absl::StrContains(error, "see \"crawler help")) << error;
    EXPECT_FALSE(absl::StrContains(error, "\n")) << error;
  }
}

TEST(Commands, HelpAndVersion) {
  EXPECT_TRUE(absl::StrContains(Get<HelpCommand>({"help"}).text, "Commands:"));
  EXPECT_EQ(Get<HelpCommand>({"--help"}).text, Get<HelpCommand>({"help"}).text);
  EXPECT_EQ(Get<HelpCommand>({"-h"}).text, Get<HelpCommand>({"help"}).text);
  EXPECT_EQ(Get<HelpCommand>({"crawl", "--help"}).text, Get<HelpCommand>({"help", "crawl"}).text);
  Get<VersionCommand>({"--version"});
}

TEST(Commands, HelpNamesEveryOption) {
  const std::string fetch = *HelpText("fetch");
  for (const std::string_view option : {"--input=", "--concurrency=", "--output=", "--body-dir="}) {
    EXPECT_TRUE(absl::StrContains(fetch, option)) << option;
  }
  const std::string crawl = *HelpText("crawl");
  for (const std::string_view option :
       {"--scope=host|domain|prefix|any", "--max-pages=", "--max-depth=", "--concurrency=",
        "--delay=", "--output=", "--user-agent=", "--allow-private"}) {
    EXPECT_TRUE(absl::StrContains(crawl, option)) << option;
  }
  const std::string demo = *HelpText("demo");
  EXPECT_TRUE(absl::StrContains(demo, "--pages=N  (default: 1000)"));
  EXPECT_TRUE(absl::StrContains(demo, "--seed=N"));
  for (const char* topic : {"", "fetch", "crawl", "demo", "help"}) {
    for (const std::string_view line : absl::StrSplit(*HelpText(topic), '\n')) {
      EXPECT_LE(line.size(), 80u) << line;
    }
  }
}

}  // namespace
}  // namespace verdant::crawler
