#include "greenlet/trace.h"

#include <memory>
#include <utility>

#include "greenlet/internal/greenlet_state.h"

namespace verdant {
namespace internal {

void NoteOrigin(GreenletState* target, GreenletState* origin) {
  target->origin = GreenletState::Handle(origin);
}

void TraceArrival(GreenletState* target) {
  const Greenlet origin = std::exchange(target->origin, {});
  ThreadRecord& record = *target->thread;
  const std::shared_ptr<const Tracer> tracer = record.tracer;
  if (tracer == nullptr || record.in_tracer || !origin) return;
  const TraceEvent event = target->pending ? TraceEvent::kThrow : TraceEvent::kSwitch;
  const Greenlet self = GreenletState::Handle(target);
  // What arrived is put aside, should the tracer switch for all that.
  Greenlet::Value inbox = std::exchange(target->inbox, {});
  std::exception_ptr pending = std::exchange(target->pending, nullptr);
  record.in_tracer = true;
  try {
    (*tracer)(event, origin, self);
  } catch (...) {
    record.in_tracer = false;
    SetTrace({});
    throw;
  }
  record.in_tracer = false;
  target->inbox = std::move(inbox);
  target->pending = std::move(pending);
}

}  // namespace internal

Tracer SetTrace(Tracer tracer) {
  internal::ThreadRecord& record = internal::ThisThreadsRecord();
  auto made = tracer ? std::make_shared<const Tracer>(std::move(tracer)) : nullptr;
  internal::fiber_thread.traced = made != nullptr;
  const std::shared_ptr<const Tracer> before = std::exchange(record.tracer, std::move(made));
  return before != nullptr ? *before : Tracer();
}

Tracer GetTrace() {
  const std::shared_ptr<const Tracer>& tracer = internal::ThisThreadsRecord().tracer;
  return tracer != nullptr ? *tracer : Tracer();
}

}  // namespace verdant
