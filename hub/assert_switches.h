#ifndef VERDANT_HUB_ASSERT_SWITCHES_H_
#define VERDANT_HUB_ASSERT_SWITCHES_H_

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "absl/time/time.h"
#include "hub/hub.h"
#include "hub/internal/loop_hooks.h"

namespace verdant {

// What AssertSwitches() throws.
class FailedToSwitch : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

namespace internal {

class SwitchMeter {
 public:
  SwitchMeter();
  SwitchMeter(const SwitchMeter&) = delete;
  SwitchMeter& operator=(const SwitchMeter&) = delete;
  void Check(absl::Duration longest_allowed);

 private:
  // Between these the hub looks for I/O, or sleeps.
  struct BeforePoll final : LoopHook {
    explicit BeforePoll(SwitchMeter& m) : meter(m) {}
    void OnTurn() noexcept override { meter.NoteTurn(); }
    SwitchMeter& meter;
  };
  struct AfterPoll final : LoopHook {
    explicit AfterPoll(SwitchMeter& m) : meter(m) {}
    void OnTurn() noexcept override { meter.since_ = meter.hub_.NowNanos(); }
    SwitchMeter& meter;
  };

  void NoteTurn();

  Hub& hub_;
  const std::uint64_t switches_;
  std::int64_t since_;
  std::int64_t longest_ = 0;
  BeforePoll before_poll_{*this};
  AfterPoll after_poll_{*this};
};

}  // namespace internal

// Calls f() and returns what it returns, for tests and for code that must not block its hub. Throws
// FailedToSwitch if the green thread has not let others run at least once meanwhile, by waiting or
// by yielding; or if the hub was kept from turning for longer than `max_blocking_time`, by whatever
// ran, as seen by the hub's clock. A turn ends after a fraction of a millisecond while green
// threads merely take turns. What f() throws passes unchecked. Row B13.5: assert_switches.
//
// For green threads, not for hub callbacks, where a check of the first kind always fails.
template <typename F>
std::invoke_result_t<F> AssertSwitches(
    F&& f, absl::Duration max_blocking_time = absl::InfiniteDuration()) {
  internal::SwitchMeter meter;
  if constexpr (std::is_void_v<std::invoke_result_t<F>>) {
    std::forward<F>(f)();
    meter.Check(max_blocking_time);
  } else {
    decltype(auto) result = std::forward<F>(f)();
    meter.Check(max_blocking_time);
    return static_cast<std::invoke_result_t<F>&&>(result);
  }
}

}  // namespace verdant

#endif  // VERDANT_HUB_ASSERT_SWITCHES_H_
