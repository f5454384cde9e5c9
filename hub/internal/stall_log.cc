#include "hub/internal/stall_log.h"

#include <algorithm>
#include <cstring>

namespace verdant::internal {
namespace {

bool SameLine(const SourceLocation& a, const SourceLocation& b) {
  return a.line() == b.line() && std::strcmp(a.file_name(), b.file_name()) == 0;
}

}  // namespace

std::uint64_t StallLog::Begin(const std::string& function, SourceLocation spawned_at,
                              absl::Duration lasted) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = std::find_if(sites_.begin(), sites_.end(), [&](const BlockingSite& site) {
    return site.function == function && SameLine(site.spawned_at, spawned_at);
  });
  last_ =
      found != sites_.end() ? &*found : &sites_.emplace_back(BlockingSite{function, spawned_at});
  ++last_->count;
  last_->total += lasted;
  last_->longest = std::max(last_->longest, lasted);
  lasted_ = lasted;
  return (last_->count & (last_->count - 1)) == 0 ? last_->count : 0;
}

void StallLog::Extend(absl::Duration lasted) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (last_ == nullptr || lasted <= lasted_) return;
  last_->total += lasted - lasted_;
  last_->longest = std::max(last_->longest, lasted);
  lasted_ = lasted;
}

std::vector<BlockingSite> StallLog::Sites() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return {sites_.begin(), sites_.end()};
}

}  // namespace verdant::internal
