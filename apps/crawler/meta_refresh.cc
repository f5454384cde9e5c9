#include "apps/crawler/meta_refresh.h"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace verdant::crawler {
namespace {

constexpr int64_t kMaxSeconds = std::numeric_limits<int32_t>::max();

bool IsSpace(char c) { return absl::ascii_isspace(static_cast<unsigned char>(c)) && c != '\v'; }
bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }

void SkipSpace(std::string_view* text) {
  while (!text->empty() && IsSpace(text->front())) text->remove_prefix(1);
}

// Drops "url =" from the front of `text` when all of it is there.
std::string_view WithoutUrlKey(std::string_view text) {
  std::string_view rest = text;
  if (!absl::StartsWithIgnoreCase(rest, "url")) return text;
  rest.remove_prefix(3);
  SkipSpace(&rest);
  if (rest.empty() || rest.front() != '=') return text;
  rest.remove_prefix(1);
  SkipSpace(&rest);
  return rest;
}

}  // namespace

std::optional<MetaRefresh> ParseMetaRefresh(std::string_view content) {
  SkipSpace(&content);
  const bool has_digits = !content.empty() && IsDigit(content.front());
  if (!has_digits && (content.empty() || content.front() != '.')) return std::nullopt;
  MetaRefresh refresh{.seconds = 0, .url = {}};
  while (!content.empty() && IsDigit(content.front())) {
    refresh.seconds = std::min(kMaxSeconds, refresh.seconds * 10 + (content.front() - '0'));
    content.remove_prefix(1);
  }
  while (!content.empty() && (IsDigit(content.front()) || content.front() == '.')) {
    content.remove_prefix(1);
  }
  if (content.empty()) return refresh;
  if (content.front() != ';' && content.front() != ',' && !IsSpace(content.front())) {
    return std::nullopt;
  }
  SkipSpace(&content);
  if (!content.empty() && (content.front() == ';' || content.front() == ',')) {
    content.remove_prefix(1);
    SkipSpace(&content);
  }
  std::string_view url = WithoutUrlKey(content);
  if (!url.empty() && (url.front() == '"' || url.front() == '\'')) {
    const char quote = url.front();
    url.remove_prefix(1);
    url = url.substr(0, url.find(quote));
  }
  refresh.url = absl::StripAsciiWhitespace(url);
  return refresh;
}

}  // namespace verdant::crawler
