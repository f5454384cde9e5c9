#include "apps/crawler/scope.h"

#include <stdexcept>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace verdant::crawler {
namespace {

std::string HostKey(const Url& url) {
  const bool default_port = url.port() == (url.is_https() ? 443 : 80);
  if (default_port) return std::string(url.host());
  return absl::StrCat(url.host(), ":", url.port());
}

std::string_view Directory(const Url& url) {
  return url.path().substr(0, url.path().rfind('/') + 1);
}

}  // namespace

absl::StatusOr<ScopeKind> ParseScopeKind(std::string_view name) {
  for (const ScopeKind kind :
       {ScopeKind::kHost, ScopeKind::kDomain, ScopeKind::kPrefix, ScopeKind::kAny}) {
    if (name == ScopeKindName(kind)) return kind;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("scope ", PrintableUrl(name), " is not one of host, domain, prefix, any"));
}

std::string_view ScopeKindName(ScopeKind kind) {
  switch (kind) {
    case ScopeKind::kHost:
      return "host";
    case ScopeKind::kDomain:
      return "domain";
    case ScopeKind::kPrefix:
      return "prefix";
    case ScopeKind::kAny:
      return "any";
  }
  return "unknown";
}

Scope::Scope(ScopeKind kind, absl::Span<const Url> seeds, int max_depth)
    : kind_(kind), max_depth_(max_depth) {
  if (max_depth < 0) throw std::logic_error("Scope: max_depth is negative");
  for (const Url& seed : seeds) {
    switch (kind_) {
      case ScopeKind::kHost:
        hosts_.insert(HostKey(seed));
        break;
      case ScopeKind::kDomain:
        domains_.emplace(SeedDomain(seed.host()));
        break;
      case ScopeKind::kPrefix:
        directories_[HostKey(seed)].emplace_back(Directory(seed));
        break;
      case ScopeKind::kAny:
        break;
    }
  }
}

bool Scope::Contains(const Url& url) const {
  switch (kind_) {
    case ScopeKind::kHost:
      return hosts_.contains(HostKey(url));
    case ScopeKind::kDomain: {
      std::string_view host = absl::StripSuffix(url.host(), ".");
      while (true) {
        if (domains_.contains(host)) return true;
        const size_t dot = host.find('.');
        if (dot == std::string_view::npos) return false;
        host.remove_prefix(dot + 1);
      }
    }
    case ScopeKind::kPrefix: {
      const auto found = directories_.find(HostKey(url));
      if (found == directories_.end()) return false;
      for (const std::string& directory : found->second) {
        if (absl::StartsWith(url.path(), directory)) return true;
      }
      return false;
    }
    case ScopeKind::kAny:
      return true;
  }
  return false;
}

Scope::Verdict Scope::Judge(const Url& url, int depth) const {
  if (!Contains(url)) return Verdict::kOutside;
  return depth > max_depth_ ? Verdict::kTooDeep : Verdict::kInside;
}

}  // namespace verdant::crawler
