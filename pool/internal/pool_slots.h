#ifndef VERDANT_POOL_INTERNAL_POOL_SLOTS_H_
#define VERDANT_POOL_INTERNAL_POOL_SLOTS_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "hub/hub.h"
#include "hub/semaphore.h"
#include "pool/internal/crowd.h"

namespace verdant::internal {

// The counts behind a GreenPool. Shared by the pool and its members, so that either may go first.
class PoolSlots {
 public:
  explicit PoolSlots(std::int64_t size);

  void Ref() { ++refs_; }
  void Unref() {
    if (--refs_ == 0) delete this;
  }

  // Takes a slot, waiting for one if need be; throws what interrupts the wait.
  void Enter();
  // Gives a slot back: to the first who waits for one, or to nobody, and then the pool may be idle.
  void Leave() {
    --running_;
    slots_.Release();
    NotifyIfIdle();
  }

  // The caller runs in one of these slots, and there is none left for another.
  bool FullForMember() const { return slots_.locked() && CallerIsMember(); }
  bool CallerIsMember() const;

  void Resize(std::int64_t size);
  bool WaitUntilIdle(Deadline deadline);

  std::int64_t size() const { return size_; }
  std::int64_t free() const { return slots_.count(); }
  std::size_t running() const { return running_; }
  std::size_t waiting() const { return slots_.waiting(); }

 private:
  // No slot is taken, not even by somebody who was given one and has not run since.
  bool Idle() const { return slots_.count() == size_; }
  void NotifyIfIdle() {
    if (Idle()) waiting_for_idle_.WakeAll();
  }

  std::int64_t size_;
  std::size_t running_ = 0;
  std::size_t refs_ = 1;
  Semaphore slots_;
  Crowd waiting_for_idle_;
};

// A slot held: part of a member's closure, and so given back when that has run, or was dropped
// because it never will.
class PoolSlot {
 public:
  explicit PoolSlot(PoolSlots& slots) : slots_(&slots) {
    slots.Enter();
    slots.Ref();
  }
  PoolSlot(PoolSlot&& other) noexcept : slots_(std::exchange(other.slots_, nullptr)) {}
  PoolSlot& operator=(PoolSlot&&) = delete;
  ~PoolSlot() {
    if (slots_ == nullptr) return;
    slots_->Leave();
    slots_->Unref();
  }

 private:
  PoolSlots* slots_;
};

// What a member runs. The slot comes first, so that it is given back after all that the function
// captured is gone.
template <typename F>
struct PoolMember {
  PoolSlot slot;
  F function;
  decltype(auto) operator()() { return function(); }
};

}  // namespace verdant::internal

#endif  // VERDANT_POOL_INTERNAL_POOL_SLOTS_H_
