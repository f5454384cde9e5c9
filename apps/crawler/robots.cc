#include "apps/crawler/robots.h"

#include <string.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"

namespace verdant::crawler {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool IsTokenChar(char c) {
  return absl::ascii_isalpha(static_cast<unsigned char>(c)) || c == '-' || c == '_';
}

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

std::string_view TrimBlanks(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

bool IsUnreserved(unsigned char c) {
  return absl::ascii_isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

bool IsReserved(unsigned char c) {
  return c != 0 && std::string_view(":/?#[]@!$&'()*+,;=").find(static_cast<char>(c)) !=
                       std::string_view::npos;
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// One spelling for all that RFC 9309 section 2.2.2 calls equal: encoded unreserved characters are
// decoded, other encodings get upper-case digits, octets that a URI cannot hold are encoded. '*'
// and
// '$' are encoded too, so that only a rule's own operators remain bare: with `keep_wildcards`, '*'
// is left alone.
std::string Normalize(std::string_view text, bool keep_wildcards) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    if (c == '%') {
      const int high = i + 2 < text.size() ? HexValue(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexValue(text[i + 2]) : -1;
      if (high >= 0 && low >= 0) {
        c = static_cast<unsigned char>(high * 16 + low);
        i += 2;
        if (IsUnreserved(c)) {
          out.push_back(static_cast<char>(c));
        } else {
          absl::StrAppendFormat(&out, "%%%02X", c);
        }
      } else {
        out.push_back('%');
      }
    } else if (IsUnreserved(c) || (IsReserved(c) && c != '*' && c != '$') ||
               (c == '*' && keep_wildcards)) {
      out.push_back(static_cast<char>(c));
    } else {
      absl::StrAppendFormat(&out, "%%%02X", c);
    }
  }
  return out;
}

// Whether `pattern` matches a prefix of `path`, or all of it when `anchored`. Taking the first
// place where each literal between two wildcards fits is enough, and memmem finds it in linear
// time.
bool Matches(std::string_view pattern, bool anchored, std::string_view path) {
  size_t star = pattern.find('*');
  std::string_view literal = pattern.substr(0, star);
  if (!absl::ConsumePrefix(&path, literal)) return false;
  if (star == std::string_view::npos) return !anchored || path.empty();
  while (true) {
    pattern.remove_prefix(star + 1);
    star = pattern.find('*');
    literal = pattern.substr(0, star);
    if (star == std::string_view::npos && anchored) return absl::EndsWith(path, literal);
    if (!literal.empty()) {
      const void* found = memmem(path.data(), path.size(), literal.data(), literal.size());
      if (found == nullptr) return false;
      path.remove_prefix(static_cast<size_t>(static_cast<const char*>(found) - path.data()) +
                         literal.size());
    }
    if (star == std::string_view::npos) return true;
  }
}

}  // namespace

std::string_view ProductToken(std::string_view user_agent) {
  const auto end = std::find_if_not(user_agent.begin(), user_agent.end(), IsTokenChar);
  return user_agent.substr(0, static_cast<size_t>(end - user_agent.begin()));
}

// Reads lines in order, keeping what our own groups and, until one of them shows up, the "*" groups
// say.
class RobotsParser {
 public:
  explicit RobotsParser(std::string_view product_token) : token_(product_token) {}

  void Line(std::string_view line) {
    line = line.substr(0, line.find('#'));
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    const std::string_view key = TrimBlanks(line.substr(0, colon));
    const std::string_view value = TrimBlanks(line.substr(colon + 1));
    if (absl::EqualsIgnoreCase(key, "user-agent")) {
      UserAgent(value);
    } else if (absl::EqualsIgnoreCase(key, "allow")) {
      AddRule(value, /*allow=*/true);
    } else if (absl::EqualsIgnoreCase(key, "disallow")) {
      AddRule(value, /*allow=*/false);
    } else if (absl::EqualsIgnoreCase(key, "crawl-delay")) {
      CrawlDelay(value);
    } else if (absl::EqualsIgnoreCase(key, "sitemap")) {
      if (!value.empty()) sitemaps_.emplace_back(value);
    }
  }

  Robots Finish() && {
    Section& section = named_seen_ ? named_ : anyone_;
    Robots robots;
    robots.rules_ = std::move(section.rules);
    robots.crawl_delay_ = section.delay;
    robots.sitemaps_ = std::move(sitemaps_);
    std::stable_sort(robots.rules_.begin(), robots.rules_.end(),
                     [](const Robots::Rule& a, const Robots::Rule& b) {
                       if (a.octets() != b.octets()) return a.octets() > b.octets();
                       return a.allow && !b.allow;
                     });
    return robots;
  }

 private:
  // Which of the two interesting kinds of user-agent line the lines now read belong to.
  struct Group {
    bool named = false;
    bool anyone = false;
    bool open = false;  // the next user-agent line joins in instead of beginning anew

    void UserAgent(bool is_named, bool is_anyone) {
      if (!open) *this = Group{};
      open = true;
      named = named || is_named;
      anyone = anyone || is_anyone;
    }
  };
  struct Section {
    std::vector<Robots::Rule> rules;
    std::optional<absl::Duration> delay;
  };

  void UserAgent(std::string_view value) {
    const std::string_view name = ProductToken(value);
    const bool is_named = !name.empty() && absl::EqualsIgnoreCase(name, token_);
    const bool is_anyone =
        !value.empty() && value[0] == '*' && (value.size() == 1 || IsBlank(value[1]));
    rule_group_.UserAgent(is_named, is_anyone);
    delay_group_.UserAgent(is_named, is_anyone);
    named_seen_ = named_seen_ || is_named;
  }

  void AddRule(std::string_view pattern, bool allow) {
    rule_group_.open = false;
    delay_group_.open = false;
    if (pattern.empty()) return;
    if (!rule_group_.named && !rule_group_.anyone) return;
    Robots::Rule rule;
    rule.allow = allow;
    rule.anchored = absl::ConsumeSuffix(&pattern, "$");
    rule.pattern = Normalize(pattern, /*keep_wildcards=*/true);
    if (rule_group_.named) named_.rules.push_back(rule);
    if (rule_group_.anyone) anyone_.rules.push_back(std::move(rule));
  }

  // RFC 9309 section 2.2.4 forbids such a line to end a group of rules; but where every agent has a
  // Crawl-delay and only the last one rules, each delay is meant for the agent above it alone.
  void CrawlDelay(std::string_view value) {
    delay_group_.open = false;
    double seconds = 0;
    if (!absl::SimpleAtod(value, &seconds) || !std::isfinite(seconds) || seconds < 0) return;
    const absl::Duration delay = absl::Seconds(seconds);
    if (delay_group_.named) named_.delay = std::max(named_.delay.value_or(delay), delay);
    if (delay_group_.anyone) anyone_.delay = std::max(anyone_.delay.value_or(delay), delay);
  }

  std::string_view token_;
  Group rule_group_;
  Group delay_group_;
  bool named_seen_ = false;
  Section named_;
  Section anyone_;
  std::vector<std::string> sitemaps_;
};

Robots Robots::DisallowAll() {
  Robots robots;
  robots.rules_.push_back(Rule{.pattern = "/", .anchored = false, .allow = false});
  return robots;
}

Robots Robots::Parse(std::string_view body, std::string_view product_token) {
  if (body.size() > kMaxRobotsBytes) {
    body = body.substr(0, kMaxRobotsBytes);
    const size_t last_end = body.find_last_of("\r\n");
    body = body.substr(0, last_end == std::string_view::npos ? 0 : last_end);
  }
  absl::ConsumePrefix(&body, kByteOrderMark);
  RobotsParser parser(product_token);
  // A CRLF is a line end and an empty line, which means nothing.
  while (!body.empty()) {
    const size_t end = body.find_first_of("\r\n");
    parser.Line(body.substr(0, end));
    if (end == std::string_view::npos) break;
    body.remove_prefix(end + 1);
  }
  return std::move(parser).Finish();
}

Robots Robots::FromResponse(std::optional<int> status, std::string_view body,
                            std::string_view product_token) {
  const int status_class = status.value_or(0) / 100;
  if (status_class == 2) return Parse(body, product_token);
  if (status_class == 3 || status_class == 4) return AllowAll();
  return DisallowAll();
}

bool Robots::Allows(std::string_view path_and_query) const {
  if (path_and_query == "/robots.txt") return true;
  if (rules_.empty()) return true;
  const std::string path = Normalize(path_and_query, /*keep_wildcards=*/false);
  for (const Rule& rule : rules_) {
    if (Matches(rule.pattern, rule.anchored, path)) return rule.allow;
  }
  return true;
}

}  // namespace verdant::crawler
