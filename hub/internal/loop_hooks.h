#ifndef VERDANT_HUB_INTERNAL_LOOP_HOOKS_H_
#define VERDANT_HUB_INTERNAL_LOOP_HOOKS_H_

#include "hub/internal/list.h"

namespace verdant::internal {

// Something a hub calls at a fixed point of each turn, on its own stack.
class LoopHook : public ListNode {
 public:
  virtual void OnTurn() noexcept = 0;

 protected:
  ~LoopHook() = default;
};

// The points; made only when somebody asks for them.
struct LoopHooks {
  List<LoopHook> prepare;  // before the hub looks for I/O, or sleeps
  List<LoopHook> check;    // after it has
  List<LoopHook> idle;     // instead of sleeping

  // Calls each that is in `hooks` now, in order. Any of them may be unlinked or destroyed
  // meanwhile.
  static void CallAll(List<LoopHook>& hooks) noexcept {
    List<LoopHook> batch;
    batch.Append(hooks);
    while (LoopHook* hook = batch.PopFront()) {
      hooks.PushBack(hook);
      hook->OnTurn();
    }
  }
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_LOOP_HOOKS_H_
