#ifndef VERDANT_HUB_CONDITION_H_
#define VERDANT_HUB_CONDITION_H_

#include <cstddef>
#include <variant>

#include "hub/hub.h"
#include "hub/internal/home_thread.h"
#include "hub/internal/list.h"
#include "hub/lock.h"

namespace verdant {

// Where green threads that hold a lock wait for something that others, holding it too, bring about.
// Row B6.8, after Python's threading.Condition.
//
//   std::lock_guard<Lock> hold(lock);
//   condition.WaitFor([&] { return !jobs.empty(); });
//
// Every call but waiting() throws std::logic_error, and changes nothing, unless the lock is held:
// an RLock by the caller, a Lock by whomever, since that does not know.
//
// Threading: belongs to the thread that makes it, as its lock does. The lock must outlive the
// Condition and all who wait; whoever waits when the Condition is destroyed waits until killed or
// timed out.
class Condition {
 public:
  explicit Condition(Lock& lock) : lock_(&lock) {}
  explicit Condition(RLock& lock) : lock_(&lock) {}
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;
  ~Condition();

  // Releases the lock, however often it was taken, waits to be notified, and takes it again as
  // often; false if `deadline` came first. One that is killed or timed out also has the lock again
  // when the exception leaves this call, and waits for it however long that takes; a notification
  // it had goes to the next waiter. Throws std::logic_error in a hub callback; and, with the lock
  // taken over, where that can never be had again because whoever took it has ended and nothing
  // else can happen any more.
  bool Wait(Deadline deadline = Deadline::Never());
  // Waits until predicate(), asked with the lock held: before the first wait, then after each
  // notification. What it says in the end: false only if `deadline` came first.
  template <typename Predicate>
  bool WaitFor(Predicate&& predicate, Deadline deadline = Deadline::Never()) {
    while (!predicate()) {
      if (!Wait(deadline)) return predicate();
    }
    return true;
  }

  // Has the `count` green threads that wait longest, or all if there are fewer, run once the lock
  // is free for them, in the order they came. Does not release the lock.
  void Notify(std::size_t count = 1);
  void NotifyAll();

  // Green threads in Wait() that have not been notified.
  std::size_t waiting() const { return waiting_; }

 private:
  using AnyLock = std::variant<Lock*, RLock*>;
  struct ConditionWaiter;
  class Released;

  void CheckHeld(const char* what) const;
  void WakeFirst(std::size_t count, bool passes_on);

  const AnyLock lock_;
  [[no_unique_address]] internal::AssertedHomeThread home_;
  std::size_t waiting_ = 0;
  internal::WaitList waiters_;
  internal::WaitList notified_;  // but not yet back in Wait()
};

}  // namespace verdant

#endif  // VERDANT_HUB_CONDITION_H_
