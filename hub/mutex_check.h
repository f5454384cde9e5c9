#ifndef VERDANT_HUB_MUTEX_CHECK_H_
#define VERDANT_HUB_MUTEX_CHECK_H_

#include <functional>
#include <string>

namespace verdant {

// Finds mutexes of the operating system (std::mutex and its kin, pthread_mutex_t, pthread_rwlock_t)
// that a green thread holds while others of its OS thread run. One of these that locks the same
// mutex blocks the thread that alone could release it: for good. What green threads may hold while
// they wait is a verdant::Lock.
//
// Works by linking: //hub:mutex_check defines the functions of pthread that lock and unlock, for
// the whole program and the libraries it loads, and calls the real ones. What does not go by those
// functions, as absl::Mutex, is never seen. A program without that dependency pays nothing, and
// neither Park() nor Yield() is touched in either: what is held is looked at once a turn of the
// hub, and what has happened in between when it is released. A lock costs more, and only on threads
// with a hub; see docs/health.md.
//
// Reported, each place that locks once: a green thread that waits while it holds one; one that
// released it, but had waited or yielded in between; and one that is about to lock what another
// suspended green thread of its thread holds, before it hangs. With the name of the green thread,
// what it waits for, the address of the mutex, and the stack it was locked from. Waiting for a
// condition variable releases its mutex and blocks the thread, which is not this, but see
// Hub::Options::blocking_threshold.
//
// On in debug builds (where this library is compiled without NDEBUG), off in optimised ones. The
// environment goes before that (VERDANT_MUTEX_CHECK=on or off), and this before both. Any thread;
// what is locked already is not known.
void EnableMutexCheck(bool enable);

// Who hears of it, on the thread that it happens on, where it must neither wait nor lock anything
// that may be held; empty, as at first: the report of several lines goes to stderr. Any thread.
void SetMutexCheckHandler(std::function<void(const std::string&)> handler);

}  // namespace verdant

#endif  // VERDANT_HUB_MUTEX_CHECK_H_
