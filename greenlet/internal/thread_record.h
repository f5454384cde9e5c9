#ifndef VERDANT_GREENLET_INTERNAL_THREAD_RECORD_H_
#define VERDANT_GREENLET_INTERNAL_THREAD_RECORD_H_

#include <atomic>
#include <memory>
#include <mutex>

#include "greenlet/greenlet.h"
#include "greenlet/trace.h"

namespace verdant::internal {

struct GreenletState;

// The thread that greenlets belong to, as seen by them: outlives it for as long as one of them is
// left, so that handles may be dropped anywhere at any time (row C11).
struct ThreadRecord {
  std::mutex mutex;
  // Greenlets of which a handle was dropped on another thread, first come, first looked after by
  // their own. Under the mutex.
  GreenletState* first_dropped = nullptr;
  GreenletState* last_dropped = nullptr;
  std::atomic<bool> any_dropped{false};
  std::atomic<bool> exited{false};  // set under the mutex
  // How many greenlets belong here: those counted by the thread itself, from its exit on under the
  // mutex, and, under the mutex, those that others gave it. Either may be negative.
  long owned = 0;
  long adopted = 0;

  // The thread's own settings.
  std::shared_ptr<const Tracer> tracer;
  bool in_tracer = false;
  UnraisableHandler unraisable;
};

// The calling thread's record, made on first use and left to its greenlets at the thread's end.
ThreadRecord& ThisThreadsRecord();

// Adds to, and takes from, the greenlets that handles were dropped of; under the mutex.
void QueueDropped(ThreadRecord& record, GreenletState* state) noexcept;
void UnqueueDropped(ThreadRecord& record, GreenletState* state) noexcept;

}  // namespace verdant::internal

#endif  // VERDANT_GREENLET_INTERNAL_THREAD_RECORD_H_
