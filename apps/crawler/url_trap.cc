#include "apps/crawler/url_trap.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace verdant::crawler {
namespace {

// Whether the `count` runs of `length` segments that begin at `begin` are all the same.
bool RunRepeats(const std::vector<std::string_view>& segments, size_t begin, size_t length,
                size_t count) {
  const size_t end = begin + length * count;
  bool any_text = false;
  for (size_t i = begin; i < end; ++i) {
    if (segments[i] != segments[begin + (i - begin) % length]) return false;
    any_text = any_text || !segments[i].empty();
  }
  return any_text;
}

}  // namespace

UrlTrap FindUrlTrap(std::string_view path, const UrlTrapLimits& limits) {
  if (!path.empty() && path.front() == '/') path.remove_prefix(1);
  std::vector<std::string_view> segments;
  while (true) {
    const size_t slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (segments.size() > static_cast<size_t>(std::max(limits.max_segments, 0)) + 1) break;
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  // "/a/b/" and "/a/b" are equally deep.
  if (segments.back().empty()) segments.pop_back();
  if (segments.size() > static_cast<size_t>(std::max(limits.max_segments, 0))) {
    return UrlTrap::kTooManySegments;
  }
  const size_t count = static_cast<size_t>(std::max(limits.max_repeats, 1)) + 1;
  for (size_t length = 1; length * count <= segments.size(); ++length) {
    for (size_t begin = 0; begin + length * count <= segments.size(); ++begin) {
      if (RunRepeats(segments, begin, length, count)) return UrlTrap::kRepeatedSegments;
    }
  }
  return UrlTrap::kNone;
}

std::string_view UrlTrapName(UrlTrap trap) {
  switch (trap) {
    case UrlTrap::kNone:
      return "none";
    case UrlTrap::kTooManySegments:
      return "too many path segments";
    case UrlTrap::kRepeatedSegments:
      return "repeated path segments";
  }
  return "unknown";
}

}  // namespace verdant::crawler
