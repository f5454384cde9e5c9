#ifndef VERDANT_HUB_BOUNDED_SEMAPHORE_H_
#define VERDANT_HUB_BOUNDED_SEMAPHORE_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "hub/hub.h"
#include "hub/semaphore.h"

namespace verdant {

// A Semaphore that notices when more is given back than was taken. Rows A6.5, B6.3. Threading and
// destruction as for a Semaphore.
class BoundedSemaphore {
 public:
  // Throws std::logic_error if `count` is negative.
  explicit BoundedSemaphore(std::int64_t count = 1)
      : semaphore_(count, "BoundedSemaphore::Acquire"), bound_(count) {}

  // All as for Semaphore.
  bool Acquire(Deadline deadline = Deadline::Never()) { return semaphore_.Acquire(deadline); }
  bool TryAcquire() { return semaphore_.TryAcquire(); }
  std::int64_t Wait(Deadline deadline = Deadline::Never()) { return semaphore_.Wait(deadline); }

  // Gives one back. Throws std::logic_error, and changes nothing, if that would be more than there
  // were at first.
  void Release();

  std::uint64_t Link(absl::AnyInvocable<void()> link) { return semaphore_.Link(std::move(link)); }
  bool Unlink(std::uint64_t link) { return semaphore_.Unlink(link); }

  std::int64_t bound() const { return bound_; }
  std::int64_t count() const { return semaphore_.count(); }
  std::size_t waiting() const { return semaphore_.waiting(); }
  std::int64_t balance() const { return semaphore_.balance(); }
  bool locked() const { return semaphore_.locked(); }
  bool Ready() const { return semaphore_.Ready(); }

 private:
  Semaphore semaphore_;
  const std::int64_t bound_;
};

}  // namespace verdant

#endif  // VERDANT_HUB_BOUNDED_SEMAPHORE_H_
