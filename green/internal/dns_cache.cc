#include "green/internal/dns_cache.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace verdant::green::dns {
namespace {

// RFC 8767 lets no answer live longer.
constexpr absl::Duration kLongestTtl = absl::Hours(7 * 24);

}  // namespace

std::shared_ptr<const Outcome> Cache::Find(std::string_view name) {
  const auto at = by_name_.find(name);
  if (at == by_name_.end()) return nullptr;
  const Entries::iterator entry = at->second;
  if (entry->expires <= clock_.NowNanos()) {
    Erase(entry);
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, entry);
  return entry->outcome;
}

void Cache::Put(std::string name, std::shared_ptr<const Outcome> outcome, absl::Duration ttl) {
  if (const auto at = by_name_.find(name); at != by_name_.end()) Erase(at->second);
  if (capacity_ == 0 || ttl <= absl::ZeroDuration()) return;
  if (by_name_.size() >= capacity_) Erase(std::prev(entries_.end()));
  const std::int64_t expires =
      clock_.NowNanos() + absl::ToInt64Nanoseconds(std::min(ttl, kLongestTtl));
  entries_.push_front({std::move(name), std::move(outcome), expires});
  by_name_.emplace(entries_.front().name, entries_.begin());
}

void Cache::Clear() {
  by_name_.clear();
  entries_.clear();
}

void Cache::Erase(Entries::iterator entry) {
  by_name_.erase(entry->name);
  entries_.erase(entry);
}

}  // namespace verdant::green::dns
