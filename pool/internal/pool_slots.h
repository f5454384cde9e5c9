#ifndef VERDANT_POOL_INTERNAL_POOL_SLOTS_H_
#define VERDANT_POOL_INTERNAL_POOL_SLOTS_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "hub/hub.h"
#include "hub/semaphore.h"
#include "pool/internal/crowd.h"

namespace verdant::internal {

// What a pool's calls go by in reports and errors; literals.
struct PoolNames {
  const char* pool;
  const char* spawn;
  const char* wait_for_all;
};

// The counts behind a GreenPool or Group. Shared by the pool and its members, so that either may go
// first.
class PoolSlots {
 public:
  // So many that there is always one.
  static constexpr std::int64_t kNoLimit = INT64_MAX / 2;

  // Throws std::logic_error if `size` is negative.
  PoolSlots(std::int64_t size, PoolNames names);

  void Ref() { ++refs_; }
  void Unref() {
    if (--refs_ == 0) delete this;
  }

  // Takes a slot, waiting for one if need be; throws what interrupts the wait. False if `deadline`
  // came first.
  bool Enter(Deadline deadline = Deadline::Never());
  // Gives a slot back: to the first who waits for one, or to nobody, and then the pool may be idle.
  void Leave() {
    --running_;
    slots_.Release();
    NotifyIfIdle();
    if (room_is_awaited_) [[unlikely]]
      NotifyOfRoom();
  }

  // Enter() would wait.
  bool locked() const { return slots_.locked(); }
  // The caller runs in one of these slots. Known by Task::member_of, so only where that is set.
  bool CallerIsMember() const;

  void Resize(std::int64_t size);
  bool WaitUntilIdle(Deadline deadline);
  // Waits until Enter() would not wait; false if `deadline` came first.
  bool WaitForRoom(Deadline deadline);

  std::int64_t size() const { return size_; }
  std::int64_t free() const { return slots_.count(); }
  std::size_t running() const { return running_; }
  std::size_t waiting() const { return slots_.waiting(); }
  const PoolNames& names() const { return names_; }

 private:
  // No slot is taken, not even by somebody who was given one and has not run since.
  bool Idle() const { return slots_.count() == size_; }
  void NotifyIfIdle() {
    if (Idle()) waiting_for_idle_.WakeAll();
  }
  void NotifyOfRoom();

  const PoolNames names_;
  std::int64_t size_;
  std::size_t running_ = 0;
  std::size_t refs_ = 1;
  bool room_is_awaited_ = false;
  Semaphore slots_;
  Crowd waiting_for_idle_;
  Crowd waiting_for_room_;
};

// A slot held, until this is destroyed.
class PoolSlot {
 public:
  // Waits for one; throws what interrupts the wait.
  explicit PoolSlot(PoolSlots& slots) : slots_(&slots) {
    slots.Enter();
    slots.Ref();
  }
  // For one that was entered already.
  struct Entered {};
  PoolSlot(PoolSlots& slots, Entered) : slots_(&slots) { slots.Ref(); }
  PoolSlot(PoolSlot&& other) noexcept : slots_(std::exchange(other.slots_, nullptr)) {}
  PoolSlot& operator=(PoolSlot&&) = delete;
  // Lets go of it without giving it back: where nobody can be woken that waits for one.
  void Abandon() noexcept { std::exchange(slots_, nullptr)->Unref(); }
  ~PoolSlot() {
    if (slots_ == nullptr) return;
    slots_->Leave();
    slots_->Unref();
  }

 private:
  PoolSlots* slots_;
};

// What a GreenPool's member runs. The slot is part of the closure, and so given back when that has
// run, or was dropped because it never will. It comes first, so that it is given back after all
// that the function captured is gone.
template <typename F>
struct PoolMember {
  PoolSlot slot;
  F function;
  decltype(auto) operator()() { return function(); }
};

}  // namespace verdant::internal

#endif  // VERDANT_POOL_INTERNAL_POOL_SLOTS_H_
