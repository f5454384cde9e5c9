#include "hub/capped_semaphore.h"

#include <stdexcept>

namespace verdant {

// Takes back what was given if nothing came of it, unless the semaphore is gone.
struct CappedSemaphore::Claim : internal::ListNode {
  explicit Claim(Semaphore& g) : given(g) {}
  ~Claim() {
    if (linked()) given.Adjust(-1);
  }
  Semaphore& given;
};

CappedSemaphore::CappedSemaphore(std::int64_t count, std::int64_t limit)
    : limit_(limit),
      acquirable_(count, "CappedSemaphore::Acquire"),
      releasable_(count <= limit ? limit - count : 0, "CappedSemaphore::Release") {
  if (count > limit) throw std::logic_error("CappedSemaphore: the count is above the limit");
}

bool CappedSemaphore::Acquire(Deadline deadline) {
  return Exchange(releasable_, acquirable_, deadline);
}

bool CappedSemaphore::Release(Deadline deadline) {
  return Exchange(acquirable_, releasable_, deadline);
}

bool CappedSemaphore::TryAcquire() {
  if (!acquirable_.TryAcquire()) return false;
  releasable_.Release();
  return true;
}

bool CappedSemaphore::TryRelease() {
  if (!releasable_.TryAcquire()) return false;
  acquirable_.Release();
  return true;
}

// Gives before it waits, so that one who waits on the other side can go on even if nobody else
// comes.
bool CappedSemaphore::Exchange(Semaphore& given, Semaphore& taken, Deadline deadline) {
  Claim claim(given);
  given.Release();
  claims_.PushBack(&claim);
  const bool took = taken.Acquire(deadline);
  if (took) claim.Unlink();
  return took;
}

}  // namespace verdant
