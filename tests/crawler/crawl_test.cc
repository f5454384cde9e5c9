#include "apps/crawler/crawl.h"

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "hub/clock.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "tests/testing/loopback_server.h"

namespace verdant::crawler {
namespace {

using testing::WebServer;
using Strings = std::vector<std::string>;

struct Page {
  std::string body = {};
  int status = 200;
  std::string type = "text/html";
  std::vector<std::pair<std::string, std::string>> headers = {};
};

using Pages = std::map<std::string, Page>;

// A site of a few pages; the rest is 404. Remembers what it was asked for and when.
class Site {
 public:
  explicit Site(Pages pages)
      : pages_(std::move(pages)),
        server_([this](net::HttpRequest& request, net::HttpResponse& response) {
          Answer(request, response);
        }) {}

  std::string Url(std::string_view path) const { return server_.Url(path); }
  std::uint16_t port() const { return server_.port(); }
  std::size_t connections() const { return server_.counts().connections; }

  Strings asked;  // robots.txt aside
  std::vector<std::int64_t> asked_at;
  std::function<void(std::string_view target)> before_answer;

 private:
  void Answer(net::HttpRequest& request, net::HttpResponse& response) {
    const std::string target(request.target());
    if (target != "/robots.txt") {
      asked.push_back(target);
      asked_at.push_back(Clock::Monotonic().NowNanos());
      if (before_answer) before_answer(target);
    }
    const auto page = pages_.find(target);
    if (page == pages_.end()) {
      response.SetStatus(404);
      response.headers().Add("Content-Type", "text/html");
      (void)response.Write("<a href=/linked-from-404>x</a>");
      return;
    }
    response.SetStatus(page->second.status);
    response.headers().Add("Content-Type", page->second.type);
    for (const auto& [name, value] : page->second.headers) response.headers().Add(name, value);
    (void)response.Write(page->second.body);
  }

  const Pages pages_;
  WebServer server_;
};

CrawlOptions Options() {
  CrawlOptions options;
  options.user_agent = "VerdantBot/0.1";
  options.allow_private = true;
  return options;
}

struct Result {
  CrawlSummary summary;
  std::vector<PageRecord> records;

