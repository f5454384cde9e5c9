#include "apps/crawler/robots.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace verdant::crawler {
namespace {

using namespace std::string_view_literals;

Robots ForBot(std::string_view body) { return Robots::Parse(body, "VerdantBot"); }

bool Allowed(std::string_view rules, std::string_view path) {
  return ForBot(absl::StrCat("User-agent: *\n", rules)).Allows(path);
}

TEST(ProductToken, IsTheLeadingName) {
  EXPECT_EQ(ProductToken("VerdantBot/1.0 (+https://example.org)"), "VerdantBot");
  EXPECT_EQ(ProductToken("My-Bot_x 2"), "My-Bot_x");
  EXPECT_EQ(ProductToken("Bot2"), "Bot");
  EXPECT_EQ(ProductToken("/1.0"), "");
  EXPECT_EQ(ProductToken(""), "");
}

TEST(Robots, EmptyFilesAllowEverything) {
  for (const std::string_view body : {"", "\n\n", "# nothing\n", "User-agent: *\n",
                                      "User-agent: *\nDisallow:\n", "\xEF\xBB\xBF"}) {
    EXPECT_TRUE(ForBot(body).Allows("/x"));
    EXPECT_EQ(ForBot(body).rule_count(), 0u);
  }
}

TEST(Robots, DisallowSlashForbidsAllButRobotsTxt) {
  const Robots robots = ForBot("User-agent: *\nDisallow: /\n");
  EXPECT_FALSE(robots.Allows("/"));
  EXPECT_FALSE(robots.Allows("/x?y"));
  EXPECT_FALSE(robots.Allows("/robots.txt?x"));
  EXPECT_TRUE(robots.Allows("/robots.txt"));
}

TEST(Robots, RulesBeforeAnyAgentAreIgnored) {
  EXPECT_TRUE(ForBot("Disallow: /\nUser-agent: *\nDisallow: /x\n").Allows("/y"));
}

TEST(Robots, OwnGroupReplacesTheStarGroup) {
  const Robots robots =
      ForBot("User-agent: *\nDisallow: /\n\nUser-agent: verdantbot\nDisallow: /private\n");
  EXPECT_TRUE(robots.Allows("/open"));
  EXPECT_FALSE(robots.Allows("/private/x"));
}

TEST(Robots, OwnGroupWithoutRulesAllowsEverything) {
  EXPECT_TRUE(ForBot("User-agent: VerdantBot\n\nUser-agent: *\nDisallow:\n").Allows("/x"));
  EXPECT_TRUE(
      ForBot("User-agent: *\nDisallow: /\nUser-agent: VerdantBot\nDisallow:\n").Allows("/x"));
}

TEST(Robots, NoMatchingGroupAllowsEverything) {
  EXPECT_TRUE(ForBot("User-agent: otherbot\nDisallow: /\n").Allows("/x"));
}

TEST(Robots, TokensMatchWithoutCaseAndVersion) {
  for (const std::string_view agent : {"VERDANTBOT", "verdantbot", "VerdantBot/2.1", "VerdantBot 2",
                                       "  VerdantBot\t", "VerdantBot # us"}) {
    EXPECT_FALSE(ForBot(absl::StrCat("User-agent: ", agent, "\nDisallow: /\n")).Allows("/x"))
        << agent;
  }
}

TEST(Robots, TokensMatchAsAWhole) {
  for (const std::string_view agent :
       {"Verdant", "VerdantBot-Image", "VerdantBots", "XVerdantBot"}) {
    EXPECT_TRUE(ForBot(absl::StrCat("User-agent: ", agent, "\nDisallow: /\n")).Allows("/x"))
        << agent;
  }
}

TEST(Robots, GroupsOfOneAgentAreMerged) {
  const Robots robots = ForBot(
      "User-agent: VerdantBot\nDisallow: /a\n\n"
      "User-agent: other\nDisallow: /b\n\n"
      "User-agent: VERDANTBOT\nDisallow: /c\n");
  EXPECT_FALSE(robots.Allows("/a"));
  EXPECT_TRUE(robots.Allows("/b"));
  EXPECT_FALSE(robots.Allows("/c"));
}

TEST(Robots, StarGroupsAreMergedToo) {
  const Robots robots = ForBot(
      "User-agent: *\nDisallow: /a\n\nUser-agent: x\nDisallow: /\n\nUser-agent: *\n"
      "Disallow: /c\n");
  EXPECT_FALSE(robots.Allows("/a"));
  EXPECT_TRUE(robots.Allows("/b"));
  EXPECT_FALSE(robots.Allows("/c"));
}

TEST(Robots, OneGroupMayNameManyAgents) {
  const Robots robots = ForBot(
      "User-agent: a\n\nUser-agent: VerdantBot\nUser-agent: b\n"
      "Disallow: /x\nAllow: /x/y\nUser-agent: c\nDisallow: /\n");
  EXPECT_FALSE(robots.Allows("/x"));
  EXPECT_TRUE(robots.Allows("/x/y"));
  EXPECT_TRUE(robots.Allows("/z"));
}

TEST(Robots, OtherRecordsDoNotEndAGroup) {
  const Robots robots = ForBot(
      "User-agent: VerdantBot\nSitemap: https://h/s.xml\nNoise\nFoo: bar\nUser-agent: b\n"
      "Disallow: /x\n");
  EXPECT_FALSE(robots.Allows("/x"));
}

TEST(Robots, AllLineEndsWork) {
  for (const std::string_view end : {"\n", "\r", "\r\n", "\n\r", "\r\r\n"}) {
    const Robots robots =
        ForBot(absl::StrCat("User-agent: *", end, "Disallow: /a", end, end, "Disallow: /b"));
    EXPECT_FALSE(robots.Allows("/a"));
    EXPECT_FALSE(robots.Allows("/b"));
    EXPECT_TRUE(robots.Allows("/c"));
  }
}

TEST(Robots, ByteOrderMarkIsSkipped) {
  EXPECT_FALSE(ForBot("\xEF\xBB\xBFUser-agent: *\nDisallow: /x\n").Allows("/x"));
}

TEST(Robots, SpacesCaseAndCommentsAreTolerated) {
  const Robots robots =
      ForBot("  USER-AGENT\t:  *  # all\n\tdisAllow : /a b#c\n DISALLOW:/d\nAllow:\t/d/e \n");
  EXPECT_FALSE(robots.Allows("/a%20b"));
  EXPECT_FALSE(robots.Allows("/d/f"));
  EXPECT_TRUE(robots.Allows("/d/e"));
}

TEST(Robots, MatchesPrefixesWithTheQuery) {
  EXPECT_FALSE(Allowed("Disallow: /fish", "/fish"));
  EXPECT_FALSE(Allowed("Disallow: /fish", "/fish.html"));
  EXPECT_FALSE(Allowed("Disallow: /fish", "/fish/salmon"));
  EXPECT_FALSE(Allowed("Disallow: /fish", "/fish?id=1"));
  EXPECT_TRUE(Allowed("Disallow: /fish", "/Fish"));
  EXPECT_TRUE(Allowed("Disallow: /fish", "/catfish"));
  EXPECT_TRUE(Allowed("Disallow: /fish/", "/fish"));
  EXPECT_FALSE(Allowed("Disallow: /a?b=", "/a?b=c"));
}

TEST(Robots, LongestMatchWinsOverOrder) {
  EXPECT_TRUE(Allowed("Allow: /p\nDisallow: /", "/page"));
  EXPECT_TRUE(Allowed("Disallow: /\nAllow: /p", "/page"));
  EXPECT_FALSE(Allowed("Allow: /p\nDisallow: /page", "/page"));
  EXPECT_FALSE(Allowed("Disallow: /x/page.html\nAllow: /x/", "/x/page.html"));
  EXPECT_FALSE(Allowed("Allow: /$\nDisallow: /", "/page.html"));
  EXPECT_TRUE(Allowed("Allow: /$\nDisallow: /", "/"));
  EXPECT_FALSE(Allowed("Allow: /page\nDisallow: /*.htm", "/page.htm"));
}

TEST(Robots, AllowWinsTies) {
  EXPECT_TRUE(Allowed("Disallow: /folder\nAllow: /folder", "/folder/page"));
  EXPECT_TRUE(Allowed("Allow: /folder\nDisallow: /folder", "/folder/page"));
  EXPECT_TRUE(Allowed("Disallow: /*.php\nAllow: /a.php", "/a.php"));
}

TEST(Robots, WildcardsMatchAnyRun) {
  EXPECT_FALSE(Allowed("Disallow: /*.php", "/index.php"));
  EXPECT_FALSE(Allowed("Disallow: /*.php", "/f/x.php?y"));
  EXPECT_TRUE(Allowed("Disallow: /*.php", "/x.PHP"));
  EXPECT_FALSE(Allowed("Disallow: /*.php$", "/x.php"));
  EXPECT_TRUE(Allowed("Disallow: /*.php$", "/x.php5"));
  EXPECT_TRUE(Allowed("Disallow: /*.php$", "/x.php?y"));
  EXPECT_FALSE(Allowed("Disallow: /*.php$", "/x.php?y=.php"));
  EXPECT_FALSE(Allowed("Disallow: /fish*.php", "/fishheads/cat.php?p"));
  EXPECT_FALSE(Allowed("Disallow: /fish*", "/fish"));
  EXPECT_FALSE(Allowed("Disallow: *.gif", "/a/b.gif"));
  EXPECT_FALSE(Allowed("Disallow: *", "/"));
  EXPECT_FALSE(Allowed("Disallow: /a**b***c", "/a-b-c"));
  EXPECT_TRUE(Allowed("Disallow: fish", "/fish"));
}

TEST(Robots, AnchoredPartsDoNotOverlap) {
  EXPECT_TRUE(Allowed("Disallow: /ab*ba$", "/aba"));
  EXPECT_FALSE(Allowed("Disallow: /ab*ba$", "/abba"));
  EXPECT_FALSE(Allowed("Disallow: /ab*ba$", "/abxbaxba"));
  EXPECT_FALSE(Allowed("Disallow: /a*$", "/a"));
}

TEST(Robots, DollarMeansTheEndOnlyAtTheEnd) {
  EXPECT_FALSE(Allowed("Disallow: /a$b", "/a$b/c"));
  EXPECT_TRUE(Allowed("Disallow: /a$b", "/a"));
  EXPECT_FALSE(Allowed("Disallow: /a%24", "/a$b"));
}

// The examples of RFC 9309 section 2.2.2 and 2.2.3, both ways.
TEST(Robots, PercentEncodingsAreNormalised) {
  EXPECT_FALSE(Allowed("Disallow: /foo/bar?baz=quz", "/foo/bar?baz=quz"));
  EXPECT_FALSE(Allowed("Disallow: /foo/bar?baz=http://foo.bar", "/foo/bar?baz=http://foo.bar"));
  EXPECT_TRUE(
      Allowed("Disallow: /foo/bar?baz=http://foo.bar", "/foo/bar?baz=http%3A%2F%2Ffoo.bar"));
  EXPECT_FALSE(Allowed("Disallow: /foo/bar/\xE3\x83\x84", "/foo/bar/%E3%83%84"));
  EXPECT_FALSE(Allowed("Disallow: /foo/bar/%E3%83%84", "/foo/bar/%e3%83%84"));
  EXPECT_FALSE(Allowed("Disallow: /foo/bar/%e3%83%84", "/foo/bar/\xE3\x83\x84"));
  EXPECT_FALSE(Allowed("Disallow: /foo/bar/%62%61%7A", "/foo/bar/baz"));
  EXPECT_FALSE(Allowed("Disallow: /foo/bar/baz", "/foo/bar/%62%61%7A"));
  EXPECT_FALSE(Allowed("Disallow: /file-with-a-%2A.html", "/file-with-a-*.html"));
  EXPECT_FALSE(Allowed("Disallow: /file-with-a-%2A.html", "/file-with-a-%2a.html"));
  EXPECT_TRUE(Allowed("Disallow: /file-with-a-%2A.html", "/file-with-a-b.html"));
  EXPECT_FALSE(Allowed("Disallow: /%7Ejoe/", "/~joe/"));
  EXPECT_TRUE(Allowed("Disallow: /a%2Fb", "/a/b"));
  EXPECT_FALSE(Allowed("Disallow: /a%2fb", "/a%2Fb"));
}

TEST(Robots, BrokenPercentEncodingsMatchThemselves) {
  for (const std::string_view path : {"/100%", "/%g0", "/%2", "/a%zz/b"}) {
    EXPECT_FALSE(Allowed(absl::StrCat("Disallow: ", path), path)) << path;
  }
}

TEST(Robots, ManyWildcardsTakeLinearTime) {
  std::string pattern = "/";
  for (int i = 0; i < 2000; ++i) pattern += "*a";
  const std::string path = absl::StrCat("/", std::string(8000, 'a'), "b");
  const Robots robots = ForBot(absl::StrCat("User-agent: *\nDisallow: ", pattern, "$\n"));
  EXPECT_TRUE(robots.Allows(path));
  EXPECT_FALSE(robots.Allows(absl::StrCat(path, "a")));
}

TEST(Robots, OnlyTheFirst500KiBCount) {
  std::string body = "User-agent: *\nDisallow: /first\n";
  body.append(kMaxRobotsBytes - body.size() - 1, '#');
  body.append("\nDisallow: /last\n");
  const Robots robots = ForBot(body);
  EXPECT_FALSE(robots.Allows("/first"));
  EXPECT_TRUE(robots.Allows("/last"));
}

TEST(Robots, ALineCutByTheLimitIsDropped) {
  std::string body = "User-agent: *\n";
  body.append(kMaxRobotsBytes - body.size() - std::string("\nDisallow: /").size(), '#');
  body.append("\nDisallow: /private\n");
  ASSERT_GT(body.size(), kMaxRobotsBytes);
  EXPECT_TRUE(ForBot(body).Allows("/public"));
  const std::string one_line = absl::StrCat("User-agent: *", std::string(kMaxRobotsBytes, ' '));
  EXPECT_EQ(ForBot(one_line).rule_count(), 0u);
}

TEST(Robots, GarbageIsHarmless) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
  EXPECT_TRUE(ForBot(bytes).Allows("/x"));
  EXPECT_TRUE(ForBot("<html><body>Not found</body></html>").Allows("/x"));
  EXPECT_TRUE(ForBot(":\n::\nUser-agent\nDisallow /\nUser-agent:\nDisallow: /\n").Allows("/x"));
  const Robots with_nul = ForBot("User-agent: *\nDisallow: /x\0y\nDisallow: /z\n"sv);
  EXPECT_TRUE(with_nul.Allows("/x"));
  EXPECT_FALSE(with_nul.Allows("/z"));
}

