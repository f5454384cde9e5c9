#include "apps/crawler/crawl.h"

#include <sys/resource.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "apps/crawler/address_guard.h"
#include "apps/crawler/memory_frontier.h"
#include "apps/crawler/page_fetcher.h"
#include "apps/crawler/robots.h"
#include "apps/crawler/robots_cache.h"
#include "apps/crawler/url_trap.h"
#include "green/http.h"
#include "pool/green_pool.h"

namespace verdant::crawler {
namespace {

constexpr absl::Duration kLongestRetryAfter = absl::Minutes(2);

green::http::ClientOptions ClientOptionsOf(const CrawlOptions& options) {
  green::http::ClientOptions client;
  client.user_agent = options.user_agent;
  client.max_connections_per_host = options.max_per_host;
  client.max_idle_connections = std::max(256, options.concurrency);
  if (!options.allow_private) client.address_filter = &CheckPublicAddress;
  return client;
}

// The frontier as the input range of an imap: walking it parks until the next URL may be fetched.
class FrontierRange {
 public:
  explicit FrontierRange(Frontier& frontier) : frontier_(&frontier) {}

  class Iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = FrontierUrl;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    explicit Iterator(FrontierRange* range) : range_(range) { ++*this; }
    const FrontierUrl& operator*() const { return *range_->current_; }
    Iterator& operator++() {
      range_->current_ = range_->frontier_->Next();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool AtEnd() const { return !range_->current_.has_value(); }
    friend bool operator==(const Iterator& it, std::default_sentinel_t) { return it.AtEnd(); }

   private:
    FrontierRange* range_ = nullptr;
  };

  Iterator begin() { return Iterator(this); }
  std::default_sentinel_t end() const { return {}; }

 private:
  Frontier* frontier_;
  std::optional<FrontierUrl> current_;
};

std::string ErrorKind(const absl::Status& status) {
  const green::http::Failure failure = green::http::FailureOf(status);
  if (failure != green::http::Failure::kOther)
    return std::string(green::http::FailureName(failure));
  if (absl::IsOutOfRange(status)) return "redirects";
  if (absl::IsInvalidArgument(status)) return "bad_url";
  if (absl::IsUnavailable(status)) return "robots";
  return "other";
}

std::int64_t PeakMemoryBytes() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{usage.ru_maxrss} * 1024;
}

}  // namespace

class Crawl::Impl {
 public:
  Impl(std::vector<Url> seeds, CrawlOptions options, OnPage on_page)
      : seeds_(std::move(seeds)),
        options_(std::move(options)),
        on_page_(std::move(on_page)),
        product_token_(ProductToken(options_.user_agent)),
        scope_(options_.scope, seeds_, options_.max_depth),
        frontier_({options_.delay, options_.max_per_host, options_.max_pages}),
        client_(ClientOptionsOf(options_)),
        robots_(client_, {.product_token = product_token_}),
        fetcher_(client_, options_, product_token_) {}

  CrawlSummary Run();
  void Stop() {
    summary_.stopped = true;
    frontier_.Stop();
  }
  CrawlSummary Progress() const;
  Frontier::Counts frontier_counts() const { return frontier_.counts(); }

 private:
  struct Outcome {
    FrontierUrl target;
    std::optional<FetchedPage> page;  // none: robots.txt forbids it
  };
  Outcome Visit(const FrontierUrl& target);
  void Take(const Outcome& outcome);
  void Offer(const Url& url, int depth, int redirects);
  void BackOff(const FetchedPage& page);

  const std::vector<Url> seeds_;
  const CrawlOptions options_;
  const OnPage on_page_;
  const std::string product_token_;
  const Scope scope_;
  MemoryFrontier frontier_;
  green::http::Client client_;
  RobotsCache robots_;
  PageFetcher fetcher_;
  CrawlSummary summary_;
  std::int64_t began_ = 0;
};

Crawl::Impl::Outcome Crawl::Impl::Visit(const FrontierUrl& target) {
  const RobotsAnswer robots = robots_.Get(target.url);
  const absl::Duration delay =
      std::max(options_.delay, std::min(robots.rules->crawl_delay().value_or(absl::ZeroDuration()),
                                        options_.longest_crawl_delay));
  if (delay > absl::ZeroDuration()) {
    frontier_.SlowDown(target.url, delay);
    // From now, however long robots.txt took.
    frontier_.Pause(target.url, delay);
  }
  if (!robots.unreachable.ok()) {
    FetchedPage page{.record = {.url = target.url}};
    page.record.depth = target.depth;
    page.record.error = robots.unreachable;
    return {target, std::move(page)};
  }
  if (!robots.rules->Allows(target.url.path_and_query())) return {target, std::nullopt};
  return {target, fetcher_.Fetch(target)};
}

