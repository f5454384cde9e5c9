#ifndef VERDANT_HUB_DUMMY_SEMAPHORE_H_
#define VERDANT_HUB_DUMMY_SEMAPHORE_H_

#include <cstddef>
#include <cstdint>

#include "hub/hub.h"

namespace verdant {

// A semaphore that always has one, for code that takes some semaphore and need not be held back.
// Row B6.4. Any thread.
class DummySemaphore {
 public:
  bool Acquire(Deadline = Deadline::Never()) { return true; }
  bool TryAcquire() { return true; }
  std::int64_t Wait(Deadline = Deadline::Never()) { return 1; }
  void Release() {}
  std::int64_t count() const { return 1; }
  std::size_t waiting() const { return 0; }
  std::int64_t balance() const { return 1; }
  bool locked() const { return false; }
  bool Ready() const { return true; }
};

}  // namespace verdant

#endif  // VERDANT_HUB_DUMMY_SEMAPHORE_H_
