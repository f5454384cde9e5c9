#include "hub/internal/end_links.h"

#include <algorithm>
#include <utility>

namespace verdant::internal {

std::uint64_t EndLinks::Add(absl::AnyInvocable<void()> call, bool sees_error) {
  links_.push_back({++last_id_, sees_error, std::move(call)});
  return last_id_;
}

bool EndLinks::Remove(std::uint64_t id) {
  const auto from = links_.begin() + static_cast<std::ptrdiff_t>(next_);
  const auto link = std::lower_bound(from, links_.end(), id,
                                     [](const EndLink& l, std::uint64_t i) { return l.id < i; });
  if (link == links_.end() || link->id != id || link->call == nullptr) return false;
  // Ends only when all is in order again: a destructor of it may come back here.
  const absl::AnyInvocable<void()> call = std::exchange(link->call, nullptr);
  ++removed_;
  Compact();
  return true;
}

void EndLinks::RemoveAll() {
  const std::vector<EndLink> links = std::exchange(links_, {});
  next_ = removed_ = 0;
}

EndLink EndLinks::Next() {
  running_ = true;
  while (next_ < links_.size()) {
    EndLink link = std::exchange(links_[next_++], {});
    if (link.call != nullptr) return link;
    --removed_;
  }
  return {};
}

void EndLinks::Finish() {
  running_ = false;
  RemoveAll();
}

void EndLinks::Compact() {
  if (2 * removed_ <= links_.size() - next_) return;
  links_.erase(links_.begin(), links_.begin() + static_cast<std::ptrdiff_t>(next_));
  next_ = removed_ = 0;
  std::erase_if(links_, [](const EndLink& link) { return link.call == nullptr; });
}

}  // namespace verdant::internal
