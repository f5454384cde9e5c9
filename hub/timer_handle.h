#ifndef VERDANT_HUB_TIMER_HANDLE_H_
#define VERDANT_HUB_TIMER_HANDLE_H_

#include <memory>

namespace verdant {

class Hub;

// A call scheduled on a hub's clock (rows A12.7, B8.5). A handle: dropping it does not cancel the
// call. Belongs to the hub's thread.
class TimerHandle {
 public:
  TimerHandle() = default;
  // True if the call was still to come; idempotent.
  bool Cancel();
  bool pending() const;

 private:
  friend class Hub;
  struct Call;
  std::weak_ptr<Call> call_;
};

}  // namespace verdant

#endif  // VERDANT_HUB_TIMER_HANDLE_H_
