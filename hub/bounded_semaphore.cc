#include "hub/bounded_semaphore.h"

#include <stdexcept>

namespace verdant {

void BoundedSemaphore::Release() {
  if (semaphore_.count() >= bound_) {
    throw std::logic_error("BoundedSemaphore::Release: released too many times");
  }
  semaphore_.Release();
}

}  // namespace verdant
