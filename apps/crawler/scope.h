#ifndef VERDANT_APPS_CRAWLER_SCOPE_H_
#define VERDANT_APPS_CRAWLER_SCOPE_H_

#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "apps/crawler/url.h"

namespace verdant::crawler {

// How far from its seeds a crawl may go.
enum class ScopeKind {
  // The same host and port as a seed. http and https count as one when both are on their default
  // port, since sites redirect from one to the other.
  kHost,
  // The seed's domain (see SeedDomain: no public suffix list) and all below it, on any port.
  kDomain,
  // The same host and port as for kHost, and a path at or below the directory of a seed's path
  // (what comes up to its last "/").
  kPrefix,
  // Everything.
  kAny,
};

// "host", "domain", "prefix" or "any"; InvalidArgument, naming the four, for anything else.
absl::StatusOr<ScopeKind> ParseScopeKind(std::string_view name);
std::string_view ScopeKindName(ScopeKind kind);

// Decides which URLs belong to a crawl: in scope when they are for any one of the seeds. Immutable,
// so safe from many threads; constant time in the number of seeds except that kPrefix looks at each
// seed of the URL's own host.
class Scope {
 public:
  static constexpr int kUnlimitedDepth = std::numeric_limits<int>::max();

  enum class Verdict { kInside, kOutside, kTooDeep };

  // `max_depth` counts links from the nearest seed, which has depth 0. Redirects do not count.
  // std::logic_error when it is negative.
  Scope(ScopeKind kind, absl::Span<const Url> seeds, int max_depth = kUnlimitedDepth);

  bool Contains(const Url& url) const;

  // The verdict for a URL found `depth` links away from a seed. kOutside goes before kTooDeep.
  Verdict Judge(const Url& url, int depth) const;

  ScopeKind kind() const { return kind_; }
  int max_depth() const { return max_depth_; }

 private:
  ScopeKind kind_;
  int max_depth_;
  absl::flat_hash_set<std::string> hosts_;                                  // kHost: by HostKey
  absl::flat_hash_set<std::string> domains_;                                // kDomain
  absl::flat_hash_map<std::string, std::vector<std::string>> directories_;  // kPrefix: by HostKey
};

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_SCOPE_H_
