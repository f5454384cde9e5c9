#ifndef VERDANT_HUB_SPAWN_TREE_H_
#define VERDANT_HUB_SPAWN_TREE_H_

#include <cstdint>
#include <memory>

#include "hub/internal/task_extras.h"

namespace verdant {

namespace internal {
std::uint64_t NewSpawnTreeKey();
// The place for `key` in the tree of the running green thread.
std::shared_ptr<void>& SpawnTreeSlot(std::uint64_t key);
}  // namespace internal

// A variable of which there is one for each spawn tree: for a green thread and all that it spawns,
// and that those spawn, after one of them has first used any such variable. The tree's value is
// made by T() when first used and ends with the last member of the tree; it must not block then.
// What the main greenlet spawns begins a tree of its own each. Row B1.11.
//
//   SpawnTreeLocal<std::string> request_id;
//   Spawn([&] {
//     *request_id = "r1";
//     Spawn([&] { Log(*request_id); }).Wait();  // the same string
//   });
//
// Until a hub's first use of any, they cost a spawn nothing but the branch it has anyway. Throws
// std::logic_error in a hub callback, which belongs to no tree.
template <typename T>
class SpawnTreeLocal {
 public:
  SpawnTreeLocal() = default;
  SpawnTreeLocal(const SpawnTreeLocal&) = delete;
  SpawnTreeLocal& operator=(const SpawnTreeLocal&) = delete;

  T& operator*() const {
    if (void* made = internal::SpawnTreeSlot(key_).get()) return *static_cast<T*>(made);
    // May block, and another of the tree come first.
    std::shared_ptr<void> mine = std::make_shared<T>();
    std::shared_ptr<void>& slot = internal::SpawnTreeSlot(key_);
    if (slot == nullptr) slot = std::move(mine);
    return *static_cast<T*>(slot.get());
  }
  T* operator->() const { return &**this; }

 private:
  const std::uint64_t key_ = internal::NewSpawnTreeKey();
};

// Begins a new tree, with fresh variables, at the running green thread: it leaves the one it was in
// to the others.
void BeginSpawnTree();

}  // namespace verdant

#endif  // VERDANT_HUB_SPAWN_TREE_H_
