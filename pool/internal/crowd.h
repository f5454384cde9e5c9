#ifndef VERDANT_POOL_INTERNAL_CROWD_H_
#define VERDANT_POOL_INTERNAL_CROWD_H_

#include "hub/hub.h"

namespace verdant::internal {

// Green threads that wait until something is over, all of them together.
class Crowd {
 public:
  // Waits for the next WakeAll(); false if the deadline came first.
  bool Wait(ParkedOn what, Deadline deadline);
  void WakeAll();

 private:
  struct Member : Waiter {
    using Waiter::Waiter;
    bool woken = false;
  };
  List<Member> members_;
};

}  // namespace verdant::internal

#endif  // VERDANT_POOL_INTERNAL_CROWD_H_
