#include "hub/mutex_check.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include <atomic>
#include <cstdlib>

#include "hub/internal/held_mutexes.h"

// The functions of pthread, in front of the C library's or a sanitizer's. They are called at any
// time, before main() and by memory allocators too.

namespace {

// Zero-initialised, and looked up by whoever comes first: all find the same.
template <typename Function>
struct Real {
  const char* name;
  std::atomic<Function*> function{nullptr};

  template <typename... Args>
  int operator()(Args... args) {
    Function* real = function.load(std::memory_order_relaxed);
    if (real == nullptr) [[unlikely]] {
      real = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
      if (real == nullptr) std::abort();  // a C library that lacks what its header has
      function.store(real, std::memory_order_relaxed);
    }
    return real(args...);
  }
};

using Plain = int(pthread_mutex_t*);
using Timed = int(pthread_mutex_t*, const timespec*);
using Clocked = int(pthread_mutex_t*, clockid_t, const timespec*);
using RwPlain = int(pthread_rwlock_t*);
using RwTimed = int(pthread_rwlock_t*, const timespec*);
using RwClocked = int(pthread_rwlock_t*, clockid_t, const timespec*);

constinit Real<Plain> real_lock{"pthread_mutex_lock"};
constinit Real<Plain> real_trylock{"pthread_mutex_trylock"};
constinit Real<Timed> real_timedlock{"pthread_mutex_timedlock"};
constinit Real<Clocked> real_clocklock{"pthread_mutex_clocklock"};
constinit Real<Plain> real_unlock{"pthread_mutex_unlock"};
constinit Real<RwPlain> real_rdlock{"pthread_rwlock_rdlock"};
constinit Real<RwPlain> real_wrlock{"pthread_rwlock_wrlock"};
constinit Real<RwPlain> real_tryrdlock{"pthread_rwlock_tryrdlock"};
constinit Real<RwPlain> real_trywrlock{"pthread_rwlock_trywrlock"};
constinit Real<RwTimed> real_timedrdlock{"pthread_rwlock_timedrdlock"};
constinit Real<RwTimed> real_timedwrlock{"pthread_rwlock_timedwrlock"};
constinit Real<RwClocked> real_clockrdlock{"pthread_rwlock_clockrdlock"};
constinit Real<RwClocked> real_clockwrlock{"pthread_rwlock_clockwrlock"};
constinit Real<RwPlain> real_rwunlock{"pthread_rwlock_unlock"};

using verdant::internal::LockKind;

LockKind KindOf(const pthread_mutex_t* mutex) {
  constexpr int kTypeBits = 3;
  return (mutex->__data.__kind & kTypeBits) == PTHREAD_MUTEX_RECURSIVE_NP ? LockKind::kRecursive
                                                                          : LockKind::kAlone;
}

template <typename Lock, typename... Args>
[[gnu::always_inline]] inline int Try(Real<Lock>& real, LockKind kind, auto* mutex, Args... args) {
  const int error = real(mutex, args...);
  if (error == 0 || error == EOWNERDEAD) verdant::internal::AfterLock(mutex, kind);
  return error;
}

template <typename Lock>
[[gnu::always_inline]] inline int Wait(Real<Lock>& real, LockKind kind, auto* mutex) {
  verdant::internal::BeforeLock(mutex, kind);
  return Try(real, kind, mutex);
}

template <typename Unlock>
[[gnu::always_inline]] inline int Release(Real<Unlock>& real, auto* mutex) {
  verdant::internal::BeforeUnlock(mutex);
  return real(mutex);
}

}  // namespace

extern "C" {

int pthread_mutex_lock(pthread_mutex_t* m) noexcept { return Wait(real_lock, KindOf(m), m); }
int pthread_mutex_trylock(pthread_mutex_t* m) noexcept { return Try(real_trylock, KindOf(m), m); }
int pthread_mutex_timedlock(pthread_mutex_t* m, const timespec* until) noexcept {
  return Try(real_timedlock, KindOf(m), m, until);
}
int pthread_mutex_clocklock(pthread_mutex_t* m, clockid_t clock, const timespec* until) noexcept {
  return Try(real_clocklock, KindOf(m), m, clock, until);
}
int pthread_mutex_unlock(pthread_mutex_t* m) noexcept { return Release(real_unlock, m); }

int pthread_rwlock_rdlock(pthread_rwlock_t* l) noexcept {
  return Wait(real_rdlock, LockKind::kShared, l);
}
int pthread_rwlock_wrlock(pthread_rwlock_t* l) noexcept {
  return Wait(real_wrlock, LockKind::kAlone, l);
}
int pthread_rwlock_tryrdlock(pthread_rwlock_t* l) noexcept {
  return Try(real_tryrdlock, LockKind::kShared, l);
}
int pthread_rwlock_trywrlock(pthread_rwlock_t* l) noexcept {
  return Try(real_trywrlock, LockKind::kAlone, l);
}
int pthread_rwlock_timedrdlock(pthread_rwlock_t* l, const timespec* until) noexcept {
  return Try(real_timedrdlock, LockKind::kShared, l, until);
}
int pthread_rwlock_timedwrlock(pthread_rwlock_t* l, const timespec* until) noexcept {
  return Try(real_timedwrlock, LockKind::kAlone, l, until);
}
int pthread_rwlock_clockrdlock(pthread_rwlock_t* l, clockid_t clock,
                               const timespec* until) noexcept {
  return Try(real_clockrdlock, LockKind::kShared, l, clock, until);
}
int pthread_rwlock_clockwrlock(pthread_rwlock_t* l, clockid_t clock,
                               const timespec* until) noexcept {
  return Try(real_clockwrlock, LockKind::kAlone, l, clock, until);
}
int pthread_rwlock_unlock(pthread_rwlock_t* l) noexcept { return Release(real_rwunlock, l); }

}  // extern "C"
