#include "pool/internal/pool_slots.h"

#include <stdexcept>

namespace verdant::internal {

namespace {

std::int64_t Checked(std::int64_t size) {
  if (size < 0) throw std::logic_error("GreenPool: the size must not be negative");
  return size;
}

}  // namespace

PoolSlots::PoolSlots(std::int64_t size) : size_(Checked(size)), slots_(size, "GreenPool::Spawn") {}

void PoolSlots::Enter() {
  if (slots_.locked()) {
    try {
      slots_.Acquire();
    } catch (...) {
      // A slot may have been given to this caller already; it is back now, and nobody else would
      // notice.
      NotifyIfIdle();
      throw;
    }
  } else {
    slots_.Acquire();
  }
  ++running_;
}

bool PoolSlots::CallerIsMember() const {
  Hub& hub = Hub::Current();
  return !hub.OnHubStack() && hub.CurrentTask()->member_of == this;
}

void PoolSlots::Resize(std::int64_t size) {
  const std::int64_t change = Checked(size) - size_;
  size_ = size;
  slots_.Adjust(change);
}

bool PoolSlots::WaitUntilIdle(Deadline deadline) {
  if (CallerIsMember())
    throw std::logic_error("GreenPool::WaitAll: a member of the pool would wait for itself");
  return Idle() || waiting_for_idle_.Wait({"GreenPool::WaitAll"}, deadline);
}

}  // namespace verdant::internal
