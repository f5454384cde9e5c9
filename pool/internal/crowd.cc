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
  while (Member* member = members_.front()) {
    member->task->hub->Wake(member->task);  // first, since it may refuse
    member->Unlink();
    member->woken = true;
  }
}

}  // namespace verdant::internal
