#ifndef VERDANT_HUB_INTERNAL_STALL_LOG_H_
#define VERDANT_HUB_INTERNAL_STALL_LOG_H_

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "greenlet/source_location.h"
#include "hub/blocking.h"

namespace verdant::internal {

// Judges by looks at a counter whether what moves it is stuck.
class StallWatch {
 public:
  explicit StallWatch(absl::Duration threshold) : threshold_(threshold) {}

  // It is at `value` now; `passed` of the time since the last look counts. True once for each value
  // that it has stood still at for the threshold. Odd ones may stand for ever.
  bool IsStuckAt(std::uint64_t value, absl::Duration passed) {
    if (value != last_ || !looked_) {
      looked_ = true;
      last_ = value;
      stood_ = absl::ZeroDuration();
      told_ = false;
      return false;
    }
    stood_ += passed;
    if ((value & 1) != 0 || told_ || stood_ < threshold_) return false;
    told_ = true;
    return true;
  }
  // Has another look at the same value count as the first that says so.
  void TellAgain() { told_ = false; }
  // For how long it has been seen standing still.
  absl::Duration stood() const { return stood_; }

 private:
  const absl::Duration threshold_;
  bool looked_ = false;
  bool told_ = false;
  std::uint64_t last_ = 0;
  absl::Duration stood_;
};

// Counts stalls by where they happen, so that each is counted and few are reported. Any thread.
class StallLog {
 public:
  // One has been going on for `lasted`. Returns how often that place has been noted, this time
  // included, if that is to be reported: the first time, the second, the fourth, the eighth; else
  // 0.
  std::uint64_t Begin(const std::string& function, SourceLocation spawned_at,
                      absl::Duration lasted);
  // The last one noted has been going on for `lasted` by now.
  void Extend(absl::Duration lasted);

  // In the order in which they were first noted.
  std::vector<BlockingSite> Sites() const;

 private:
  mutable std::mutex mutex_;
  std::deque<BlockingSite> sites_;
  BlockingSite* last_ = nullptr;
  absl::Duration lasted_;  // the last one, as far as it is in its totals
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_STALL_LOG_H_
