#include "pool/internal/pool_slots.h"

#include <stdexcept>
#include <string>

namespace verdant::internal {

namespace {

std::int64_t Checked(std::int64_t size, const PoolNames& names) {
  if (size < 0) {
    throw std::logic_error(std::string(names.pool) + ": the size must not be negative");
  }
  return size;
}

}  // namespace

PoolSlots::PoolSlots(std::int64_t size, PoolNames names)
    : names_(names), size_(Checked(size, names)), slots_(size, names.spawn) {}

bool PoolSlots::Enter(Deadline deadline) {
  if (slots_.locked()) {
    bool entered = false;
    try {
      entered = slots_.Acquire(deadline);
    } catch (...) {
      // A slot may have been given to this caller already; it is back now, and nobody else would
      // notice.
      NotifyIfIdle();
      NotifyOfRoom();
      throw;
    }
    if (!entered) return false;
  } else {
    slots_.Acquire();
  }
  ++running_;
  return true;
}

bool PoolSlots::CallerIsMember() const {
  Hub& hub = Hub::Current();
  return !hub.OnHubStack() && hub.CurrentTask()->member_of == this;
}

void PoolSlots::Resize(std::int64_t size) {
  const std::int64_t change = Checked(size, names_) - size_;
  size_ = size;
  slots_.Adjust(change);
  NotifyOfRoom();
}

bool PoolSlots::WaitUntilIdle(Deadline deadline) {
  return Idle() || waiting_for_idle_.Wait({names_.wait_for_all}, deadline);
}

bool PoolSlots::WaitForRoom(Deadline deadline) {
  while (slots_.locked()) {
    room_is_awaited_ = true;
    if (!waiting_for_room_.Wait({"Group::WaitAvailable"}, deadline)) return !slots_.locked();
  }
  return true;
}

void PoolSlots::NotifyOfRoom() {
  if (!room_is_awaited_ || slots_.locked()) return;
  room_is_awaited_ = false;
  waiting_for_room_.WakeAll();
}

}  // namespace verdant::internal
