#ifndef VERDANT_HUB_SEMAPHORE_H_
#define VERDANT_HUB_SEMAPHORE_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "hub/hub.h"
#include "hub/internal/home_thread.h"
#include "hub/internal/links.h"

namespace verdant {

// A counter that green threads take from and wait for. Fair: waiters are served in the order they
// came, and nobody overtakes them, not even TryAcquire(), since what is given back goes to the
// first of them directly (row A6.2). Rows A6.1-A6.4, B6.1, B6.6, B6.7.
//
// Threading: belongs to the thread that makes it; whatever takes, gives or links throws
// std::logic_error on another, and changes nothing. A build with NDEBUG notices only while somebody
// waits or has linked. Other threads hand things over with Hub::Post(), an AsyncResult or a
// SharedSemaphore. Whoever waits when it is destroyed waits until killed or timed out.
class Semaphore {
 public:
  // Throws std::logic_error if `count` is negative. `operation`, a literal, is what reports say
  // that its waiters wait in.
  explicit Semaphore(std::int64_t count = 1, const char* operation = "Semaphore::Acquire");
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;
  ~Semaphore();

  // Takes one, waiting for it if need be. Does not yield when one is there and nobody waits. Always
  // true. Throws std::logic_error if it had to wait in a hub callback. Inline for the sake of the
  // switch, as Hub::Yield() is.
  VERDANT_INLINE_SWITCHING bool Acquire() {
    home_.Check(kWhat);
    if (!locked()) {
      --count_;
      return true;
    }
    Hub& hub = Hub::Current();
    SemaphoreWaiter waiter(this, hub.CurrentTask(), Wants::kShare);
    hub.Park(waiter.task, {operation_});
    waiter.semaphore = nullptr;
    return true;
  }
  // The same, or false if `deadline` came first.
  bool Acquire(Deadline deadline);
  // Takes one if there is one; never waits.
  bool TryAcquire();
  // Waits until one could be taken, in line with those who take, and takes none: how many there are
  // when the caller runs again. That may be 0, if others were quicker; it is 0 if `deadline` came
  // first (row B6.1).
  std::int64_t Wait(Deadline deadline = Deadline::Never());
  // Gives one back, above the initial count if need be, and wakes the first waiter at the hub's
  // next turn. One that is killed or times out before it runs passes its share on (row A6.3).
  void Release();
  // Adds `change`, which may be negative, to the counter; a positive one wakes as many waiters as
  // it serves (decision 14).
  void Adjust(std::int64_t change);

  // Calls `link`, which must not block, when one could be taken that no waiter takes, and for as
  // long as that is so the next; at once if it is so already. Links are called in the order they
  // were linked, once each; what one throws goes to the hub's error handler (row B4.4, decision 6).
  // Returns what Unlink() takes, 0 if it was called at once.
  std::uint64_t Link(absl::AnyInvocable<void()> link) {
    home_.Check(kWhat);
    return links_.Add(kWhat, Ready(), std::move(link));
  }
  // True if the link was still to be called.
  bool Unlink(std::uint64_t link) { return links_.Remove(link); }

  // What could be taken now; negative after an Adjust() below what is taken.
  std::int64_t count() const { return count_; }
  // Green threads in Acquire().
  std::size_t waiting() const { return waiting_; }
  // count() less waiting(): negative while somebody waits (row A6.4).
  std::int64_t balance() const { return count_ - static_cast<std::int64_t>(waiting_); }
  // Acquire() would wait.
  bool locked() const { return count_ <= 0 || first_waiting_ != nullptr; }
  // Release() would wait: never, unlike a CappedSemaphore's (row A6.4).
  static constexpr bool bounded() { return false; }
  // Acquire() would not wait.
  bool Ready() const { return !locked(); }

 private:
  friend class Lock;
  friend class RLock;

  enum class Wants : std::uint8_t { kShare, kShareUninterrupted, kNews };
  struct SemaphoreWaiter : internal::Waiter {
    SemaphoreWaiter(Semaphore* s, internal::Task* task, Wants w)
        : Waiter(task), semaphore(s), wants(w) {
      if (takes()) ++s->waiting_;
      s->waiters_.PushBack(this);
      if (s->first_waiting_ == nullptr) s->first_waiting_ = this;
    }
    ~SemaphoreWaiter() {
      if (semaphore != nullptr) [[unlikely]]
        semaphore->GiveUp(*this);
    }
    bool takes() const { return wants != Wants::kNews; }
    // It has been woken, and what it wants is its own.
    void Grant() {
      granted = true;
      semaphore->first_waiting_ = static_cast<SemaphoreWaiter*>(semaphore->waiters_.next(this));
      if (takes()) --semaphore->waiting_;
    }

    Semaphore* semaphore;  // null once that is gone, or has nothing to be told any more
    const Wants wants;
    bool granted = false;
  };

  // Of a waiter that leaves without having taken: what was granted goes to the next one.
  void GiveUp(SemaphoreWaiter& waiter);
  // Acquire() that nothing interrupts; false if the semaphore is gone, or if `given_up` was set and
  // the caller woken.
  bool AcquireUninterrupted(const bool& given_up);
  // Of those that wait, if any do.
  Hub* waiters_hub() const {
    const internal::Waiter* waiter = waiters_.front();
    return waiter != nullptr ? waiter->task->hub : nullptr;
  }
  // Lets go of its waiters, who hear nothing more of it.
  void Abandon() noexcept;
  // In the child of a fork: whoever waited does not exist there.
  void ReinitAfterFork(std::int64_t count);

  static constexpr char kWhat[] = "a Semaphore";

  const char* const operation_;
  std::int64_t count_;
  std::size_t waiting_ = 0;
  // Those before first_waiting_ were counted down for, but are not back in Acquire() yet.
  internal::WaitList waiters_;
  SemaphoreWaiter* first_waiting_ = nullptr;
  internal::Links links_;
  [[no_unique_address]] internal::AssertedHomeThread home_;
};

// Holds one of a Semaphore or BoundedSemaphore for a scope.
template <typename AnySemaphore>
class SemaphoreLock {
 public:
  explicit SemaphoreLock(AnySemaphore& semaphore) : semaphore_(semaphore) { semaphore_.Acquire(); }
  SemaphoreLock(const SemaphoreLock&) = delete;
  SemaphoreLock& operator=(const SemaphoreLock&) = delete;
  ~SemaphoreLock() { semaphore_.Release(); }

 private:
  AnySemaphore& semaphore_;
};

}  // namespace verdant

#endif  // VERDANT_HUB_SEMAPHORE_H_
