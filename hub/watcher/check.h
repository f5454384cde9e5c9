#ifndef VERDANT_HUB_WATCHER_CHECK_H_
#define VERDANT_HUB_WATCHER_CHECK_H_

#include <utility>

#include "hub/internal/loop_hooks.h"
#include "hub/watcher/watcher.h"

namespace verdant {

// Calls at every turn of the hub after it has looked for I/O, before what that made runnable runs.
// Row B8.5. Not a reason to believe that something can still happen, unless Ref() says so: then a
// hub that has nothing else to do sleeps until another thread posts.
class CheckWatcher final : public Watcher, private internal::LoopHook {
 public:
  explicit CheckWatcher(Callback callback)
      : Watcher("a check watcher's callback", std::move(callback), /*ref=*/false) {}
  ~CheckWatcher() override { StopForGood(); }

 private:
  void Arm() override { hub().hooks().check.PushBack(this); }
  void Disarm() noexcept override { LoopHook::Unlink(); }
  void OnTurn() noexcept override { Call(); }
};

}  // namespace verdant

#endif  // VERDANT_HUB_WATCHER_CHECK_H_
