#ifndef VERDANT_GREENLET_INTERNAL_GREENLET_STATE_H_
#define VERDANT_GREENLET_INTERNAL_GREENLET_STATE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <utility>

#include "greenlet/greenlet.h"
#include "greenlet/internal/fiber.h"
#include "greenlet/internal/thread_record.h"

namespace verdant::internal {

// A greenlet's control block. For fibers that are not Greenlets (a thread's main, a green thread)
// one is made when somebody asks for Current(); it stands for the fiber and owns nothing of it.
//
// Counted by its handles, in two parts, so that its own thread pays no atomic operation: `refs` are
// that thread's comings and goings, `shared` everybody else's. Only the sum means anything. A
// handle dropped elsewhere leaves the consequences to the greenlet's thread, by way of the queue of
// its record; once that thread has exited, to whoever drops the last.
struct GreenletState {
  enum class Stage : std::uint8_t { kUnstarted, kActive, kDead };
  // Suspended inside Switch(), the only place where a switch may land.
  enum InSwitch : std::uint8_t {
    kElsewhere = 0,
    kInterruptible,
    kUninterruptible,  // while it unwinds another: what is aimed at it waits until that is done
    kInterrupted,      // what is aimed at it comes next, unless somebody switches to it before
  };

  explicit GreenletState(Fiber* stands_for)
      : fiber(stands_for), thread(&ThisThreadsRecord()), stage(Stage::kActive) {
    uncounted.state_ = this;
    ++thread->owned;
  }
  GreenletState() : GreenletState(&own) { stage = Stage::kUnstarted; }
  ~GreenletState() { uncounted.state_ = nullptr; }

  static Greenlet Handle(GreenletState* state) { return Greenlet(state); }
  static GreenletState* Of(const Greenlet& greenlet) { return greenlet.state_; }
  // Takes its reference out of a handle.
  static GreenletState* Take(Greenlet& greenlet) noexcept {
    return std::exchange(greenlet.state_, nullptr);
  }
  static void Ref(GreenletState* state) noexcept {
    if (state->thread == fiber_thread.record) [[likely]] {
      ++state->refs;
    } else {
      state->shared.fetch_add(1, std::memory_order_relaxed);
    }
  }
  static void Unref(GreenletState* state) noexcept;

  bool mine() const { return thread == fiber_thread.record; }
  bool foreign() const { return fiber != &own; }
  Stage GetStage() const { return stage.load(std::memory_order_relaxed); }
  bool dead() const { return GetStage() == Stage::kDead; }
  // Handles, and one for a greenlet that has started and not ended: its own.
  int total() const { return refs + shared.load(std::memory_order_acquire); }
  // Suspended, and referred to by nothing but itself.
  bool unreachable() const {
    return total() == 1 && GetStage() == Stage::kActive && in_switch != kElsewhere && !foreign() &&
           mine();
  }

  alignas(Fiber::kLine) Fiber own;
  Fiber* fiber;
  ThreadRecord* thread;
  int refs = 0;
  std::atomic<int> shared{0};
  std::atomic<Stage> stage;  // written by its thread
  InSwitch in_switch = kElsewhere;
  const bool is_main = fiber == fiber_thread.main;
  std::atomic<bool> queued{false};       // in the record's queue; set before `shared` goes down
  GreenletState* next_queued = nullptr;  // under the record's mutex
  Greenlet parent;
  Greenlet uncounted;  // what Current() refers to
  Greenlet origin;     // who switched here, on the way to a tracer
  std::function<Greenlet::Value(Greenlet::Value)> run;
  Greenlet::Value inbox;
  std::exception_ptr pending;
  std::string name;
  std::size_t stack_size = 0;
};

// Of the running fiber, and of any other of this thread; made if need be.
GreenletState* StateOf(Fiber* fiber);
inline GreenletState* CurrentState() {
  Fiber* fiber = CurrentFiber();
  return fiber->greenlet != nullptr ? fiber->greenlet : StateOf(fiber);
}

// Looked at by every entry of the public interface: greenlets of this thread dropped on others are
// to be unwound first, by UnwindDroppedGreenlets().
inline bool AnyDropped() {
  const ThreadRecord* record = fiber_thread.record;
  return record != nullptr && record->any_dropped.load(std::memory_order_relaxed);
}

// `state`, or its nearest ancestor that has not ended: the thread's main greenlet where the chain
// leads to another thread, null where it ends.
GreenletState* NearestLive(GreenletState* state);

// Resumes `target` with a value or an exception, and returns what is sent back; throws what is
// aimed at the caller meanwhile, if it is kInterruptible.
Greenlet::Value SwitchTo(GreenletState* target, Greenlet::Value value, std::exception_ptr exception,
                         GreenletState::InSwitch how = GreenletState::kInterruptible);

// Ends one that has not started, and gives `exception` to its heir (row C7).
Greenlet::Value KillUnstarted(GreenletState* state, std::exception_ptr exception);

// Unwinds a suspended greenlet that nobody can resume any more.
void Reap(GreenletState* state) noexcept;

// Makes an unstarted greenlet of this thread one of `parent`'s (row C1).
void MoveToThreadOf(GreenletState* state, GreenletState* parent);

// For the tracer: who is on the way to `target`; what has arrived in `target`. The latter throws
// what the tracer throws.
void NoteOrigin(GreenletState* target, GreenletState* origin);
void TraceArrival(GreenletState* target);

// Tells whoever wants to know of an exception from a greenlet that was being unwound.
void ReportUnraisable(GreenletState* state, const std::exception_ptr& error) noexcept;

}  // namespace verdant::internal

#endif  // VERDANT_GREENLET_INTERNAL_GREENLET_STATE_H_