void Crawl::Impl::Offer(const Url& url, int depth, int redirects) {
  if (scope_.Judge(url, depth) != Scope::Verdict::kInside) return;
  if (FindUrlTrap(url.path()) != UrlTrap::kNone) return;
  frontier_.Add({url, depth, redirects});
}

void Crawl::Impl::BackOff(const FetchedPage& page) {
  if (page.record.status != 429 && page.record.status != 503) return;
  std::int64_t seconds = 0;
  if (!absl::SimpleAtoi(page.retry_after, &seconds) || seconds <= 0) return;
  frontier_.Pause(page.record.url, std::min(absl::Seconds(seconds), kLongestRetryAfter));
}

void Crawl::Impl::Take(const Outcome& outcome) {
  if (!outcome.page.has_value()) {
    ++summary_.robots_denied;
    frontier_.Done(outcome.target, /*asked=*/false);
    return;
  }
  const FetchedPage& page = *outcome.page;
  // Links go in before the page is done: the frontier must not look empty in between.
  if (page.redirect.has_value()) {
    Offer(*page.redirect, outcome.target.depth, outcome.target.redirects + 1);
  }
  for (const PageUrl& link : page.links) {
    if (!link.nofollow) Offer(link.url, outcome.target.depth + 1, 0);
  }
  BackOff(page);
  frontier_.Done(outcome.target, /*asked=*/true);

  const PageRecord& record = page.record;
  ++summary_.pages;
  summary_.bytes += record.bytes;
  const int status_class = record.status / 100;
  ++summary_.status_class[static_cast<std::size_t>(
      status_class >= 1 && status_class <= 5 ? status_class : 0)];
  if (!record.error.ok()) ++summary_.errors[ErrorKind(record.error)];
  if (summary_.output.ok()) {
    summary_.output = on_page_(record);
    if (!summary_.output.ok()) frontier_.Stop();
  }
}

CrawlSummary Crawl::Impl::Run() {
  if (began_ != 0) throw std::logic_error("Crawl::Run was called twice");
  began_ = Hub::Current().NowNanos();
  // A seed is wanted whatever it looks like, and whatever the scope makes of it.
  for (const Url& seed : seeds_) frontier_.Add({seed, 0, 0});
  GreenPool pool(static_cast<std::size_t>(options_.concurrency));
  auto outcomes = pool.ImapUnordered([this](const FrontierUrl& target) { return Visit(target); },
                                     FrontierRange(frontier_));
  while (std::optional<Outcome> outcome = outcomes.Next()) Take(*outcome);
  return Progress();
}

CrawlSummary Crawl::Impl::Progress() const {
  CrawlSummary summary = summary_;
  const Frontier::Counts counts = frontier_.counts();
  summary.known = counts.known;
  summary.hosts = counts.hosts;
  summary.elapsed = absl::Nanoseconds(Hub::Current().NowNanos() - began_);
  summary.peak_memory_bytes = PeakMemoryBytes();
  return summary;
}

Crawl::Crawl(std::vector<Url> seeds, CrawlOptions options, OnPage on_page)
    : impl_(std::make_unique<Impl>(std::move(seeds), std::move(options), std::move(on_page))) {}
Crawl::~Crawl() = default;
CrawlSummary Crawl::Run() { return impl_->Run(); }
void Crawl::Stop() { impl_->Stop(); }
CrawlSummary Crawl::Progress() const { return impl_->Progress(); }
Frontier::Counts Crawl::frontier_counts() const { return impl_->frontier_counts(); }

std::string FormatSummary(const CrawlSummary& summary) {
  const double seconds = std::max(1e-9, absl::ToDoubleSeconds(summary.elapsed));
  std::string text = absl::StrFormat("pages           %d in %.2f s, %.1f pages/s\n", summary.pages,
                                     seconds, static_cast<double>(summary.pages) / seconds);
  absl::StrAppendFormat(&text, "bytes           %d\n", summary.bytes);
  text += "status          ";
  for (std::size_t i = 1; i < summary.status_class.size(); ++i) {
    absl::StrAppendFormat(&text, "%dxx %d  ", i, summary.status_class[i]);
  }
  absl::StrAppendFormat(&text, "none %d\n", summary.status_class[0]);
  text += "errors          ";
  if (summary.errors.empty()) text += "none";
  for (const auto& [kind, count] : summary.errors)
    absl::StrAppendFormat(&text, "%s %d  ", kind, count);
  absl::StrAppendFormat(&text, "\nrobots denied   %d\n", summary.robots_denied);
  absl::StrAppendFormat(&text, "known URLs      %d on %d hosts\n", summary.known, summary.hosts);
  absl::StrAppendFormat(&text, "peak memory     %.1f MiB\n",
                        static_cast<double>(summary.peak_memory_bytes) / (1 << 20));
  if (summary.stopped) text += "stopped before the end\n";
  return text;
}

}  // namespace verdant::crawler
