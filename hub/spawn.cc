#include "hub/spawn.h"

#include <memory>

namespace verdant::internal {

void Prepared(Task* task) {
  task->hub->AssignId(task);
  if (task->hub->spawn_hooks() != nullptr) [[unlikely]] {
    task->hub->Announce(task);
    task->Extras().announced = true;
  }
}

void StartLaterWithSpawner(const AnyGreenThread& thread, absl::Duration delay) {
  Hub& hub = Hub::Current();
  std::shared_ptr<const bool> ended;
  if (!hub.OnHubStack() && fiber_thread.current != fiber_thread.main) {
    ended = hub.CurrentTask()->Extras().Ended();
  }
  thread.StartLater(delay, std::move(ended));
}

}  // namespace verdant::internal
