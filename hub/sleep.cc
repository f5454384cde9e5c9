#include "hub/sleep.h"

namespace verdant {

namespace {

struct IdleWaiter : internal::Waiter {
  IdleWaiter(internal::Task* task, int p) : Waiter(task), priority(p) {}
  const int priority;
};

}  // namespace

void Sleep(absl::Duration duration) {
  Hub& hub = Hub::Current();
  if (duration <= absl::ZeroDuration()) {
    hub.Yield();
  } else {
    hub.Park(hub.CurrentTask(), {"Sleep"}, Deadline(duration));
  }
}

void BackgroundSleep(absl::Duration duration) {
  if (duration <= absl::ZeroDuration()) return Sleep();
  Hub& hub = Hub::Current();
  internal::Task* self = hub.CurrentTask();
  const Hub::UncountedTimer uncounted(hub);
  hub.Park(self, {"BackgroundSleep"}, Deadline(duration));
}

void Idle(int priority) {
  Hub& hub = Hub::Current();
  IdleWaiter waiter(hub.CurrentTask(), priority);
  internal::WaitList& idlers = hub.idlers();
  internal::Waiter* after = idlers.front();
  while (after != nullptr && static_cast<IdleWaiter*>(after)->priority >= priority)
    after = idlers.next(after);
  idlers.PushBefore(after, &waiter);
  hub.Park(waiter.task, {"Idle"});
}

}  // namespace verdant
