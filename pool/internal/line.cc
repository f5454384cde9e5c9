#include "pool/internal/line.h"

namespace verdant::internal {

void Line::Place::Return() {
  if (state_ != State::kCalled) return;
  state_ = State::kWaiting;
  --line_.called_;
  ++line_.waiting_;
  Place* behind = line_.places_.front();
  while (behind != nullptr && behind->ticket_ < ticket_) behind = line_.places_.next(behind);
  line_.places_.PushBefore(behind, this);
}

void Line::CallSlow(std::size_t number) {
  while (called_ < number) {
    // Even one whose wait is over in another way: it looks once more before it gives up, or leaves
    // and lets the next be called. But not the caller's own, which has yet to begin waiting:
    // nothing would make it look.
    Place* place = places_.front();
    while (place != nullptr && place->task->fiber == fiber_thread.current) {
      place = places_.next(place);
    }
    if (place == nullptr) return;
    place->task->hub->Wake(place->task);  // first, since it may refuse
    place->Unlink();
    place->state_ = Place::State::kCalled;
    --waiting_;
    ++called_;
  }
}

}  // namespace verdant::internal
