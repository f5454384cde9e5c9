#ifndef VERDANT_HUB_SEMAPHORE_H_
#define VERDANT_HUB_SEMAPHORE_H_

#include <cstddef>
#include <cstdint>

#include "hub/hub.h"

namespace verdant {

// A counter that green threads take from and wait for. Fair: waiters are served in the order they
// came, and nobody who would wait overtakes them (row A6.2; TryAcquire() may). Rows A6.1-A6.4.
//
// Threading: for green threads of one hub. Whoever waits when it is destroyed waits until killed or
// timed out.
class Semaphore {
 public:
  // Throws std::logic_error if `count` is negative. `operation`, a literal, is what reports say
  // that its waiters wait in.
  explicit Semaphore(std::int64_t count = 1, const char* operation = "Semaphore::Acquire");
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;
  ~Semaphore();

  // Takes one, waiting for it if need be. Does not yield when one is there and nobody waits. Always
  // true. Inline for the sake of the switch, as Hub::Yield() is.
  VERDANT_INLINE_SWITCHING bool Acquire() {
    if (!locked()) {
      --count_;
      return true;
    }
    Hub& hub = Hub::Current();
    SemaphoreWaiter waiter(this, hub.CurrentTask());
    hub.Park(waiter.task, {operation_});
    waiter.semaphore = nullptr;
    return true;
  }
  // The same, or false if `deadline` came first.
  bool Acquire(Deadline deadline);
  // Takes one if there is one; never waits.
  bool TryAcquire();
  // Gives one back and wakes the first waiter at the hub's next turn. One that is killed or times
  // out before it runs passes its share on (row A6.3).
  void Release();
  // Adds `change`, which may be negative, to the counter; a positive one wakes as many waiters as
  // it serves (decision 14).
  void Adjust(std::int64_t change);

  // What could be taken now; negative after an Adjust() below what is taken.
  std::int64_t count() const { return count_; }
  // Green threads in Acquire().
  std::size_t waiting() const { return waiting_; }
  // count() less waiting(): negative while somebody waits (row A6.4).
  std::int64_t balance() const { return count_ - static_cast<std::int64_t>(waiting_); }
  // Acquire() would wait.
  bool locked() const { return count_ <= 0 || first_waiting_ != nullptr; }

 private:
  struct SemaphoreWaiter : internal::Waiter {
    SemaphoreWaiter(Semaphore* s, internal::Task* task) : Waiter(task), semaphore(s) {
      ++s->waiting_;
      s->waiters_.PushBack(this);
      if (s->first_waiting_ == nullptr) s->first_waiting_ = this;
    }
    ~SemaphoreWaiter() {
      if (semaphore != nullptr) [[unlikely]]
        semaphore->GiveUp(*this);
    }

    Semaphore* semaphore;  // null once that is gone, or has nothing to be told any more
    bool granted = false;
  };

  void Serve();
  // Of a waiter that is unwound: what was granted goes to the next one.
  void GiveUp(SemaphoreWaiter& waiter);

  const char* const operation_;
  std::int64_t count_;
  std::size_t waiting_ = 0;
  // Those before first_waiting_ were counted down for, but are not back in Acquire() yet.
  internal::WaitList waiters_;
  SemaphoreWaiter* first_waiting_ = nullptr;
};

// Holds one of a semaphore for a scope.
class SemaphoreLock {
 public:
  explicit SemaphoreLock(Semaphore& semaphore) : semaphore_(semaphore) { semaphore_.Acquire(); }
  SemaphoreLock(const SemaphoreLock&) = delete;
  SemaphoreLock& operator=(const SemaphoreLock&) = delete;
  ~SemaphoreLock() { semaphore_.Release(); }

 private:
  Semaphore& semaphore_;
};

}  // namespace verdant

#endif  // VERDANT_HUB_SEMAPHORE_H_
