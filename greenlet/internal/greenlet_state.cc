#include "greenlet/internal/greenlet_state.h"

#include <pthread.h>

#include <cstdio>
#include <stdexcept>
#include <utility>

#include "greenlet/internal/stack_pool.h"

namespace verdant::internal {
namespace {

using Stage = GreenletState::Stage;

// Of one that nobody refers to: what it holds is destroyed, which may run anything. Returns its
// parent, with the reference to it.
GreenletState* Destroy(GreenletState* state) noexcept {
  GreenletState* parent = GreenletState::Take(state->parent);
  ReleaseFiberData(state->own);
#if defined(VERDANT_TSAN)
  if (state->own.tsan != nullptr) __tsan_destroy_fiber(state->own.tsan);
#endif
  delete state;
  return parent;
}

// One handle less of a greenlet of this thread; true if that was the last reference.
bool DropHere(GreenletState* state) noexcept {
  --state->refs;
  const int total = state->total();
  if (total > 1) return false;
  // One that is in the queue goes when its turn there comes.
  if (total == 0) return !state->queued.load(std::memory_order_relaxed);
  if (state->unreachable()) Reap(state);
  return false;
}

// One handle less of a greenlet of another thread; true if that was the last reference and there is
// no thread any more that could look after it.
bool DropElsewhere(GreenletState* state) noexcept {
  ThreadRecord& record = *state->thread;
  const std::lock_guard<std::mutex> lock(record.mutex);
  if (!record.exited.load(std::memory_order_relaxed)) {
    if (!state->queued.load(std::memory_order_relaxed)) QueueDropped(record, state);
    // From here on its thread may destroy it.
    state->shared.fetch_sub(1, std::memory_order_release);
    return false;
  }
  state->shared.fetch_sub(1, std::memory_order_acq_rel);
  // A greenlet left suspended by its thread holds a reference on itself that it will never drop.
  return state->total() == (state->GetStage() == Stage::kActive ? 1 : 0);
}

// One greenlet less in the record of a thread that has exited.
void LeaveExited(ThreadRecord* record) noexcept {
  {
    const std::lock_guard<std::mutex> lock(record->mutex);
    if (--record->owned + record->adopted > 0) return;
  }
  delete record;
}

void ForgetGreenletOf(Fiber& fiber) noexcept {
  GreenletState* state = std::exchange(fiber.greenlet, nullptr);
  state->stage.store(Stage::kDead, std::memory_order_relaxed);
  state->fiber = nullptr;
  GreenletState::Unref(state);
}

// The last that a thread does, after the destructors of its thread-local objects: unwinds what was
// dropped elsewhere, and leaves the record to the greenlets that are left.
void EndThread(void*) noexcept {
  ThreadRecord* record = fiber_thread.record;
  for (;;) {
    UnwindDroppedGreenlets();
    ReleaseFiberData(*fiber_thread.main);
    ForgetGreenlet(*fiber_thread.main);
    record->tracer = nullptr;
    record->unraisable = nullptr;
    const std::lock_guard<std::mutex> lock(record->mutex);
    if (record->first_dropped != nullptr || fiber_thread.main->greenlet != nullptr) continue;
    record->exited.store(true, std::memory_order_relaxed);
    if (record->owned + record->adopted > 0) record = nullptr;
    break;
  }
  fiber_thread.traced = false;
  fiber_thread.record = nullptr;
  delete record;
  LeaveThreadStacks();
}

}  // namespace

ThreadRecord& ThisThreadsRecord() {
  if (fiber_thread.record == nullptr) {
    CurrentFiber();
    static const pthread_key_t key = [] {
      pthread_key_t made;
      if (pthread_key_create(&made, &EndThread) != 0) {
        throw std::runtime_error("Greenlet: the process has no thread-specific key left");
      }
      return made;
    }();
    auto record = std::make_unique<ThreadRecord>();
    if (pthread_setspecific(key, record.get()) != 0) throw std::bad_alloc();
    fiber_thread.record = record.release();
    fiber_thread.forget_greenlet = &ForgetGreenletOf;
    fiber_thread.unwind_dropped = &UnwindDroppedGreenlets;
  }
  return *fiber_thread.record;
}

void QueueDropped(ThreadRecord& record, GreenletState* state) noexcept {
  state->queued.store(true, std::memory_order_relaxed);
  state->next_queued = nullptr;
  (record.first_dropped == nullptr ? record.first_dropped : record.last_dropped->next_queued) =
      state;
  record.last_dropped = state;
  record.any_dropped.store(true, std::memory_order_relaxed);
}

void UnqueueDropped(ThreadRecord& record, GreenletState* state) noexcept {
  GreenletState* before = nullptr;
  for (GreenletState* at = record.first_dropped; at != state; at = at->next_queued) before = at;
  (before == nullptr ? record.first_dropped : before->next_queued) = state->next_queued;
  if (record.last_dropped == state) record.last_dropped = before;
  state->queued.store(false, std::memory_order_relaxed);
  record.any_dropped.store(record.first_dropped != nullptr, std::memory_order_relaxed);
}

bool HasDroppedGreenlets() noexcept { return AnyDropped(); }

void UnwindDroppedGreenlets() noexcept {
  while (AnyDropped()) {
    ThreadRecord& record = *fiber_thread.record;
    GreenletState* state;
    {
      const std::lock_guard<std::mutex> lock(record.mutex);
      state = record.first_dropped;
      UnqueueDropped(record, state);
    }
    // As if a handle were dropped here and now.
    ++state->refs;
    GreenletState::Unref(state);
  }
}

bool IsInSwitch(const Fiber& fiber) noexcept {
  return fiber.greenlet != nullptr && fiber.greenlet->in_switch != GreenletState::kElsewhere;
}

bool RaiseInSwitch(Fiber& fiber, std::exception_ptr error) noexcept {
  if (!IsInSwitch(fiber)) return false;
  fiber.greenlet->in_switch = GreenletState::kElsewhere;
  fiber.greenlet->pending = std::move(error);
  return true;
}

bool InterruptSwitch(Fiber& fiber) noexcept {
  GreenletState* state = fiber.greenlet;
  if (state == nullptr || state->in_switch != GreenletState::kInterruptible) return false;
  state->in_switch = GreenletState::kInterrupted;
  return true;
}

void GreenletState::Unref(GreenletState* state) noexcept {
  // A loop, because a chain of parents may be long.
  while (state != nullptr) {
    const bool mine = state->mine();
    if (!(mine ? DropHere(state) : DropElsewhere(state))) return;
    ThreadRecord* record = state->thread;
    state = Destroy(state);
    if (mine) {
      --record->owned;
    } else {
      LeaveExited(record);
    }
  }
}

GreenletState* StateOf(Fiber* fiber) {
  if (fiber->greenlet == nullptr) {
    auto* state = new GreenletState(fiber);
    state->refs = 1;  // the fiber's own, dropped by ForgetGreenlet()
    state->name = fiber->name != nullptr ? fiber->name : "";
    fiber->greenlet = state;
  }
  return fiber->greenlet;
}

GreenletState* NearestLive(GreenletState* state) {
  for (; state != nullptr; state = GreenletState::Of(state->parent)) {
    if (!state->mine()) return StateOf(fiber_thread.main);
    if (!state->dead()) break;
  }
  return state;
}

void MoveToThreadOf(GreenletState* state, GreenletState* parent) {
  ThreadRecord& from = *state->thread;
  ThreadRecord& to = *parent->thread;
  {
    const std::lock_guard<std::mutex> lock(to.mutex);
    if (to.exited.load(std::memory_order_relaxed)) {
      throw std::logic_error(
          "Greenlet::set_parent: the parent belongs to a thread that has exited");
    }
    ++to.adopted;
  }
  {
    const std::lock_guard<std::mutex> lock(from.mutex);
    if (state->queued.load(std::memory_order_relaxed)) UnqueueDropped(from, state);
  }
  --from.owned;
  state->shared.fetch_add(std::exchange(state->refs, 0), std::memory_order_relaxed);
  state->thread = &to;
}

// Its way out leads back here; one that catches GreenletExit and switches away lives on with
// whoever it reached, and under its own parent again.
void Reap(GreenletState* state) noexcept {
  GreenletState* self = CurrentState();
  // This may come between a switch's arrival here and the taking of what it brought.
  Greenlet::Value inbox = std::exchange(self->inbox, {});
  std::exception_ptr pending = std::exchange(self->pending, nullptr);
  Greenlet origin = std::exchange(self->origin, {});
  // Kept by one more reference until its parent is its own again; that also keeps one that will not
  // end from being unwound without end.
  ++state->refs;
  Greenlet parent = std::exchange(state->parent, GreenletState::Handle(self));
  try {
    SwitchTo(state, {}, std::make_exception_ptr(GreenletExit()), GreenletState::kUninterruptible);
  } catch (...) {
    ReportUnraisable(state, std::current_exception());
  }
  if (!state->dead() && GreenletState::Of(state->parent) == self) state->parent = std::move(parent);
  self->inbox = std::move(inbox);
  self->pending = std::move(pending);
  self->origin = std::move(origin);
  --state->refs;
  if (state->total() == 0 && !state->queued.load(std::memory_order_relaxed)) {
    ++state->refs;
    GreenletState::Unref(state);
  }
}

void ReportUnraisable(GreenletState* state, const std::exception_ptr& error) noexcept {
  const std::string context = "greenlet '" + state->name + "', unwound because nobody refers to it";
  if (const UnraisableHandler handler = state->thread->unraisable) {
    try {
      return handler(GreenletState::Handle(state), error);
    } catch (...) {
      std::fputs("verdant: the handler of unraisable exceptions throws\n", stderr);
    }
  }
  if (fiber_thread.report_uncaught != nullptr) {
    return fiber_thread.report_uncaught(context.c_str(), error);
  }
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "verdant: exception ignored in %s: %s\n", context.c_str(), e.what());
  } catch (...) {
    std::fprintf(stderr, "verdant: exception ignored in %s\n", context.c_str());
  }
}

}  // namespace verdant::internal
