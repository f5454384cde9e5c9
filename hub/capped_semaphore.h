#ifndef VERDANT_HUB_CAPPED_SEMAPHORE_H_
#define VERDANT_HUB_CAPPED_SEMAPHORE_H_

#include <cstddef>
#include <cstdint>

#include "hub/hub.h"
#include "hub/internal/list.h"
#include "hub/semaphore.h"

namespace verdant {

// A counter between zero and a limit: Acquire() waits at zero, Release() waits at the limit. With a
// limit of zero each waits for the other. Fair on both sides, as Semaphore is. Row A6.6.
//
// Threading and destruction as for a Semaphore.
class CappedSemaphore {
 public:
  // Throws std::logic_error if `count` is negative or above `limit`.
  CappedSemaphore(std::int64_t count, std::int64_t limit);
  CappedSemaphore(const CappedSemaphore&) = delete;
  CappedSemaphore& operator=(const CappedSemaphore&) = delete;

  // Takes one, waiting while there is none; false, having changed nothing, if `deadline` came
  // first. Lets the first green thread that waits in Release() go on. One that is killed after it
  // was served passes its share on, if need be above the limit.
  bool Acquire(Deadline deadline = Deadline::Never());
  // Gives one, waiting while there is no room for it; false, having changed nothing, if `deadline`
  // came first. One that is killed before it could go on takes back what it gave; if that has been
  // taken meanwhile, the count is below zero until somebody else gives one.
  bool Release(Deadline deadline = Deadline::Never());
  // The same without waiting.
  bool TryAcquire();
  bool TryRelease();

  // What could be taken now, what waits in Release() aside.
  std::int64_t count() const {
    return acquirable_.count() - static_cast<std::int64_t>(releasable_.waiting());
  }
  std::int64_t limit() const { return limit_; }
  std::size_t waiting_to_acquire() const { return acquirable_.waiting(); }
  std::size_t waiting_to_release() const { return releasable_.waiting(); }
  // Positive: so many wait in Release(). Negative: so many wait in Acquire().
  std::int64_t balance() const {
    return static_cast<std::int64_t>(releasable_.waiting()) -
           static_cast<std::int64_t>(acquirable_.waiting());
  }
  // Acquire() would wait.
  bool locked() const { return acquirable_.locked(); }
  // Release() would wait.
  bool bounded() const { return releasable_.locked(); }

 private:
  struct Claim;
  bool Exchange(Semaphore& given, Semaphore& taken, Deadline deadline);

  const std::int64_t limit_;
  Semaphore acquirable_;
  Semaphore releasable_;
  internal::List<Claim> claims_;  // given for, with nothing taken yet
};

}  // namespace verdant

#endif  // VERDANT_HUB_CAPPED_SEMAPHORE_H_
