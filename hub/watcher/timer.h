#ifndef VERDANT_HUB_WATCHER_TIMER_H_
#define VERDANT_HUB_WATCHER_TIMER_H_

#include "absl/time/time.h"
#include "hub/watcher/watcher.h"

namespace verdant {

// Calls once `after` has passed since Start(), and then, if `repeat` is positive, every `repeat`.
// The times of a repeating one do not drift: a call that comes late does not move the next, but
// what was missed altogether is not made up for; an infinite `repeat` is none. Row B8.5. For a
// single call Hub::ScheduleCall() is less to write.
class TimerWatcher final : public Watcher {
 public:
  TimerWatcher(absl::Duration after, Callback callback)
      : TimerWatcher(after, absl::ZeroDuration(), std::move(callback)) {}
  // Zero or less for `after`: at the hub's next turn; infinite: never.
  TimerWatcher(absl::Duration after, absl::Duration repeat, Callback callback);
  ~TimerWatcher() override { StopForGood(); }

  // As if it had just called: the next call comes `repeat` from now, whether it is active or not.
  // With no `repeat` it stops. For timeouts that any activity puts off.
  void Again();
  absl::Duration repeat() const { return repeat_; }
  void set_repeat(absl::Duration repeat) { repeat_ = repeat; }

 private:
  struct Node : internal::TimerNode {
    explicit Node(TimerWatcher* w) : TimerNode(&OnFire), watcher(w) {}
    static void OnFire(TimerNode* node) { static_cast<Node*>(node)->watcher->Fire(); }
    TimerWatcher* watcher;
  };

  void Arm() override;
  void Disarm() noexcept override;
  void ArmAt(Deadline deadline);
  void Fire();

  const absl::Duration after_;
  absl::Duration repeat_;
  Node node_{this};
};

}  // namespace verdant

#endif  // VERDANT_HUB_WATCHER_TIMER_H_
