// How a greenlet starts, is switched to, and ends.

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "greenlet/internal/greenlet_state.h"
#include "greenlet/internal/stack_pool.h"

namespace verdant::internal {
namespace {

using Stage = GreenletState::Stage;

struct Departure : SwitchClosure {
  GreenletState* state;
};

// On the far side: the stack of the ended greenlet goes back, and with it the reference that a
// running greenlet holds on itself.
void ReleaseEnded(SwitchClosure* closure) noexcept {
  GreenletState* state = static_cast<Departure*>(closure)->state;
  const Stack stack = EndFiber(state->own);
  ThreadStackPool(stack.size).Release(stack);
  GreenletState::Unref(state);
}

void ReapUnreachable(SwitchClosure* closure) noexcept {
  Reap(static_cast<Departure*>(closure)->state);
}

void RunGreenlet(void* transfer, void* arg);

// Throws StackExhausted, and changes nothing then.
void Start(GreenletState* state) {
  const Stack stack = ThreadStackPool(state->stack_size).Acquire();
  state->stage.store(Stage::kActive, std::memory_order_relaxed);
  ++state->refs;
  BeginFiber(state->own, stack, &RunGreenlet, state);
}

// What it was to run ends, which may run anything.
void EndUnstarted(GreenletState* state) {
  state->run = nullptr;
  ReleaseFiberData(state->own);
  state->stage.store(Stage::kDead, std::memory_order_relaxed);
}

// Whom a switch is about to reach no longer waits for it.
inline void TakeOutOfSwitch(GreenletState* state) noexcept {
  if (state->in_switch == GreenletState::kInterrupted) [[unlikely]]
    fiber_thread.leave_queue(*state->fiber);
  state->in_switch = GreenletState::kElsewhere;
}

// The nearest live ancestor, started if it was not: where a greenlet's result or error goes. One
// that cannot be started for want of a stack dies of that, and its own parent hears of it.
GreenletState* HeirOf(GreenletState* state, Greenlet::Value& result, std::exception_ptr& error) {
  GreenletState* target = NearestLive(GreenletState::Of(state->parent));
  while (target != nullptr && target->GetStage() == Stage::kUnstarted) {
    try {
      Start(target);
      target->in_switch = GreenletState::kInterruptible;
    } catch (...) {
      error = std::current_exception();
      result.reset();
      EndUnstarted(target);
      target = NearestLive(target);
    }
  }
  return target;
}

void RunGreenlet(void* transfer, void* arg) {
  auto* state = static_cast<GreenletState*>(arg);
  FiberEntered(state->own, transfer);
  Greenlet::Value result;
  std::exception_ptr error;
  try {
    if (fiber_thread.traced) [[unlikely]]
      TraceArrival(state);
    if (state->pending) std::rethrow_exception(std::exchange(state->pending, nullptr));
    result = state->run(std::move(state->inbox));
  } catch (const GreenletExit&) {
  } catch (...) {
    error = std::current_exception();
  }
  // Here the closure and what it holds end, and what the greenlet kept in locals, which may run
  // anything; the greenlet is alive until that is done.
  state->run = nullptr;
  ReleaseFiberData(state->own);
  while (state->own.scheduled != nullptr) fiber_thread.release_scheduled(&state->own);
  state->stage.store(Stage::kDead, std::memory_order_relaxed);
  Departure departure;
  departure.run = &ReleaseEnded;
  departure.state = state;
  GreenletState* target = HeirOf(state, result, error);
  if (target == nullptr || target->in_switch == GreenletState::kElsewhere) {
    // Nobody who could take the result is waiting for it: only a scheduler can go on from here.
    result.reset();
    if (fiber_thread.orphan_exit == nullptr) {
      std::fputs("verdant: a greenlet ended and its parents have, on a thread without a hub\n",
                 stderr);
      std::abort();
    }
    fiber_thread.orphan_exit(&state->own, &departure, error);
    __builtin_unreachable();
  }
  if (fiber_thread.traced) [[unlikely]]
    NoteOrigin(target, state);
  TakeOutOfSwitch(target);
  target->inbox = std::exchange(result, {});
  target->pending = std::exchange(error, nullptr);
  SwitchFiber(state->own, *target->fiber, &departure, /*final=*/true);
  __builtin_unreachable();
}

[[noreturn]] void RefuseParked(const GreenletState* target) {
  throw std::logic_error("Greenlet '" + target->name +
                         "' is parked in the hub: only what it waits for can resume it");
}

// The hub has resumed one that stands in Switch(). What it was to throw may have been taken back:
// then nothing has happened.
[[gnu::noinline]] void ArriveInterrupted(GreenletState* self) {
  do {
    self->in_switch = GreenletState::kElsewhere;
    fiber_thread.raise_interrupts(*self->fiber);
    self->in_switch = GreenletState::kInterruptible;
    fiber_thread.stand_aside(*self->fiber);
  } while (self->in_switch != GreenletState::kElsewhere);
}

}  // namespace

Greenlet::Value SwitchTo(GreenletState* target, Greenlet::Value value, std::exception_ptr exception,
                         GreenletState::InSwitch how) {
  GreenletState* self = CurrentState();
  if (target->GetStage() == Stage::kUnstarted) {
    Start(target);
  } else if (target->in_switch == GreenletState::kElsewhere) {
    RefuseParked(target);
  }
  if (fiber_thread.traced) [[unlikely]]
    NoteOrigin(target, self);
  target->inbox = std::move(value);
  target->pending = std::move(exception);
  self->in_switch = how;
  TakeOutOfSwitch(target);
  Departure departure;
  departure.run = &ReapUnreachable;
  departure.state = self;
  SwitchFiber(*self->fiber, *target->fiber, self->unreachable() ? &departure : nullptr);
  if (self->in_switch != GreenletState::kElsewhere) [[unlikely]]
    ArriveInterrupted(self);
  if (fiber_thread.traced) [[unlikely]]
    TraceArrival(self);
  if (self->pending) std::rethrow_exception(std::exchange(self->pending, nullptr));
  return std::exchange(self->inbox, {});
}

Greenlet::Value KillUnstarted(GreenletState* state, std::exception_ptr exception) {
  GreenletState* self = CurrentState();
  Greenlet::Value result;
  try {
    std::rethrow_exception(exception);
  } catch (const GreenletExit&) {
    exception = nullptr;  // a normal end
  } catch (...) {
  }
  if (const GreenletState* heir = NearestLive(GreenletState::Of(state->parent));
      heir != nullptr && heir != self && heir->GetStage() == Stage::kActive &&
      heir->in_switch == GreenletState::kElsewhere) {
    RefuseParked(heir);
  }
  EndUnstarted(state);
  GreenletState* heir = HeirOf(state, result, exception);
  if (heir != nullptr && heir != self) return SwitchTo(heir, {}, std::move(exception));
  if (exception) std::rethrow_exception(exception);
  return result;
}

}  // namespace verdant::internal
