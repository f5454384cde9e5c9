#ifndef VERDANT_GREENLET_TRACE_H_
#define VERDANT_GREENLET_TRACE_H_

#include <functional>

#include "greenlet/greenlet.h"

namespace verdant {

// How `target` was reached: by a value, or by an exception thrown into it or left to it by a child
// that ended.
enum class TraceEvent { kSwitch, kThrow };

// Told of every switch between greenlets of the thread, in the context of `target`, after the
// arrival and before `target` goes on; `origin` has ended if that is why.
using Tracer =
    std::function<void(TraceEvent event, const Greenlet& origin, const Greenlet& target)>;

// Row C13. Has `tracer` called from now on for switches of the calling thread, and returns what was
// called before; an empty one ends the tracing. An exception that leaves the tracer removes it and
// is thrown in the target instead of what was on its way there.
//
// Traced is what a Greenlet does: Switch(), Throw(), and the end of one. Green threads that the hub
// runs in turn are not: their switch is inlined into what blocks and has no room for a question.
// Not traced either is what the tracer itself does. While there is no tracer a switch of a Greenlet
// pays one branch.
Tracer SetTrace(Tracer tracer);
// The calling thread's tracer; empty if there is none.
Tracer GetTrace();

}  // namespace verdant

#endif  // VERDANT_GREENLET_TRACE_H_
