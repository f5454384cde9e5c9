#include "hub/clock.h"

#include <time.h>

#include "hub/hub.h"

namespace verdant {
namespace {

class MonotonicClock final : public Clock {
 public:
  std::int64_t NowNanos() override {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1000000000 + now.tv_nsec;
  }
};

// A thread without a hub is not given one for looking at the time.
std::int64_t NowHere() {
  Hub* hub = internal::current_hub;
  return hub != nullptr ? hub->NowNanos() : Clock::Monotonic().NowNanos();
}

}  // namespace

bool Clock::AdvanceTo(std::int64_t) { return false; }

Clock& Clock::Monotonic() {
  static MonotonicClock clock;
  return clock;
}

Deadline::Deadline(absl::Duration timeout) {
  if (timeout == absl::InfiniteDuration()) return;
  const std::int64_t now = NowHere();
  const std::int64_t ahead = timeout > absl::ZeroDuration() ? absl::ToInt64Nanoseconds(timeout) : 0;
  if (ahead < kNever - now) nanos_ = now + ahead;
}

bool Deadline::Passed() const { return !never() && NowHere() >= nanos_; }

absl::Duration Deadline::Remaining() const {
  if (never()) return absl::InfiniteDuration();
  const std::int64_t left = nanos_ - NowHere();
  return left > 0 ? absl::Nanoseconds(left) : absl::ZeroDuration();
}

}  // namespace verdant
