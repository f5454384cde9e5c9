#ifndef VERDANT_HUB_WATCHER_PREPARE_H_
#define VERDANT_HUB_WATCHER_PREPARE_H_

#include <utility>

#include "hub/internal/loop_hooks.h"
#include "hub/watcher/watcher.h"

namespace verdant {

// Calls at every turn of the hub, after due timers and before it looks for I/O, or sleeps. What it
// makes runnable keeps the hub from sleeping. Row B8.5. Not a reason to believe that something can
// still happen, unless Ref() says so: then a hub that has nothing else to do sleeps until another
// thread posts.
class PrepareWatcher final : public Watcher, private internal::LoopHook {
 public:
  explicit PrepareWatcher(Callback callback)
      : Watcher("a prepare watcher's callback", std::move(callback), /*ref=*/false) {}
  ~PrepareWatcher() override { StopForGood(); }

 private:
  void Arm() override { hub().hooks().prepare.PushBack(this); }
  void Disarm() noexcept override { LoopHook::Unlink(); }
  void OnTurn() noexcept override { Call(); }
};

}  // namespace verdant

#endif  // VERDANT_HUB_WATCHER_PREPARE_H_
