#ifndef VERDANT_HUB_INTERNAL_SPAWN_ANNOUNCER_H_
#define VERDANT_HUB_INTERNAL_SPAWN_ANNOUNCER_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "hub/handle.h"
#include "hub/hub.h"

namespace verdant::internal {

// What a hub does at each spawn once anybody wants anything done: lets the new one share its
// spawner's tree, calls the spawn callbacks.
class SpawnAnnouncer final : public SpawnHooks {
 public:
  // The calling thread's hub's, made now if need be.
  static SpawnAnnouncer& Current();
  // Gives it up if nobody wants anything.
  static void DropIfIdle(Hub& hub);

  // What is told before it, if anything.
  explicit SpawnAnnouncer(std::shared_ptr<SpawnHooks> before) : before_(std::move(before)) {}

  void OnSpawn(Task* task) noexcept override;
  bool announces() const override { return true; }

  std::uint64_t Add(absl::AnyInvocable<void(const AnyGreenThread&)> call);
  bool Remove(std::uint64_t id);
  void ShareTrees() { trees_ = true; }

 private:
  struct Callback {
    std::uint64_t id;
    absl::AnyInvocable<void(const AnyGreenThread&)> call;
    bool removed = false;
  };

  const std::shared_ptr<SpawnHooks> before_;
  // Shared, so that one that removes itself, or another, outlives the call.
  std::vector<std::shared_ptr<Callback>> callbacks_;
  std::uint64_t last_id_ = 0;
  bool trees_ = false;
  bool announcing_ = false;
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_SPAWN_ANNOUNCER_H_
