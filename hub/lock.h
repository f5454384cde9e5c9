#ifndef VERDANT_HUB_LOCK_H_
#define VERDANT_HUB_LOCK_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "greenlet/source_location.h"
#include "hub/hub.h"
#include "hub/semaphore.h"

namespace verdant {

namespace internal {

class LockWait;

// Who took a lock last.
struct LockHolder {
  // Of the number that no green thread has: a hub callback.
  static constexpr std::uint64_t kCallback = UINT64_MAX;

  static LockHolder Of(const Task* task) {
    return {task, task->own_fiber.id, task->own_fiber.site()};
  }
  static LockHolder Caller();
  friend bool operator==(const LockHolder& a, const LockHolder& b) {
    return a.task == b.task && a.id == b.id;
  }

  // Control blocks are used again; with its number one is meant and no other.
  const Task* task = nullptr;
  std::uint64_t id = 0;  // 0: not known
  SourceLocation site = {};
};

}  // namespace internal

// One green thread at a time, and the others in line. Row A6.7. Fits std::lock_guard,
// std::unique_lock and std::scoped_lock.
//
// Not tied to who took it: any green thread may release it, which makes it a signal as well, and
// one that takes it twice waits for itself (LoopExit then shows it in Lock::Acquire). See RLock.
//
// So nobody can tell that it will never be released until nothing can happen any more. If whoever
// took it has ended by then, those that wait for it get a std::logic_error that says so, instead of
// a LoopExit that is thrown elsewhere. The same goes for RLock.
//
// Threading: belongs to the thread that makes it, as Semaphore does; between OS threads std::mutex
// is what to use, held only for what does not block. Whoever waits when it is destroyed waits until
// killed or timed out.
class Lock {
 public:
  Lock() = default;
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  ~Lock();

  // Takes it, waiting for it if need be; false if `deadline` came first. Waiters are served in the
  // order they came; without any, and unlocked, it does not yield. Throws std::logic_error if it
  // had to wait in a hub callback, or in vain.
  bool Acquire(Deadline deadline = Deadline::Never());
  // Takes it if it is free; never waits.
  bool TryAcquire();
  // Gives it to the first waiter, who runs at the hub's next turn, or frees it. Throws
  // std::logic_error if it is not locked.
  void Release();

  // Held, or given to a waiter that has not run yet.
  bool locked() const { return semaphore_.locked(); }
  std::size_t waiting() const { return semaphore_.waiting(); }

  void lock() { Acquire(); }
  bool try_lock() { return TryAcquire(); }
  void unlock() { Release(); }

  // For the child of a fork, where whoever held it or waited for it may not exist: frees it.
  void ReinitAfterFork() { semaphore_.ReinitAfterFork(1); }

 private:
  friend class Condition;

  bool HeldByCaller() const { return locked(); }
  // For Condition. Whoever would take it again in vain takes it over from the dead instead, and is
  // told why; an empty text otherwise.
  std::size_t ReleaseAll();
  std::string Reacquire(std::size_t depth);

  Semaphore semaphore_{1, "Lock::Acquire"};
  internal::LockHolder holder_;
};

// A Lock that belongs to the green thread which took it, and which may take it again: it is free
// when that has released it as often. Row B6.5. Everything else as for Lock, except that no call
// but locked(), waiting(), held() and depth() may be made in a hub callback, which is no green
// thread and cannot own it: std::logic_error.
//
// A green thread that ends while it holds one leaves it locked for good; use std::lock_guard.
class RLock {
 public:
  RLock() = default;
  RLock(const RLock&) = delete;
  RLock& operator=(const RLock&) = delete;
  ~RLock();

  bool Acquire(Deadline deadline = Deadline::Never());
  bool TryAcquire();
  // Throws std::logic_error, and changes nothing, unless the caller holds it.
  void Release();

  bool locked() const { return semaphore_.locked(); }
  std::size_t waiting() const { return semaphore_.waiting(); }
  // The caller holds it.
  bool held() const { return depth_ > 0 && owner_ == internal::LockHolder::Caller(); }
  // How often its owner has taken it.
  std::size_t depth() const { return depth_; }

  void lock() { Acquire(); }
  bool try_lock() { return TryAcquire(); }
  void unlock() { Release(); }

  void ReinitAfterFork();

 private:
  friend class Condition;

  bool HeldByCaller() const { return held(); }
  std::size_t ReleaseAll();
  std::string Reacquire(std::size_t depth);

  Semaphore semaphore_{1, "RLock::Acquire"};
  internal::LockHolder owner_;
  std::size_t depth_ = 0;
};

}  // namespace verdant

#endif  // VERDANT_HUB_LOCK_H_
