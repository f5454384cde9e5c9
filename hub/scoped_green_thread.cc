#include "hub/scoped_green_thread.h"

#include "hub/hub.h"

namespace verdant {

JoinedScope::JoinedScope(AnyGreenThread thread)
    : any_(std::move(thread)), uncaught_(std::uncaught_exceptions()) {
  any_.CheckCanWait();
}

void JoinedScope::KillWith(std::exception_ptr error) {
  any_.KillSoon(std::move(error));
  SeeThrough();
}

void JoinedScope::Leave() {
  if (any_.Ready()) return;
  if (std::uncaught_exceptions() > uncaught_) {
    any_.KillSoon();
    SeeThrough();
    return;
  }
  try {
    any_.Await(Deadline::Never());
  } catch (...) {
    any_.KillSoon();
    SeeThrough();
    throw;
  }
}

void JoinedScope::SeeThrough() noexcept {
  internal::Task* task = any_.CheckedHere();
  Hub& hub = *task->hub;
  internal::Task* self = hub.CurrentTask();
  while (!task->finished) {
    internal::Waiter waiter(self);
    task->joiners.PushBack(&waiter);
    hub.ParkUninterrupted(self, {"ScopedGreenThread: the end of its scope"});
  }
}

}  // namespace verdant
