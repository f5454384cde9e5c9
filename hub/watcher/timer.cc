#include "hub/watcher/timer.h"

#include <algorithm>
#include <utility>

namespace verdant {

TimerWatcher::TimerWatcher(absl::Duration after, absl::Duration repeat, Callback callback)
    : Watcher("a timer watcher's callback", std::move(callback)), after_(after), repeat_(repeat) {}

void TimerWatcher::Arm() { ArmAt(Deadline(after_)); }

// Whether something can still happen is for ref() to say, not for the timer itself.
void TimerWatcher::ArmAt(Deadline deadline) {
  if (deadline.never()) return;
  hub().timers().Arm(node_, deadline.nanos());
  hub().DiscountTimers(+1);
}

void TimerWatcher::Disarm() noexcept {
  if (!node_.armed()) return;
  node_.Disarm();
  if (OnItsHub()) hub().DiscountTimers(-1);
}

void TimerWatcher::Fire() {
  hub().DiscountTimers(-1);
  const std::int64_t repeat = absl::ToInt64Nanoseconds(repeat_);
  if (std::int64_t next; repeat > 0 && !__builtin_add_overflow(node_.deadline(), repeat, &next)) {
    ArmAt(Deadline::At(std::max(next, hub().NowNanos())));
  } else {
    Ended();
  }
  Call();
}

void TimerWatcher::Again() {
  if (repeat_ <= absl::ZeroDuration()) {
    Stop();
    return;
  }
  Start();
  Disarm();
  ArmAt(Deadline(repeat_));
}

}  // namespace verdant
