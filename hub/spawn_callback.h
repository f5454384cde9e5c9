#ifndef VERDANT_HUB_SPAWN_CALLBACK_H_
#define VERDANT_HUB_SPAWN_CALLBACK_H_

#include <cstdint>

#include "absl/functional/any_invocable.h"
#include "hub/handle.h"

namespace verdant {

// Has `callback` called with every green thread that is made on this thread's hub from now on: by
// Spawn(), SpawnN(), SpawnAfter(), Prepare(), a pool. It is called where the spawn is, before the
// new one is queued, in the order the callbacks were added; it must not block, and what it spawns
// is not announced, nor is a call that a pool makes inline. What it throws goes to the hub's error
// handler. Costs a spawn nothing but a branch while there is none. Returns what
// RemoveSpawnCallback() takes. Row B1.12.
std::uint64_t AddSpawnCallback(absl::AnyInvocable<void(const AnyGreenThread&)> callback);

// True if it was there; it is not called any more, not even by a spawn that is just being
// announced.
bool RemoveSpawnCallback(std::uint64_t callback);

}  // namespace verdant

#endif  // VERDANT_HUB_SPAWN_CALLBACK_H_
