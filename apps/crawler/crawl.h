#ifndef VERDANT_APPS_CRAWLER_CRAWL_H_
#define VERDANT_APPS_CRAWLER_CRAWL_H_

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "apps/crawler/frontier.h"
#include "apps/crawler/scope.h"
#include "apps/crawler/url.h"

namespace verdant::crawler {

// How many redirects in a row are followed; each hop is a URL of the crawl like any other, checked
// against scope, robots.txt and what is known.
inline constexpr int kMaxCrawlRedirects = 10;

struct CrawlOptions {
  ScopeKind scope = ScopeKind::kHost;
  std::optional<std::int64_t> max_pages;
  int max_depth = Scope::kUnlimitedDepth;
  int concurrency = 64;
  int max_per_host = 8;  // requests under way at one host; 1 where a delay is in force
  absl::Duration delay;
  std::string user_agent;
  bool allow_private = false;
  absl::Duration timeout = absl::Seconds(60);              // of one page
  absl::Duration longest_crawl_delay = absl::Seconds(30);  // a longer Crawl-delay is cut to this
  std::int64_t max_body_bytes = 64 << 20;
};

// What became of one URL that was asked for.
struct PageRecord {
  Url url;
  int depth = 0;
  int status = 0;  // 0: no response
  std::int64_t bytes = 0;
  std::string content_type = {};
  absl::Duration elapsed = {};
  std::string redirect = {};  // where a redirect leads, resolved
  std::int64_t links = 0;     // distinct URLs the page links to, in scope or not
  bool noindex = false;
  absl::Status error = {};
};

struct CrawlSummary {
  std::int64_t pages = 0;                         // URLs asked for
  std::int64_t bytes = 0;                         // of bodies, decoded
  std::array<std::int64_t, 6> status_class = {};  // [2] counts 2xx, [0] those without a response
  // By kind: a green::http::FailureName, or "robots" where robots.txt had no answer to take.
  std::map<std::string, std::int64_t> errors;
  std::int64_t robots_denied = 0;
  std::int64_t known = 0;  // URLs in scope that were found
  std::int64_t hosts = 0;
  absl::Duration elapsed;
  std::int64_t peak_memory_bytes = 0;  // of the process
  bool stopped = false;                // by Stop()
  absl::Status output;                 // why on_page ended the crawl
};

// One crawl: from its seeds along the links of their pages, each URL once. Fetching, parsing and
// following run on a GreenPool; policy is the frontier's, the scope's and robots.txt's. Belongs to
// one hub's thread.
class Crawl {
 public:
  // Called for every page in the order they are finished, in the green thread of Run(). Not OK ends
  // the crawl.
  using OnPage = std::function<absl::Status(const PageRecord&)>;

  Crawl(std::vector<Url> seeds, CrawlOptions options, OnPage on_page);
  Crawl(const Crawl&) = delete;
  Crawl& operator=(const Crawl&) = delete;
  ~Crawl();

  // Crawls to the end. Once only.
  CrawlSummary Run();
  // From another green thread or a hub callback: no new page is begun; Run() returns when those
  // under way are done.
  void Stop();
  // The summary so far.
  CrawlSummary Progress() const;
  Frontier::Counts frontier_counts() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// The summary as a person reads it, several lines.
std::string FormatSummary(const CrawlSummary& summary);

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_CRAWL_H_
