#ifndef VERDANT_APPS_CRAWLER_ROBOTS_H_
#define VERDANT_APPS_CRAWLER_ROBOTS_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"

namespace verdant::crawler {

// How much of a robots.txt is read (500 KiB, RFC 9309 section 2.5). A line that this cuts in two is
// dropped, since half a rule may forbid or allow far more than the whole.
inline constexpr size_t kMaxRobotsBytes = 500 * 1024;

// How many redirects to follow for a robots.txt (RFC 9309 section 2.3.1.2); past them it counts as
// unavailable.
inline constexpr int kMaxRobotsRedirects = 5;

// The product token of a User-Agent header: its leading letters, '-' and '_' (RFC 9309
// section 2.2.1). "VerdantBot/1.0 (+https://...)" gives "VerdantBot".
std::string_view ProductToken(std::string_view user_agent);

// The rules that one robots.txt has for one crawler (RFC 9309). Immutable once made; safe to read
// from many threads. Only the groups that concern this crawler are kept.
class Robots {
 public:
  // Everything is allowed / nothing but /robots.txt is.
  static Robots AllowAll() { return Robots(); }
  static Robots DisallowAll();

  // Parses the first kMaxRobotsBytes of `body` for the crawler with `product_token` (see
  // ProductToken; compared without regard to case). Never fails: lines that are not understood are
  // skipped, as the RFC asks. All groups that name the token count as one; the "*" groups count
  // only when none names it. A line's end is CR, LF or CRLF; a byte order mark is skipped.
  static Robots Parse(std::string_view body, std::string_view product_token);

  // What the outcome of fetching /robots.txt, redirects followed, means (RFC 9309 section 2.3.1):
  //   2xx                          -> the rules in `body`
  //   4xx                          -> unavailable: everything is allowed
  //   3xx (more than five of them) -> unavailable: everything is allowed
  //   5xx, anything else, nullopt for no answer -> unreachable: everything is disallowed
  static Robots FromResponse(std::optional<int> status, std::string_view body,
                             std::string_view product_token);

  // Whether the crawler may fetch `path_and_query` (as Url::path_and_query gives it). The matching
  // rule with the most octets decides, Allow wins a tie, no match means allowed; /robots.txt itself
  // is always allowed. Percent-encodings are normalised on both sides: "%7E" matches "~", but an
  // encoded reserved character matches only its encoded form, except that "%2A" and "%24" in a rule
  // also match a plain "*" and "$". Takes time linear in the rules' and the path's lengths for each
  // rule, whatever its wildcards.
  bool Allows(std::string_view path_and_query) const;

  // The time to leave between two requests, when the file asks for one ("Crawl-delay: seconds", not
  // in the RFC but common; the longest if there are several). Never negative; may be very long: the
  // caller decides what it still obeys.
  std::optional<absl::Duration> crawl_delay() const { return crawl_delay_; }

  // The values of all "Sitemap:" lines, as written; they belong to no group.
  const std::vector<std::string>& sitemaps() const { return sitemaps_; }

  // How many rules apply to this crawler.
  size_t rule_count() const { return rules_.size(); }

 private:
  struct Rule {
    std::string pattern;  // normalised; '*' is the wildcard
    bool anchored;        // ended with '$'
    bool allow;

    // What decides between matching rules.
    size_t octets() const { return pattern.size() + (anchored ? 1 : 0); }
  };
  friend class RobotsParser;

  Robots() = default;

  std::vector<Rule> rules_;  // most octets first, Allow before Disallow
  std::optional<absl::Duration> crawl_delay_;
  std::vector<std::string> sitemaps_;
};

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_ROBOTS_H_
