#ifndef VERDANT_TESTS_HUB_MANUAL_CLOCK_H_
#define VERDANT_TESTS_HUB_MANUAL_CLOCK_H_

#include <cstdint>
#include <exception>
#include <thread>
#include <utility>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "hub/clock.h"
#include "hub/errors.h"
#include "hub/hub.h"

namespace verdant {

// A clock that stands still while anything runs and jumps to the next timer when nothing does.
class ManualClock final : public Clock {
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
  int jumps() const { return jumps_; }

 private:
  static constexpr std::int64_t kStart = 1000000000;
  std::int64_t now_ = kStart;
  int jumps_ = 0;
};

// Runs body() on a thread of its own, whose hub is made with `options` or by whoever first needs
// one.
template <typename Body>
void OnFreshThread(Body&& body) {
  std::thread([&] {
    try {
      body();
    } catch (...) {
      ADD_FAILURE() << DescribeException(std::current_exception());
    }
  }).join();
}

// Runs body(clock) on a thread of its own whose hub lives by a ManualClock.
template <typename Body>
void WithManualClock(Body&& body, Hub::Options options = {}) {
  ManualClock clock;
  OnFreshThread([&] {
    options.clock = &clock;
    Hub::Configure(options);
    body(clock);
  });
}

}  // namespace verdant

#endif  // VERDANT_TESTS_HUB_MANUAL_CLOCK_H_