  const PageRecord& Of(std::string_view url) const {
    const auto found =
        std::find_if(records.begin(), records.end(),
                     [url](const PageRecord& record) { return record.url.href() == url; });
    EXPECT_NE(found, records.end()) << url;
    return *found;
  }
};

Result RunCrawl(const Strings& seeds, const CrawlOptions& options) {
  Result result;
  std::vector<Url> urls;
  for (const std::string& seed : seeds) urls.push_back(*Url::Parse(seed));
  Crawl crawl(urls, options, [&result](const PageRecord& record) {
    result.records.push_back(record);
    return absl::OkStatus();
  });
  result.summary = crawl.Run();
  return result;
}

Strings Sorted(Strings strings) {
  std::sort(strings.begin(), strings.end());
  return strings;
}

TEST(Crawl, FollowsLinksAndAsksForEachUrlOnce) {
  Site site({{"/", {"<a href=a.html></a><a href=/b.html></a><a href=#top></a><img src=i.png>"}},
             {"/a.html", {"<a href=b.html></a><a href=./a.html#x></a><a href=/></a>"}},
             {"/b.html", {"<link rel=stylesheet href=s.css>"}},
             {"/i.png", {"<a href=/not-html>", 200, "image/png"}},
             {"/s.css", {"@import 't.css'; a { b: url(u.png) }", 200, "Text/CSS; charset=utf-8"}},
             {"/t.css", {"a { b: url(s.css) }", 200, "text/css"}},
             {"/u.png", {"", 200, "image/png"}}});
  const Result result = RunCrawl({site.Url("/"), site.Url("/#again")}, Options());
  EXPECT_EQ(Sorted(site.asked),
            (Strings{"/", "/a.html", "/b.html", "/i.png", "/s.css", "/t.css", "/u.png"}));
  EXPECT_EQ(result.summary.pages, 7);
  EXPECT_EQ(result.summary.known, 7);
  EXPECT_EQ(result.summary.hosts, 1);
  EXPECT_EQ(result.summary.status_class[2], 7);
  EXPECT_TRUE(result.summary.errors.empty());
  EXPECT_GT(result.summary.peak_memory_bytes, 0);
  EXPECT_FALSE(result.summary.stopped);
  const PageRecord& start = result.Of(site.Url("/"));
  EXPECT_EQ(start.depth, 0);
  EXPECT_EQ(start.links, 4);
  EXPECT_EQ(start.content_type, "text/html");
  EXPECT_EQ(result.Of(site.Url("/u.png")).depth, 3);
}

TEST(Crawl, LinksOfErrorPagesAreNotFollowed) {
  Site site({{"/", {"<a href=/gone></a><a href=/broken></a>"}},
             {"/broken", {"<a href=/never></a>", 500}}});
  const Result result = RunCrawl({site.Url("/")}, Options());
  EXPECT_EQ(Sorted(site.asked), (Strings{"/", "/broken", "/gone"}));
  EXPECT_EQ(result.summary.status_class[4], 1);
  EXPECT_EQ(result.summary.status_class[5], 1);
  EXPECT_EQ(result.Of(site.Url("/gone")).status, 404);
  EXPECT_TRUE(result.Of(site.Url("/gone")).error.ok());
}

TEST(Crawl, ARedirectIsALinkToFollow) {
  Site site({{"/", {"<a href=/old></a>"}},
             {"/old", {"", 301, "text/html", {{"Location", "/new"}}}},
             {"/new", {"<a href=/deep></a>"}},
             {"/deep", {}}});
  CrawlOptions options = Options();
  options.max_depth = 2;
  const Result result = RunCrawl({site.Url("/")}, options);
  EXPECT_EQ(site.asked, (Strings{"/", "/old", "/new", "/deep"}));
  EXPECT_EQ(result.Of(site.Url("/old")).redirect, site.Url("/new"));
  EXPECT_EQ(result.Of(site.Url("/new")).depth, 1);
  EXPECT_EQ(result.Of(site.Url("/deep")).depth, 2);
}

TEST(Crawl, RedirectsInCirclesAndWithoutEndAreLeft) {
  Pages pages = {{"/", {"<a href=/loop-a></a><a href=/0></a><a href=/bad></a>"}},
                 {"/loop-a", {"", 302, "text/html", {{"Location", "/loop-b"}}}},
                 {"/loop-b", {"", 302, "text/html", {{"Location", "/loop-a"}}}},
                 {"/bad", {"", 302, "text/html", {{"Location", "ftp://example.org/"}}}}};
  for (int i = 0; i < 30; ++i) {
    pages[absl::StrCat("/", i)] = {"", 302, "text/html", {{"Location", absl::StrCat("/", i + 1)}}};
  }
  Site site(pages);
  const Result result = RunCrawl({site.Url("/")}, Options());
  EXPECT_EQ(site.asked.size(), 4u + 1 + kMaxCrawlRedirects);
  EXPECT_EQ(result.summary.errors.at("redirects"), 1);
  EXPECT_EQ(result.summary.errors.at("bad_url"), 1);
  const std::string last = site.Url(absl::StrCat("/", kMaxCrawlRedirects));
  EXPECT_TRUE(absl::StrContains(result.Of(last).error.message(), last)) << result.Of(last).error;
}

TEST(Crawl, RobotsTxtIsObeyed) {
  Site site({{"/robots.txt",
              {"User-agent: *\nDisallow: /private\nAllow: /private/open\n", 200, "text/plain"}},
             {"/", {"<a href=/private/x></a><a href=/private/open></a><a href=/redirect></a>"}},
             {"/private/open", {}},
             {"/redirect", {"", 302, "text/html", {{"Location", "/private/y"}}}}});
  const Result result = RunCrawl({site.Url("/"), site.Url("/private/seed")}, Options());
  EXPECT_EQ(Sorted(site.asked), (Strings{"/", "/private/open", "/redirect"}));
  EXPECT_EQ(result.summary.robots_denied, 3);
  EXPECT_EQ(result.summary.pages, 3);
}

TEST(Crawl, WhatPagesAskOfRobotsIsObeyed) {
  Site site({{"/",
              {"<a href=/meta></a><a href=/header></a><a href=/rel rel=nofollow></a>"
               "<a href=/noindex></a>"}},
             {"/meta", {"<meta name=robots content=nofollow><a href=/never1></a>"}},
             {"/header", {"<a href=/never2></a>", 200, "text/html", {{"X-Robots-Tag", "none"}}}},
             {"/noindex", {"<meta name=verdantbot content=noindex><a href=/yes></a>"}},
             {"/yes", {}}});
  const Result result = RunCrawl({site.Url("/")}, Options());
  EXPECT_EQ(Sorted(site.asked), (Strings{"/", "/header", "/meta", "/noindex", "/yes"}));
  EXPECT_TRUE(result.Of(site.Url("/noindex")).noindex);
  EXPECT_TRUE(result.Of(site.Url("/header")).noindex);
  EXPECT_FALSE(result.Of(site.Url("/meta")).noindex);
  EXPECT_EQ(result.Of(site.Url("/meta")).links, 1);
}

// A tree in which each page links to two more.
void Binary(Pages* pages, const std::string& path, int levels) {
  (*pages)[path] = {absl::StrCat("<a href=", path, "0></a><a href=", path, "1></a>")};
  if (levels == 0) return;
  Binary(pages, path + "0", levels - 1);
  Binary(pages, path + "1", levels - 1);
}

TEST(Crawl, ThePageLimitIsExact) {
  Pages pages = {{"/robots.txt", {"User-agent: *\nDisallow: /00", 200}}};
  Binary(&pages, "/", 7);
  for (const int limit : {1, 2, 17, 64}) {
    Site site(pages);
    CrawlOptions options = Options();
    options.max_pages = limit;
    const Result result = RunCrawl({site.Url("/")}, options);
    EXPECT_EQ(site.asked.size(), static_cast<std::size_t>(limit));
    EXPECT_EQ(result.summary.pages, limit);
  }
}

TEST(Crawl, TheDepthLimitCountsLinks) {
  Pages pages;
  Binary(&pages, "/", 7);
  for (const int depth : {0, 1, 3}) {
    Site site(pages);
    CrawlOptions options = Options();
    options.max_depth = depth;
    RunCrawl({site.Url("/")}, options);
    EXPECT_EQ(site.asked.size(), (std::size_t{2} << depth) - 1);
  }
}

TEST(Crawl, TheScopeIsKept) {
  Site other(Pages{{"/", {"<a href=/more></a>"}}});
  Site site(
      {{"/dir/",
        {absl::StrCat("<a href=sub/x></a><a href=/outside></a><a href=", other.Url("/"), "></a>")}},
       {"/dir/sub/x", {"<a href=/dir/y></a>"}}});
  CrawlOptions options = Options();
  options.scope = ScopeKind::kPrefix;
  RunCrawl({site.Url("/dir/")}, options);
  EXPECT_EQ(Sorted(site.asked), (Strings{"/dir/", "/dir/sub/x", "/dir/y"}));
  site.asked.clear();
  options.scope = ScopeKind::kHost;
  RunCrawl({site.Url("/dir/")}, options);
  EXPECT_EQ(site.asked.size(), 4u);
  EXPECT_EQ(other.asked.size(), 0u);
  options.scope = ScopeKind::kAny;
  const Result result = RunCrawl({site.Url("/dir/")}, options);
  EXPECT_EQ(Sorted(other.asked), (Strings{"/", "/more"}));
  EXPECT_EQ(result.summary.hosts, 2);
}

TEST(Crawl, ADelayIsLeftBetweenRequestsToAHost) {
  for (const bool by_robots : {false, true}) {
    Pages pages = {{"/", {"<a href=/1></a><a href=/2></a><a href=/3></a><a href=/4></a>"}}};
    if (by_robots) pages["/robots.txt"] = {"User-agent: *\nCrawl-delay: 0.05\n", 200};
    Site site(pages);
    CrawlOptions options = Options();
    options.delay = by_robots ? absl::Milliseconds(10) : absl::Milliseconds(50);
    RunCrawl({site.Url("/")}, options);
    ASSERT_EQ(site.asked_at.size(), 5u);
    for (std::size_t i = 1; i < site.asked_at.size(); ++i) {
      // The request's way to the server may take longer for one than for the next.
      EXPECT_GE(site.asked_at[i] - site.asked_at[i - 1], 40'000'000) << i;
    }
  }
}

TEST(Crawl, ABusyServerIsLeftAloneAsLongAsItAsks) {
  Site site({{"/busy", {"", 503, "text/html", {{"Retry-After", "1"}}}}, {"/next", {}}});
  CrawlOptions options = Options();
  options.max_per_host = 1;
  RunCrawl({site.Url("/busy"), site.Url("/next")}, options);
  ASSERT_EQ(site.asked, (Strings{"/busy", "/next"}));
  EXPECT_GE(site.asked_at[1] - site.asked_at[0], 900'000'000);
}

TEST(Crawl, StopFinishesWhatIsUnderWay) {
  Pages pages;
  Binary(&pages, "/", 6);
  Site site(pages);
  Event<> reached;
  Event<> go;
  site.before_answer = [&](std::string_view) {
    if (site.asked.size() < 5) return;
    if (!reached.Ready()) reached.Send();
    go.Wait();
  };
  std::size_t records = 0;
  CrawlOptions options = Options();
  options.max_per_host = 3;
  Crawl crawl({*Url::Parse(site.Url("/"))}, options, [&records](const PageRecord& record) {
    EXPECT_TRUE(record.error.ok()) << record.error;
    ++records;
    return absl::OkStatus();
  });
  auto running = Spawn([&crawl] { return crawl.Run(); });
  reached.Wait();
  crawl.Stop();
  go.Send();
  const CrawlSummary summary = running.Wait();
  EXPECT_TRUE(summary.stopped);
  EXPECT_EQ(records, site.asked.size());
  EXPECT_EQ(summary.pages, static_cast<std::int64_t>(records));
  EXPECT_LE(records, 8u);
  EXPECT_TRUE(absl::StrContains(FormatSummary(summary), "stopped before the end"));
}

TEST(Crawl, OutputThatFailsEndsTheCrawl) {
  Pages pages;
  Binary(&pages, "/", 6);
  Site site(pages);
  CrawlOptions options = Options();
  options.concurrency = 2;
  int records = 0;
  Crawl crawl({*Url::Parse(site.Url("/"))}, options, [&records](const PageRecord&) {
    return ++records == 3 ? absl::ResourceExhaustedError("disk full") : absl::OkStatus();
  });
  const CrawlSummary summary = crawl.Run();
  EXPECT_EQ(summary.output.message(), "disk full");
  EXPECT_EQ(records, 3);
  EXPECT_LT(site.asked.size(), 10u);
}

TEST(Crawl, ADeadHostIsAnErrorThatNamesUrlAndCause) {
  const std::string dead = absl::StrCat("http://127.0.0.1:", testing::RefusingPort(), "/");
  Site site(Pages{{"/", {absl::StrCat("<a href=", dead, "></a>")}}});
  CrawlOptions options = Options();
  options.scope = ScopeKind::kAny;
  const Result result = RunCrawl({site.Url("/")}, options);
  EXPECT_EQ(result.summary.pages, 2);
  EXPECT_EQ(result.summary.status_class[0], 1);
  EXPECT_EQ(result.summary.errors.at("connect"), 1);
  EXPECT_EQ(result.summary.robots_denied, 0);
  const PageRecord& record = result.Of(dead);
  EXPECT_EQ(record.status, 0);
  EXPECT_TRUE(absl::StrContains(record.error.message(), absl::StrCat(dead, "robots.txt")))
      << record.error;
}

TEST(Crawl, PrivateAddressesAreRefusedUnlessAllowed) {
  Site site(Pages{{"/", {}}});
  CrawlOptions options = Options();
  options.allow_private = false;
  for (const std::string& url :
       {site.Url("/"), absl::StrCat("http://localhost:", site.port(), "/")}) {
    const Result result = RunCrawl({url}, options);
    EXPECT_EQ(result.summary.errors.at("blocked"), 1);
    EXPECT_TRUE(absl::StrContains(result.records[0].error.message(), "--allow-private"));
  }
  EXPECT_EQ(site.connections(), 0u);
}

TEST(Crawl, ConnectionsToAHostAreReused) {
  Pages pages;
  Binary(&pages, "/", 6);
  Site site(pages);
  CrawlOptions options = Options();
  options.max_per_host = 2;
  RunCrawl({site.Url("/")}, options);
  EXPECT_EQ(site.asked.size(), 255u);
  EXPECT_LE(site.connections(), 2u);
}

TEST(Crawl, RunsOnceOnly) {
  Site site(Pages{{"/", {}}});
  Crawl crawl({*Url::Parse(site.Url("/"))}, Options(),
              [](const PageRecord&) { return absl::OkStatus(); });
  crawl.Run();
  EXPECT_THROW(crawl.Run(), std::logic_error);
}

TEST(Crawl, TheSummaryIsForPeople) {
  CrawlSummary summary;
  summary.pages = 12;
  summary.bytes = 3456;
  summary.status_class = {1, 0, 9, 1, 1, 0};
  summary.errors = {{"dns", 1}, {"timeout", 2}};
  summary.robots_denied = 4;
  summary.known = 20;
  summary.hosts = 2;
  summary.elapsed = absl::Seconds(3);
  summary.peak_memory_bytes = 5 << 20;
  const std::string text = FormatSummary(summary);
  for (const std::string_view part :
       {"12 in 3.00 s, 4.0 pages/s", "3456", "2xx 9", "3xx 1", "4xx 1", "none 1", "dns 1",
        "timeout 2", "denied   4", "20 on 2 hosts", "5.0 MiB"}) {
    EXPECT_TRUE(absl::StrContains(text, part)) << part << "\n" << text;
  }
  EXPECT_FALSE(absl::StrContains(text, "stopped"));
}

}  // namespace
}  // namespace verdant::crawler
