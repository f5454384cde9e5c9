#ifndef VERDANT_HUB_VIRTUAL_CLOCK_H_
#define VERDANT_HUB_VIRTUAL_CLOCK_H_

#include <cstdint>

#include "absl/time/time.h"
#include "hub/clock.h"

namespace verdant {

// A clock that stands still while anything runs and jumps to the next timer when nothing does: an
// hour of timeouts passes as fast as it can be computed, always in the same order. Given to a hub
// as Hub::Options::clock, which it must outlive; see also Simulate() in hub/simulation.h.
//
//   VirtualClock clock;
//   Hub::Configure({.clock = &clock});
//   Sleep(absl::Hours(1));            // returns at once
//   clock.SinceStart();               // an hour
//
// Only what waits on the hub's clock is made faster: descriptors are looked at before each jump,
// but another process or OS thread that takes its time finds that hours have passed.
//
// Threading: for the thread of its hub.
class VirtualClock final : public Clock {
 public:
  std::int64_t NowNanos() override { return now_; }
  bool AdvanceTo(std::int64_t nanos) override {
    now_ = nanos;
    ++jumps_;
    return true;
  }
  // Time that passes while the caller computes.
  void Advance(absl::Duration by) { now_ += absl::ToInt64Nanoseconds(by); }
  absl::Duration SinceStart() const { return absl::Nanoseconds(now_ - kStart); }
  // How often the hub had nothing to run but a timer to wait for.
  int jumps() const { return jumps_; }

 private:
  // Not 0, so that what was never set is not mistaken for the start.
  static constexpr std::int64_t kStart = 1000000000;
  std::int64_t now_ = kStart;
  int jumps_ = 0;
};

}  // namespace verdant

#endif  // VERDANT_HUB_VIRTUAL_CLOCK_H_
