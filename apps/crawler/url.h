#ifndef VERDANT_APPS_CRAWLER_URL_H_
#define VERDANT_APPS_CRAWLER_URL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"

namespace verdant::crawler {

// The longest URL taken, before and after canonicalisation. RFC 9110 section 4.1 asks for at least
// 8000.
inline constexpr size_t kMaxUrlBytes = 8192;

// `url` for a message to a person: quoted, control characters and bytes outside ASCII escaped so
// that nothing reaches a terminal raw, and cut after `max_bytes` of input with "...".
std::string PrintableUrl(std::string_view url, size_t max_bytes = 160);

// An absolute http or https URL in the one spelling by which the crawler knows it: that of the
// WHATWG URL standard (host in lower case and as A-labels, default port gone, dot segments
// resolved, characters percent-encoded where they must be) with the fragment dropped. Two URLs are
// the same page to the crawler exactly when their href() is equal. Percent-encodings that were
// already there are kept as they are, as browsers keep them.
//
// A value: cheap to move, safe to read from many threads.
class Url {
 public:
  // Reads an absolute URL as a person or a list gives it. Spaces, tabs and line ends around it are
  // dropped. InvalidArgument, naming the URL and the cause, when it is empty, longer than
  // kMaxUrlBytes, not UTF-8, holds a control character, has no scheme or another one than
  // http/https, has no valid host or port, or carries a user name or password (RFC 9110
  // section 4.2.4: not to be taken from untrusted sources; they would end up in logs and output).
  static absl::StatusOr<Url> Parse(std::string_view text);

  // Reads `reference` as a page or a Location header at this URL gives it. As WHATWG says, tabs and
  // line ends inside are dropped, and bytes that are not UTF-8 are percent-encoded one by one (what
  // old encodings need in a query). Otherwise refuses what Parse refuses.
  // To resolve many references against one base, make a UrlResolver.
  absl::StatusOr<Url> Resolve(std::string_view reference) const;

  const std::string& href() const { return href_; }
  // "http" or "https".
  std::string_view scheme() const { return std::string_view(href_).substr(0, scheme_end_); }
  bool is_https() const { return scheme_end_ == 5; }
  // Lower-case A-labels, a dotted IPv4 address, or an IPv6 address in brackets.
  std::string_view host() const {
    return std::string_view(href_).substr(host_start_, host_end_ - host_start_);
  }
  // The port to connect to: as written, else 80 or 443.
  uint16_t port() const { return port_; }
  // Starts with "/"; no query.
  std::string_view path() const {
    return std::string_view(href_).substr(path_start_, query_start_ - path_start_);
  }
  // With its "?", or empty.
  std::string_view query() const { return std::string_view(href_).substr(query_start_); }
  // What a request line and robots.txt rules are about.
  std::string_view path_and_query() const { return std::string_view(href_).substr(path_start_); }
  // "scheme://host:port", the port always written out: the key for robots.txt and connections.
  std::string Origin() const;

  friend bool operator==(const Url& a, const Url& b) { return a.href_ == b.href_; }
  friend bool operator<(const Url& a, const Url& b) { return a.href_ < b.href_; }
  template <typename H>
  friend H AbslHashValue(H h, const Url& url) {
    return H::combine(std::move(h), url.href_);
  }

 private:
  friend class UrlResolver;
  Url() = default;

  std::string href_;
  uint32_t scheme_end_ = 0;
  uint32_t host_start_ = 0;
  uint32_t host_end_ = 0;
  uint32_t path_start_ = 0;
  uint32_t query_start_ = 0;
  uint16_t port_ = 0;
};

// Resolves many references against one base, parsing the base once. One thread at a time.
class UrlResolver {
 public:
  explicit UrlResolver(const Url& base);
  ~UrlResolver();
  UrlResolver(UrlResolver&&) noexcept;
  UrlResolver& operator=(UrlResolver&&) noexcept;

  // As Url::Resolve.
  absl::StatusOr<Url> Resolve(std::string_view reference) const;

 private:
  friend class Url;
  struct Base;
  static absl::StatusOr<Url> ParseWith(std::string_view text, const Base* base);

  std::unique_ptr<const Base> base_;
};

// The domain that --scope=domain means for a seed on `host`: the host without a leading "www." and
// without a trailing dot. This is an approximation: there is no public suffix list behind it, so a
// seed on "www.example.co.uk" gives "example.co.uk", a seed on "docs.example.org" gives
// "docs.example.org" (not "example.org"), and a seed on "co.uk" gives all of "co.uk".
std::string_view SeedDomain(std::string_view host);

// Whether `host` is `domain` or ends with "." + `domain`. A trailing dot on `host` is ignored.
bool HostInDomain(std::string_view host, std::string_view domain);

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_URL_H_
