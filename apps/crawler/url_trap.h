#ifndef VERDANT_APPS_CRAWLER_URL_TRAP_H_
#define VERDANT_APPS_CRAWLER_URL_TRAP_H_

#include <string_view>

namespace verdant::crawler {

// Limits that tell a path which a broken relative link or a generator keeps growing from one that a
// person made.
struct UrlTrapLimits {
  // More segments than this between slashes are a trap.
  int max_segments = 20;
  // One segment, or one run of segments, may follow itself until it is there this many times:
  // "/a/b/a/b" holds "a/b" twice.
  int max_repeats = 2;
};

enum class UrlTrap { kNone, kTooManySegments, kRepeatedSegments };

// Looks for the marks of a spider trap in a URL's path (what comes before the query; empty segments
// do not count as repeats). Takes time bounded by the limits, not by the path. Pure.
UrlTrap FindUrlTrap(std::string_view path, const UrlTrapLimits& limits = {});

// "none", "too many path segments", "repeated path segments".
std::string_view UrlTrapName(UrlTrap trap);

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_URL_TRAP_H_
