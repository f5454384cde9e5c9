#ifndef VERDANT_APPS_CRAWLER_PAGE_FETCHER_H_
#define VERDANT_APPS_CRAWLER_PAGE_FETCHER_H_

#include <memory>
#include <string>
#include <vector>

#include "apps/crawler/crawl.h"
#include "apps/crawler/frontier.h"
#include "apps/crawler/links.h"
#include "apps/crawler/page_urls.h"
#include "green/http.h"

namespace verdant::crawler {

// One page fetched: what is to be recorded of it, and where it leads.
struct FetchedPage {
  PageRecord record;
  std::vector<PageUrl> links = {};   // none if the page asks robots not to follow them
  std::optional<Url> redirect = {};  // a target that may be followed
  std::string retry_after = {};      // of a 429 or 503
};

// Fetches pages and reads their links while they arrive: a body is never held, whatever its size.
// Belongs to one hub's thread; any number of green threads may fetch at once.
class PageFetcher {
 public:
  // `client` must outlive the fetcher.
  PageFetcher(green::http::Client& client, const CrawlOptions& options, std::string product_token);
  ~PageFetcher();

  FetchedPage Fetch(const FrontierUrl& target);

 private:
  class Lease;

  green::http::Client& client_;
  const CrawlOptions& options_;
  const std::string product_token_;
  std::vector<std::unique_ptr<LinkExtractor>> extractors_;  // at rest
};

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_PAGE_FETCHER_H_
