#include "pool/internal/crowd.h"

namespace verdant::internal {

bool Crowd::Wait(ParkedOn what, Deadline deadline) {
  Hub& hub = Hub::Current();
  Member member(hub.CurrentTask());
  members_.PushBack(&member);
  hub.Park(member.task, what, deadline);
  return member.woken;
}

void Crowd::WakeAll() {
  while (Member* member = members_.PopFront()) {
    member->woken = true;
    member->task->hub->Wake(member->task);
  }
}

}  // namespace verdant::internal
