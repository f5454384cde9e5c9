#ifndef VERDANT_POOL_INTERNAL_INLINE_CALL_H_
#define VERDANT_POOL_INTERNAL_INLINE_CALL_H_

#include "hub/hub.h"

namespace verdant::internal {

// Run an unstarted task on the caller's stack, as a member of a full pool does with what it spawns
// (decision 4), taking over the task's references, that of its handle excepted. Throw only what is
// aimed at the caller and leaves the task: what a Kill() of the caller threw in it meanwhile, or a
// Timeout or Scope that was there before. All else is kept for Wait(), as of any green thread: a
// GreenletExit of another that the task waited for, its own Timeouts, a Wait(deadline) of its own
// that came to nothing.
Task* RunInline(Task* task);
// For a task without a handle: what would be kept is reported, as from a call of `operation`, but
// for a GreenletExit.
void RunInlineN(Task* task, const char* operation);

}  // namespace verdant::internal

#endif  // VERDANT_POOL_INTERNAL_INLINE_CALL_H_
