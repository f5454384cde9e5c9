#ifndef VERDANT_HUB_INTERNAL_SCOPE_DEADLINE_H_
#define VERDANT_HUB_INTERNAL_SCOPE_DEADLINE_H_

#include "greenlet/context.h"
#include "hub/clock.h"

namespace verdant::internal {

// What CurrentDeadline() gives: a Scope sets it to its own deadline if that is earlier, a Shield to
// never, since what lies outside of it does not reach inside.
const ContextVar<Deadline>& ScopeDeadline();

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_SCOPE_DEADLINE_H_
