#ifndef VERDANT_APPS_EXAMPLES_SIMULATED_TIME_H_
#define VERDANT_APPS_EXAMPLES_SIMULATED_TIME_H_

#include <cstdint>

#include "absl/time/time.h"
#include "hub/clock.h"
#include "hub/hub.h"

namespace verdant::examples {

// Time that only passes while nobody has anything to do: a program that sleeps for hours is done at
// once and prints the same, times included, at every run. Not for programs that wait for others
// (sockets, OS threads), to whom real time matters.
class SimulatedTime final : public Clock {
 public:
  // Has the calling thread's hub live by it; to be called once in a program, before anything else.
  static SimulatedTime& Use() {
    static SimulatedTime time;  // the hub, which goes at the thread's end, must not outlive it
    Hub::Options options;
    options.clock = &time;
    Hub::Configure(options);
    return time;
  }

  absl::Duration Passed() const { return absl::Nanoseconds(now_ - kStart); }

  std::int64_t NowNanos() override { return now_; }
  bool AdvanceTo(std::int64_t nanos) override {
    now_ = nanos;
    return true;
  }

 private:
  static constexpr std::int64_t kStart = 1'000'000'000;
  std::int64_t now_ = kStart;
};

}  // namespace verdant::examples

#endif  // VERDANT_APPS_EXAMPLES_SIMULATED_TIME_H_
