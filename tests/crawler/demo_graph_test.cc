#include "apps/crawler/demo_graph.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "apps/crawler/url.h"
#include "apps/crawler/url_trap.h"
#include "gtest/gtest.h"

namespace verdant::crawler {
namespace {

bool Has(const std::vector<std::string>& sorted, std::string_view target) {
  return std::binary_search(sorted.begin(), sorted.end(), target);
}

size_t CountPrefix(const std::vector<std::string>& targets, std::string_view prefix) {
  return static_cast<size_t>(std::count_if(
      targets.begin(), targets.end(),
      [prefix](const std::string& target) { return absl::StartsWith(target, prefix); }));
}

TEST(DemoGraph, TheSameSeedGivesTheSameSite) {
  EXPECT_EQ(DemoGraph(300, 7).Expected(), DemoGraph(300, 7).Expected());
  EXPECT_NE(DemoGraph(300, 7).Expected(), DemoGraph(300, 8).Expected());
}

TEST(DemoGraph, NeedsAPage) {
  EXPECT_THROW(DemoGraph(0, 1), std::logic_error);
  EXPECT_THROW(DemoGraph(-1, 1), std::logic_error);
  EXPECT_TRUE(Has(DemoGraph(1, 1).Expected(), "/"));
}

TEST(DemoGraph, ExpectedIsSortedUniqueAndAboutTheSizeAskedFor) {
  for (const int pages : {1, 10, 1000, 5000}) {
    const std::vector<std::string> expected = DemoGraph(pages, 1).Expected();
    EXPECT_TRUE(std::is_sorted(expected.begin(), expected.end()));
    EXPECT_EQ(std::adjacent_find(expected.begin(), expected.end()), expected.end());
    EXPECT_GT(expected.size(), static_cast<size_t>(pages) * 8 / 10);
    EXPECT_LT(expected.size(), static_cast<size_t>(pages) * 2 + 60);
  }
}

TEST(DemoGraph, TargetsAreCanonical) {
  for (const std::string& target : DemoGraph(2000, 3).Expected()) {
    EXPECT_EQ(Url::Parse(absl::StrCat("http://h", target))->path_and_query(), target);
  }
}

TEST(DemoGraph, HiddenPlacesAreThereButNotExpected) {
  const DemoGraph graph(2000, 1);
  const std::vector<std::string> expected = graph.Expected();
  for (const std::string_view prefix : {"/hidden/", "/unfollowed/", "/never/", "/private/page-",
                                        "/private/from-", "/calendar/month-", "/calendar?"}) {
    EXPECT_EQ(CountPrefix(expected, prefix), 0u) << prefix;
  }
  for (const std::string_view target :
       {"/hidden/1.html", "/unfollowed/0.html", "/never/1.html", "/private/from-1.html",
        "/calendar/month-999.html", "/calendar?month=5"}) {
    EXPECT_TRUE(graph.Find(target).has_value()) << target;
  }
  EXPECT_GT(CountPrefix(expected, "/private/open/"), 0u);
  EXPECT_GT(CountPrefix(expected, "/img/"), 0u);
  EXPECT_GT(CountPrefix(graph.Expected(/*follow_rel_nofollow=*/true), "/unfollowed/"), 0u);
}

TEST(DemoGraph, EndlessPlacesEndWhereTheRulesSay) {
  const std::vector<std::string> expected = DemoGraph(50, 1).Expected();
  EXPECT_TRUE(Has(expected, "/maze/again/again/"));
  EXPECT_FALSE(Has(expected, "/maze/again/again/again/"));
  EXPECT_EQ(CountPrefix(expected, "/spiral/"), 20u);
  EXPECT_EQ(CountPrefix(expected, "/loop/"), 3u);
  EXPECT_EQ(CountPrefix(expected, "/chain/"), 6u);
  EXPECT_EQ(CountPrefix(expected, "/endless/"), static_cast<size_t>(DemoGraph::kMaxRedirects) + 1);
  EXPECT_TRUE(Has(expected, "/calendar/about.html"));
  EXPECT_TRUE(Has(expected, "/nothing-here.html"));
}

TEST(DemoGraph, StylesheetsLeadFurther) {
  const std::vector<std::string> expected = DemoGraph(50, 1).Expected();
  for (const std::string_view target :
       {"/assets/style.css", "/assets/colours.css", "/assets/line%20back.png", "/assets/swatch.png",
        "/img/0-back.png", "/img/0-rule.png"}) {
    EXPECT_TRUE(Has(expected, target)) << target;
  }
}

// The graph says by itself where its traps begin; the crawler's rule has to say the same.
TEST(DemoGraph, TrapsAreWhereTheTrapRuleSeesThem) {
  const DemoGraph graph(50, 1);
  std::string maze = "/maze/";
  std::string spiral = "/spiral/";
  for (int level = 0; level < 30; ++level) {
    for (const std::string& target : {maze, spiral}) {
      EXPECT_EQ(graph.Find(target)->fate == DemoNode::Fate::kTrap,
                FindUrlTrap(target) != UrlTrap::kNone)
          << target;
    }
    maze += "again/";
    absl::StrAppend(&spiral, level + 1, "/");
  }
  for (const std::string& target : DemoGraph(2000, 1).Expected()) {
    EXPECT_EQ(FindUrlTrap(target.substr(0, target.find('?'))), UrlTrap::kNone) << target;
  }
}

TEST(DemoGraph, UnknownTargetsAreNowhere) {
  const DemoGraph graph(100, 1);
  for (const std::string_view target : {"",
                                        "x",
                                        "/nothing-here.html",
                                        "/page-100.html",
                                        "/page-.html",
                                        "/page-007.html",
                                        "/page-99999999999999999999999.html",
                                        "/maze/again",
                                        "/maze/x/",
                                        "/spiral/2/",
                                        "/loop/d",
                                        "/chain/6",
                                        "/chain/-1",
                                        "/endless/",
                                        "/calendar?month=",
                                        "/img/1-3x.png",
                                        "/img/100-1x.png",
                                        "/never/x.html",
                                        "//",
                                        "/view?id=1&lang=de"}) {
    EXPECT_FALSE(graph.Find(target).has_value()) << target;
  }
}

TEST(DemoGraph, HoldsEveryKindOfThing) {
  const DemoGraph graph(2000, 1);
  size_t redirects = 0, missing = 0, gone = 0, gzip = 0, slow = 0, bases = 0, noindex = 0;
  size_t nofollow = 0, foreign_redirects = 0, text = 0;
  for (const std::string& target : graph.Expected()) {
    const std::optional<DemoNode> node = graph.Find(target);
    if (!node) continue;
    redirects += node->redirect ? 1 : 0;
    foreign_redirects += node->redirect && absl::StartsWith(*node->redirect, "http") ? 1 : 0;
    missing += node->status == 404 ? 1 : 0;
    gone += node->status == 410 ? 1 : 0;
    gzip += node->gzip ? 1 : 0;
    slow += node->delay_ms > 0 ? 1 : 0;
    bases += node->base ? 1 : 0;
    noindex += node->noindex ? 1 : 0;
    nofollow += node->meta_nofollow || node->header_nofollow ? 1 : 0;
    text += node->body == DemoNode::Body::kText ? 1 : 0;
  }
  for (const size_t count :
       {redirects, foreign_redirects, missing, gone, gzip, slow, bases, noindex, nofollow, text}) {
    EXPECT_GT(count, 0u);
  }
}

}  // namespace
}  // namespace verdant::crawler
