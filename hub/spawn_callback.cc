#include "hub/spawn_callback.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "hub/internal/spawn_announcer.h"

namespace verdant {

namespace internal {

SpawnAnnouncer& SpawnAnnouncer::Current() {
  Hub& hub = Hub::Current();
  const std::shared_ptr<SpawnHooks>& hooks = hub.spawn_hooks();
  if (hooks == nullptr || !hooks->announces()) {
    hub.SetSpawnHooks(std::make_shared<SpawnAnnouncer>(hooks));
  }
  return static_cast<SpawnAnnouncer&>(*hub.spawn_hooks());
}

void SpawnAnnouncer::DropIfIdle(Hub& hub) {
  const auto& self = static_cast<SpawnAnnouncer&>(*hub.spawn_hooks());
  if (!self.callbacks_.empty() || self.trees_) return;
  const std::shared_ptr<SpawnHooks> before = self.before_;
  hub.SetSpawnHooks(before);
}

void SpawnAnnouncer::OnSpawn(Task* task) noexcept {
  if (before_ != nullptr) before_->OnSpawn(task);
  const auto* spawner = static_cast<const Task*>(fiber_thread.current->scheduled);
  if (trees_ && spawner != nullptr && spawner->extras != nullptr &&
      fiber_thread.current != fiber_thread.main) {
    if (const auto& tree = spawner->extras->tree; tree != nullptr) task->Extras().tree = tree;
  }
  if (announcing_ || callbacks_.empty()) return;
  announcing_ = true;
  Hub::Ref(task);
  const AnyGreenThread thread(task);
  const auto callbacks = callbacks_;
  for (const std::shared_ptr<Callback>& callback : callbacks) {
    if (callback->removed) continue;
    try {
      callback->call(thread);
    } catch (...) {
      task->hub->ReportUncaught("a spawn callback", std::current_exception());
    }
  }
  announcing_ = false;
}

std::uint64_t SpawnAnnouncer::Add(absl::AnyInvocable<void(const AnyGreenThread&)> call) {
  callbacks_.push_back(std::make_shared<Callback>(Callback{++last_id_, std::move(call)}));
  return last_id_;
}

bool SpawnAnnouncer::Remove(std::uint64_t id) {
  const auto callback = std::find_if(callbacks_.begin(), callbacks_.end(),
                                     [id](const auto& c) { return c->id == id; });
  if (callback == callbacks_.end()) return false;
  const std::shared_ptr<Callback> removed = *callback;
  removed->removed = true;
  callbacks_.erase(callback);
  return true;
}

}  // namespace internal

std::uint64_t AddSpawnCallback(absl::AnyInvocable<void(const AnyGreenThread&)> callback) {
  if (callback == nullptr) throw std::logic_error("AddSpawnCallback of an empty function");
  return internal::SpawnAnnouncer::Current().Add(std::move(callback));
}

bool RemoveSpawnCallback(std::uint64_t callback) {
  const bool removed = internal::SpawnAnnouncer::Current().Remove(callback);
  internal::SpawnAnnouncer::DropIfIdle(Hub::Current());
  return removed;
}

}  // namespace verdant
