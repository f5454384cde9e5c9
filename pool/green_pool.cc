#include "pool/green_pool.h"

#include <stdexcept>

namespace verdant {

GreenPool::GreenPool(std::int64_t size)
    : slots_(
          new internal::PoolSlots(size, {"GreenPool", "GreenPool::Spawn", "GreenPool::WaitAll"})) {}

bool GreenPool::WaitAll(Deadline deadline) {
  if (slots_->CallerIsMember()) {
    throw std::logic_error("GreenPool::WaitAll: a member of the pool would wait for itself");
  }
  return slots_->WaitUntilIdle(deadline);
}

}  // namespace verdant
