#ifndef VERDANT_HUB_WATCHER_IDLE_H_
#define VERDANT_HUB_WATCHER_IDLE_H_

#include <utility>

#include "hub/internal/loop_hooks.h"
#include "hub/watcher/watcher.h"

namespace verdant {

// Calls whenever a turn of the hub leaves nothing runnable and nothing to report: at each turn, for
// as long as it is active, since the hub then looks for I/O without sleeping. For work that has
// time until there is nothing better to do; stop it when there is none. Row B8.5. While ref(), the
// hub never finds that nothing can happen.
class IdleWatcher final : public Watcher, private internal::LoopHook {
 public:
  explicit IdleWatcher(Callback callback)
      : Watcher("an idle watcher's callback", std::move(callback)) {}
  ~IdleWatcher() override { StopForGood(); }

 private:
  void Arm() override { hub().hooks().idle.PushBack(this); }
  void Disarm() noexcept override { LoopHook::Unlink(); }
  void OnTurn() noexcept override { Call(); }
};

}  // namespace verdant

#endif  // VERDANT_HUB_WATCHER_IDLE_H_
