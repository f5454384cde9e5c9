#include "apps/crawler/demo_web.h"

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "apps/crawler/css_links.h"
#include "apps/crawler/demo_graph.h"
#include "apps/crawler/links.h"
#include "apps/crawler/page_urls.h"
#include "apps/crawler/robots.h"
#include "apps/crawler/robots_directives.h"
#include "apps/crawler/scope.h"
#include "apps/crawler/url.h"
#include "apps/crawler/url_trap.h"
#include "gtest/gtest.h"

namespace verdant::crawler {
namespace {

constexpr std::string_view kOrigin = "http://127.0.0.1:8099";
constexpr std::string_view kToken = "VerdantBot";

std::string HeaderOf(const DemoResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "";
}

std::string Gunzip(std::string_view data) {
  z_stream stream = {};
  EXPECT_EQ(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  std::string out;
  int result = Z_OK;
  while (result == Z_OK) {
    char buffer[4096];
    stream.next_out = reinterpret_cast<Bytef*>(buffer);
    stream.avail_out = sizeof(buffer);
    result = inflate(&stream, Z_NO_FLUSH);
    out.append(buffer, sizeof(buffer) - stream.avail_out);
  }
  EXPECT_EQ(result, Z_STREAM_END);
  inflateEnd(&stream);
  return out;
}

// A crawl by this program's own rules, one page at a time and without a network.
class SmallCrawler {
 public:
  explicit SmallCrawler(const DemoWeb& web)
      : web_(web),
        seed_(*Url::Parse(absl::StrCat(kOrigin, kDemoStart))),
        scope_(ScopeKind::kHost, {seed_}),
        robots_(Robots::Parse(web.Respond("/robots.txt", kOrigin).body, kToken)),
        extractor_(kToken) {}

  std::vector<std::string> Crawl(bool follow_rel_nofollow) {
    Reach(seed_, 0);
    while (!queue_.empty()) {
      const Step step = queue_.front();
      queue_.pop_front();
      Visit(step, follow_rel_nofollow);
    }
    return {visited_.begin(), visited_.end()};
  }

 private:
  struct Step {
    Url url;
    int redirects;
  };

  void Reach(const Url& url, int redirects) {
    if (!scope_.Contains(url) || !robots_.Allows(url.path_and_query())) return;
    if (FindUrlTrap(url.path()) != UrlTrap::kNone) return;
    if (visited_.emplace(url.path_and_query()).second) queue_.push_back({url, redirects});
  }

  void Visit(const Step& step, bool follow_rel_nofollow) {
    const DemoResponse response = web_.Respond(step.url.path_and_query(), kOrigin);
    if (const std::string location = HeaderOf(response, "Location"); !location.empty()) {
      if (step.redirects < DemoGraph::kMaxRedirects) {
        Reach(*step.url.Resolve(location), step.redirects + 1);
      }
      return;
    }
    if (response.status != 200) return;
    const std::string type = HeaderOf(response, "Content-Type");
    if (type == "text/css") {
      for (const std::string_view form : {"@import '", "u\\72l("}) {
        EXPECT_TRUE(absl::StrContains(response.body, form)) << response.body;
      }
      CssLinkExtractor css;
      css.Feed(response.body);
      for (const CssLink& link : css.Finish().links) Reach(*step.url.Resolve(link.url), 0);
    }
    if (!absl::StartsWith(type, "text/html")) return;
    const bool gzip = HeaderOf(response, "Content-Encoding") == "gzip";
    extractor_.Feed(gzip ? Gunzip(response.body) : response.body);
    PageLinks page = extractor_.Finish();
    for (const auto& [name, value] : response.headers) {
      if (name == "X-Robots-Tag") AddRobotsTagHeader(value, kToken, &page.directives);
    }
    if (page.directives.nofollow) return;
    for (const PageUrl& found : ResolvePageUrls(step.url, page)) {
      if (found.nofollow && !follow_rel_nofollow) continue;
      Reach(found.url, 0);
    }
  }

  const DemoWeb& web_;
  const Url seed_;
  const Scope scope_;
  const Robots robots_;
  LinkExtractor extractor_;
  std::set<std::string> visited_;
  std::deque<Step> queue_;
};

TEST(DemoWeb, ACrawlByTheRulesVisitsExactlyTheExpectedPages) {
  for (const uint64_t seed : {0u, 1u, 2u, 12345u}) {
    const DemoWeb web(700, seed);
    for (const bool follow : {false, true}) {
      const std::vector<std::string> expected = web.Expected(follow);
      const std::vector<std::string> visited = SmallCrawler(web).Crawl(follow);
      std::vector<std::string> difference;
      std::set_symmetric_difference(expected.begin(), expected.end(), visited.begin(),
                                    visited.end(), std::back_inserter(difference));
      EXPECT_TRUE(difference.empty())
          << "seed " << seed << ": " << difference.size() << " differ, first " << difference[0];
    }
  }
}

TEST(DemoWeb, TheSmallestSiteWorksToo) {
  const DemoWeb web(1, 1);
  EXPECT_EQ(SmallCrawler(web).Crawl(false), web.Expected());
}

TEST(DemoWeb, AnswersAreAPureFunction) {
  const DemoWeb a(200, 5);
  const DemoWeb b(200, 5);
  for (const std::string& target : a.Expected()) {
    const DemoResponse first = a.Respond(target, kOrigin);
    const DemoResponse second = b.Respond(target, kOrigin);
    EXPECT_EQ(first.status, second.status);
    EXPECT_EQ(first.headers, second.headers);
    EXPECT_EQ(first.body, second.body);
    EXPECT_EQ(first.delay_ms, second.delay_ms);
  }
}

TEST(DemoWeb, GzipOnlyWhereItIsAccepted) {
  const DemoWeb web(300, 1);
  int compressed = 0;
  for (const std::string& target : web.Expected()) {
    const DemoResponse gzip = web.Respond(target, kOrigin);
    const DemoResponse plain = web.Respond(target, kOrigin, /*accept_gzip=*/false);
    EXPECT_EQ(HeaderOf(plain, "Content-Encoding"), "");
    if (HeaderOf(gzip, "Content-Encoding") == "gzip") {
      ++compressed;
      EXPECT_EQ(Gunzip(gzip.body), plain.body);
    } else {
      EXPECT_EQ(gzip.body, plain.body);
    }
  }
  EXPECT_GT(compressed, 0);
}

TEST(DemoWeb, RedirectsSayWhere) {
  const DemoWeb web(10, 1);
  const DemoResponse loop = web.Respond("/loop/a", kOrigin);
  EXPECT_EQ(loop.status, 301);
  EXPECT_EQ(absl::StripPrefix(HeaderOf(loop, "Location"), kOrigin), "/loop/b");
  EXPECT_EQ(web.Respond("/endless/41", kOrigin).status, 302);
}

TEST(DemoWeb, AnyTextIsAnswered) {
  const DemoWeb web(10, 1);
  for (const std::string_view target :
       {"", "*", "x", "/<script>alert(1)</script>", "/\r\nX: y", "\xFF\x00", "/no?<a href=x>"}) {
    const DemoResponse response = web.Respond(target, kOrigin);
    EXPECT_EQ(response.status, 404);
    EXPECT_FALSE(absl::StrContains(response.body, "alert"));
  }
}

TEST(DemoWeb, SlowPagesAreNotTooSlow) {
  const DemoWeb web(2000, 1);
  int slow = 0;
  for (const std::string& target : web.Expected()) {
    const int delay = web.Respond(target, kOrigin).delay_ms;
    EXPECT_LT(delay, 100);
    if (delay > 0) ++slow;
  }
  EXPECT_GT(slow, 5);
}

}  // namespace
}  // namespace verdant::crawler
