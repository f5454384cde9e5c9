#include "hub/spawn_tree.h"

#include <atomic>

#include "hub/hub.h"
#include "hub/internal/spawn_announcer.h"

namespace verdant {

namespace internal {

std::uint64_t NewSpawnTreeKey() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

std::shared_ptr<void>& SpawnTreeSlot(std::uint64_t key) {
  TaskExtras& extras = Hub::Current().CurrentTask()->Extras();
  if (extras.tree == nullptr) BeginSpawnTree();
  return extras.tree->values[key];
}

}  // namespace internal

void BeginSpawnTree() {
  internal::Task* self = Hub::Current().CurrentTask();
  internal::SpawnAnnouncer::Current().ShareTrees();
  self->Extras().tree = std::make_shared<internal::SpawnTree>();
}

}  // namespace verdant