TEST(CrawlDelay, BelongsToTheGroup) {
  const Robots robots = ForBot(
      "User-agent: *\nCrawl-delay: 9\nDisallow:\n\nUser-agent: VerdantBot\nDisallow: /x\n"
      "Crawl-Delay: 1.5 # please\n");
  EXPECT_EQ(robots.crawl_delay(), absl::Seconds(1.5));
  EXPECT_EQ(ForBot("User-agent: x\nCrawl-delay: 9\n").crawl_delay(), std::nullopt);
}

TEST(CrawlDelay, DoesNotEndAGroupOfRulesButHasItsOwn) {
  const std::string_view body =
      "User-agent: VerdantBot\nCrawl-delay: 5\n\nUser-agent: *\nCrawl-delay: 10\nDisallow: /x\n";
  EXPECT_EQ(ForBot(body).crawl_delay(), absl::Seconds(5));
  EXPECT_FALSE(ForBot(body).Allows("/x"));
  EXPECT_EQ(Robots::Parse(body, "other").crawl_delay(), absl::Seconds(10));
}

TEST(CrawlDelay, NonsenseIsIgnoredAndTheLongestCounts) {
  const auto delay = [](std::string_view lines) {
    return ForBot(absl::StrCat("User-agent: *\n", lines)).crawl_delay();
  };
  for (const std::string_view line : {"Crawl-delay:", "Crawl-delay: soon", "Crawl-delay: -1",
                                      "Crawl-delay: nan", "Crawl-delay: inf", "Crawl-delay: 1 2"}) {
    EXPECT_EQ(delay(line), std::nullopt) << line;
  }
  EXPECT_EQ(delay("Crawl-delay: 0"), absl::ZeroDuration());
  EXPECT_EQ(delay("Crawl-delay: 2\nCrawl-delay: 7\nCrawl-delay: 3"), absl::Seconds(7));
}

