#include "apps/crawler/page_fetcher.h"

#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "apps/crawler/css_links.h"
#include "apps/crawler/link_kind.h"
#include "apps/crawler/robots_directives.h"

namespace verdant::crawler {
namespace {

// What can be read for links.
enum class Format { kOther, kHtml, kCss };

Format FormatOf(const green::http::Response& response) {
  // What an error page links to is the server's furniture, not the site.
  if (response.status / 100 != 2) return Format::kOther;
  const std::string_view content_type = response.Get("content-type");
  const std::string_view type =
      absl::StripAsciiWhitespace(content_type.substr(0, content_type.find(';')));
  for (const std::string_view html : {"text/html", "application/xhtml+xml"}) {
    if (absl::EqualsIgnoreCase(type, html)) return Format::kHtml;
  }
  return absl::EqualsIgnoreCase(type, "text/css") ? Format::kCss : Format::kOther;
}

PageLinks AsPageLinks(CssLinks css) {
  PageLinks page;
  page.truncated = css.truncated;
  for (CssLink& link : css.links) {
    page.links.push_back({.element = LinkElement::kStyle,
                          .attribute = link.import ? LinkAttribute::kImport : LinkAttribute::kUrl,
                          .url = std::move(link.url)});
  }
  return page;
}

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

}  // namespace

// A link extractor taken from those at rest, made when there is none. One that was not finished is
// not put back.
class PageFetcher::Lease {
 public:
  explicit Lease(PageFetcher& fetcher) : fetcher_(fetcher) {}

  void Feed(std::string_view piece) {
    if (extractor_ == nullptr) {
      if (fetcher_.extractors_.empty()) {
        extractor_ = std::make_unique<LinkExtractor>(fetcher_.product_token_);
      } else {
        extractor_ = std::move(fetcher_.extractors_.back());
        fetcher_.extractors_.pop_back();
      }
    }
    extractor_->Feed(piece);
  }

  PageLinks Finish() {
    if (extractor_ == nullptr) return {};
    PageLinks links = extractor_->Finish();
    fetcher_.extractors_.push_back(std::move(extractor_));
    return links;
  }

 private:
  PageFetcher& fetcher_;
  std::unique_ptr<LinkExtractor> extractor_;
};

PageFetcher::PageFetcher(green::http::Client& client, const CrawlOptions& options,
                         std::string product_token)
    : client_(client), options_(options), product_token_(std::move(product_token)) {}

PageFetcher::~PageFetcher() = default;

FetchedPage PageFetcher::Fetch(const FrontierUrl& target) {
  Lease extractor(*this);
  std::optional<CssLinkExtractor> css_extractor;
  Format format = Format::kOther;
  green::http::Request request;
  request.url = target.url.href();
  request.timeout = options_.timeout;
  request.max_redirects = 0;
  request.max_body_bytes = options_.max_body_bytes;
  request.on_headers = [&format](const green::http::Response& response) {
    format = FormatOf(response);
    return absl::OkStatus();
  };
  request.on_body = [&](std::string_view piece) {
    if (format == Format::kHtml) {
      extractor.Feed(piece);
    } else if (format == Format::kCss) {
      if (!css_extractor) css_extractor.emplace();
      css_extractor->Feed(piece);
    }
    return absl::OkStatus();
  };

  green::http::Response response;
  const absl::Status status = client_.Fetch(request, response);
  FetchedPage page{.record = {.url = target.url}};
  PageRecord& record = page.record;
  record.depth = target.depth;
  record.status = response.status;
  record.bytes = response.body_bytes;
  record.content_type = std::string(response.Get("content-type"));
  record.elapsed = response.elapsed;
  record.error = status;

  if (IsRedirect(response.status)) {
    if (const std::string_view location = response.Get("location"); !location.empty()) {
      absl::StatusOr<Url> next = target.url.Resolve(location);
      if (!next.ok()) {
        record.error = next.status();
      } else {
        record.redirect = next->href();
        if (target.redirects >= kMaxCrawlRedirects) {
          record.error =
              absl::OutOfRangeError(absl::StrCat("GET ", target.url.href(), ": more than ",
                                                 kMaxCrawlRedirects, " redirects in a row"));
        } else {
          page.redirect = *std::move(next);
        }
      }
    }
  }
  if (response.status == 429 || response.status == 503) {
    page.retry_after = std::string(response.Get("retry-after"));
  }

  // Links of a page that was cut off are links all the same.
  const PageLinks links = css_extractor ? AsPageLinks(css_extractor->Finish()) : extractor.Finish();
  RobotsDirectives directives = links.directives;
  for (const green::http::Header& header : response.headers) {
    if (absl::EqualsIgnoreCase(header.name, "x-robots-tag")) {
      AddRobotsTagHeader(header.value, product_token_, &directives);
    }
  }
  record.noindex = directives.noindex;
  if (format == Format::kOther) return page;
  std::vector<PageUrl> urls = ResolvePageUrls(target.url, links);
  record.links = static_cast<std::int64_t>(urls.size());
  if (!directives.nofollow) page.links = std::move(urls);
  return page;
}

}  // namespace verdant::crawler
