#ifndef VERDANT_HUB_INTERNAL_TASK_TIMERS_H_
#define VERDANT_HUB_INTERNAL_TASK_TIMERS_H_

#include "hub/internal/task.h"
#include "hub/internal/timer_wheel.h"

namespace verdant::internal {

// The timers of a task, told from others in dumps by what they call.

// Ends a wait: lives on the stack of Hub::Park().
struct ParkTimer : TimerNode {
  explicit ParkTimer(Task* t) : TimerNode(&OnFire), task(t) {}
  static void OnFire(TimerNode* node);
  Task* const task;
};

// Throws an interrupt in it: that of a Timeout.
struct TimeoutTimer : TimerNode {
  TimeoutTimer(Task* t, Interrupt* i, const char* d)
      : TimerNode(&OnFire), task(t), interrupt(i), doing(d) {}
  static void OnFire(TimerNode* node);

  Task* const task;
  Interrupt* const interrupt;
  const char* const doing;  // or null
  bool fired = false;
  bool counted = true;  // it is a reason to believe that something can still happen
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_TASK_TIMERS_H_
