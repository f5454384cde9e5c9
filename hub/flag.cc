#include "hub/flag.h"

namespace verdant {

struct Flag::FlagWaiter : internal::Waiter {
  using Waiter::Waiter;
  bool let_through = false;
};

void Flag::Set() {
  home_.Check("a Flag");
  if (set_) return;
  set_ = true;
  while (internal::Waiter* waiter = waiters_.front()) {
    waiter->task->hub->Wake(waiter->task);
    static_cast<FlagWaiter*>(waiter)->let_through = true;
    waiter->Unlink();
    let_through_.PushBack(waiter);
  }
  links_.Notify("a Flag");
}

void Flag::Clear() {
  home_.Check("a Flag");
  set_ = false;
}

bool Flag::Wait(Deadline deadline) {
  home_.Check("a Flag");
  Hub& hub = Hub::Current();
  if (set_ && (let_through_.empty() || hub.OnHubStack())) return true;
  FlagWaiter waiter(hub.CurrentTask());
  if (set_) {
    // Those let through are in the queue of what is runnable; behind them is where this belongs.
    let_through_.PushBack(&waiter);
    hub.Yield();
    return true;
  }
  waiters_.PushBack(&waiter);
  hub.Park(waiter.task, {operation_}, deadline);
  return waiter.let_through;
}

Flag::Remote::Remote(Flag& flag)
    : access_((flag.home_.Check("a Flag"), flag.anchor_.Reference(&flag))) {}

}  // namespace verdant
