#ifndef VERDANT_POOL_INTERNAL_INLINE_CALL_H_
#define VERDANT_POOL_INTERNAL_INLINE_CALL_H_

#include "hub/hub.h"

namespace verdant::internal {

// Run an unstarted task on the caller's stack, as a member of a full pool does with what it spawns
// (decision 4), taking over the task's references, that of its handle excepted. Throw only what is
// aimed at the caller: GreenletExit, and whatever a Kill() or a Timeout has thrown in it meanwhile.
Task* RunInline(Task* task);
// For a task without a handle: what it throws is reported, as from a call of `operation`.
void RunInlineN(Task* task, const char* operation);

}  // namespace verdant::internal

#endif  // VERDANT_POOL_INTERNAL_INLINE_CALL_H_
