#include "hub/scoped_green_thread.h"

#include "hub/hub.h"

namespace verdant {

JoinedScope::JoinedScope(AnyGreenThread thread)
    : any_(std::move(thread)), uncaught_(std::uncaught_exceptions()) {
  any_.CheckCanWait();
}

// In the child of a fork, or on another thread.
bool JoinedScope::Elsewhere() const { return any_.Checked()->hub != internal::current_hub; }

void JoinedScope::KillWith(std::exception_ptr error) {
  if (Elsewhere()) return;
  any_.KillSoon(std::move(error));
  SeeThrough();
}

void JoinedScope::Leave() {
  if (any_.Ready()) return;
  const bool unwound = std::uncaught_exceptions() > uncaught_;
  if (Elsewhere()) {
    if (!unwound) home_.Check("a ScopedGreenThread");
    return;
  }
  if (unwound) {
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
