#include "apps/crawler/page_urls.h"

#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"

namespace verdant::crawler {

std::vector<PageUrl> ResolvePageUrls(const Url& page, const PageLinks& links) {
  Url base = page;
  if (links.base) {
    if (absl::StatusOr<Url> given = page.Resolve(*links.base); given.ok()) base = *std::move(given);
  }
  const UrlResolver resolver(base);

  std::vector<PageUrl> urls;
  // Pages repeat their references far more often than they spell one URL in two ways, and a look-up
  // by the reference saves the parse. nullopt: known to be no URL.
  absl::flat_hash_map<std::string_view, std::optional<size_t>> by_reference;
  absl::flat_hash_map<Url, size_t> by_url;
  for (const Link& link : links.links) {
    if (link.hint) continue;
    const std::string_view reference = std::string_view(link.url).substr(0, link.url.find('#'));
    const auto [known, is_new] = by_reference.try_emplace(reference);
    if (is_new) {
      absl::StatusOr<Url> resolved = resolver.Resolve(reference);
      if (!resolved.ok()) continue;
      const auto [same, is_first] = by_url.try_emplace(*resolved, urls.size());
      known->second = same->second;
      if (is_first) {
        urls.push_back({*std::move(resolved), link.element, link.nofollow});
        continue;
      }
    }
    if (known->second) urls[*known->second].nofollow &= link.nofollow;
  }
  return urls;
}

}  // namespace verdant::crawler