TEST(Sitemaps, AreCollectedFromAnywhere) {
  const Robots robots = ForBot(
      "Sitemap: https://h/1.xml\nUser-agent: other\nSITEMAP:https://h/2.xml\nDisallow: /\n"
      "Sitemap:\nSitemap: https://h/3.xml # three\n");
  EXPECT_EQ(robots.sitemaps(),
            (std::vector<std::string>{"https://h/1.xml", "https://h/2.xml", "https://h/3.xml"}));
}

TEST(Access, FollowsTheStatus) {
  constexpr std::string_view kBody = "User-agent: *\nDisallow: /x\n";
  const auto allows = [&](std::optional<int> status, std::string_view path) {
    return Robots::FromResponse(status, kBody, "VerdantBot").Allows(path);
  };
  for (const int status : {200, 203, 299}) {
    EXPECT_FALSE(allows(status, "/x"));
    EXPECT_TRUE(allows(status, "/y"));
  }
  for (const int status : {301, 302, 308, 400, 401, 403, 404, 410, 429, 451}) {
    EXPECT_TRUE(allows(status, "/x")) << status;
  }
  for (const int status : {500, 502, 503, 599, 100, 0, 600, 999, -200}) {
    EXPECT_FALSE(allows(status, "/y")) << status;
    EXPECT_TRUE(allows(status, "/robots.txt")) << status;
  }
  EXPECT_FALSE(allows(std::nullopt, "/y"));
}

}  // namespace
}  // namespace verdant::crawler
