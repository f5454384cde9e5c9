#include "greenlet/greenlet.h"

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "greenlet/internal/fiber.h"
#include "greenlet/internal/stack_pool.h"

namespace verdant {
namespace internal {

// A greenlet's control block. For fibers that are not Greenlets (a thread's main, a green thread)
// one is made when somebody asks for Current(); it stands for the fiber and owns nothing of it.
struct GreenletState {
  enum class Stage : std::uint8_t { kUnstarted, kActive, kDead };

  explicit GreenletState(Fiber* stands_for) : fiber(stands_for), stage(Stage::kActive) {
    uncounted.state_ = this;
  }
  GreenletState() : GreenletState(&own) { stage = Stage::kUnstarted; }
  ~GreenletState() { uncounted.state_ = nullptr; }

  static Greenlet Handle(GreenletState* state) { return Greenlet(state); }
  static GreenletState* Of(const Greenlet& greenlet) { return greenlet.state_; }
  static void Unref(GreenletState* state);

  bool foreign() const { return fiber != &own; }
  // Suspended, and referred to by nothing but itself: a started greenlet holds one reference on
  // itself until it ends.
  bool unreachable() const {
    return refs == 1 && stage == Stage::kActive && in_switch && !foreign() &&
           thread == fiber_thread.number;
  }

  Fiber own;
  Fiber* fiber;
  std::uint64_t thread = (CurrentFiber(), fiber_thread.number);
  int refs = 0;
  Stage stage = Stage::kUnstarted;
  bool in_switch = false;  // suspended inside Switch(), the only place where a switch may land
  Greenlet parent;
  Greenlet uncounted;  // what Current() refers to
  std::function<Greenlet::Value(Greenlet::Value)> run;
  Greenlet::Value inbox;
  std::exception_ptr pending;
  std::string name;
  std::size_t stack_size = 0;
};

namespace {

using Stage = GreenletState::Stage;

GreenletState* CurrentState() {
  Fiber* fiber = CurrentFiber();
  if (fiber->greenlet == nullptr) {
    auto* state = new GreenletState(fiber);
    state->refs = 1;  // the fiber's own, dropped by ForgetGreenlet()
    state->name = fiber->name != nullptr ? fiber->name : "";
    fiber->greenlet = state;
  }
  return fiber->greenlet;
}

GreenletState* NearestLive(GreenletState* state) {
  while (state != nullptr && state->stage == Stage::kDead) state = GreenletState::Of(state->parent);
  return state;
}

void CheckReachable(const GreenletState* target) {
  if (target == nullptr) throw std::logic_error("Greenlet: an empty handle cannot be switched to");
  CurrentFiber();
  if (target->thread != fiber_thread.number) {
    throw std::logic_error("Greenlet '" + target->name + "': cannot switch to a different thread");
  }
}

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

void RunGreenlet(void* transfer, void* arg);

// Throws StackExhausted, and changes nothing then.
void Start(GreenletState* state) {
  const Stack stack = ThreadStackPool(state->stack_size).Acquire();
  state->stage = Stage::kActive;
  ++state->refs;
  BeginFiber(state->own, stack, &RunGreenlet, state);
}

GreenletState* HeirOf(GreenletState* state, Greenlet::Value& result, std::exception_ptr& error);

void RunGreenlet(void* transfer, void* arg) {
  auto* state = static_cast<GreenletState*>(arg);
  FiberEntered(state->own, transfer);
  Greenlet::Value result;
  std::exception_ptr error;
  try {
    if (state->pending) std::rethrow_exception(std::exchange(state->pending, nullptr));
    result = state->run(std::move(state->inbox));
  } catch (const GreenletExit&) {
  } catch (...) {
    error = std::current_exception();
  }
  // Here the closure and what it holds end, which may run anything; the greenlet is alive until
  // that is done.
  state->run = nullptr;
  while (state->own.scheduled != nullptr) fiber_thread.release_scheduled(&state->own);
  state->stage = Stage::kDead;
  Departure departure;
  departure.run = &ReleaseEnded;
  departure.state = state;
  GreenletState* target = HeirOf(state, result, error);
  if (target == nullptr || !target->in_switch) {
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
  target->in_switch = false;
  target->inbox = std::exchange(result, {});
  target->pending = std::exchange(error, nullptr);
  SwitchFiber(state->own, *target->fiber, &departure, /*final=*/true);
  __builtin_unreachable();
}

// The nearest live ancestor, started if it was not: where a greenlet's result or error goes. One
// that cannot be started for want of a stack dies of that, and its own parent hears of it.
GreenletState* HeirOf(GreenletState* state, Greenlet::Value& result, std::exception_ptr& error) {
  GreenletState* target = NearestLive(GreenletState::Of(state->parent));
  while (target != nullptr && target->stage == Stage::kUnstarted) {
    try {
      Start(target);
      target->in_switch = true;
    } catch (...) {
      error = std::current_exception();
      result.reset();
      target->run = nullptr;
      target->stage = Stage::kDead;
      target = NearestLive(target);
    }
  }
  return target;
}

void Reap(GreenletState* state);

void ReapUnreachable(SwitchClosure* closure) noexcept {
  Reap(static_cast<Departure*>(closure)->state);
}

// Resumes `target` with a value or an exception, and returns what is sent back.
Greenlet::Value SwitchTo(GreenletState* target, Greenlet::Value value,
                         std::exception_ptr exception) {
  GreenletState* self = CurrentState();
  if (target->stage == Stage::kUnstarted) {
    Start(target);
  } else if (!target->in_switch) {
    throw std::logic_error("Greenlet '" + target->name +
                           "' is parked in the hub: only what it waits for can resume it");
  }
  target->inbox = std::move(value);
  target->pending = std::move(exception);
  self->in_switch = true;
  target->in_switch = false;
  Departure departure;
  departure.run = &ReapUnreachable;
  departure.state = self;
  SwitchFiber(*self->fiber, *target->fiber, self->unreachable() ? &departure : nullptr);
  self->in_switch = false;
  if (self->pending) std::rethrow_exception(std::exchange(self->pending, nullptr));
  return std::exchange(self->inbox, {});
}

// Unwinds a suspended greenlet that nobody can resume any more. Its way out leads back here; one
// that catches GreenletExit and switches away lives on with whoever it reached.
void Reap(GreenletState* state) {
  GreenletState* self = CurrentState();
  // This may come between a switch's arrival here and the taking of what it brought.
  Greenlet::Value inbox = std::exchange(self->inbox, {});
  std::exception_ptr pending = std::exchange(self->pending, nullptr);
  state->parent = GreenletState::Handle(self);
  try {
    SwitchTo(state, {}, std::make_exception_ptr(GreenletExit()));
  } catch (...) {
    // What it threw instead of ending has no taker: dropping a handle cannot throw.
  }
  self->inbox = std::move(inbox);
  self->pending = std::move(pending);
}

}  // namespace

void GreenletState::Unref(GreenletState* state) {
  if (--state->refs == 0) {
    delete state;
  } else if (state->unreachable()) {
    Reap(state);
  }
}

bool IsInSwitch(const Fiber& fiber) noexcept {
  return fiber.greenlet != nullptr && fiber.greenlet->in_switch;
}

bool RaiseInSwitch(Fiber& fiber, std::exception_ptr error) noexcept {
  if (!IsInSwitch(fiber)) return false;
  fiber.greenlet->in_switch = false;
  fiber.greenlet->pending = std::move(error);
  return true;
}

void ForgetGreenlet(Fiber& fiber) noexcept {
  GreenletState* state = std::exchange(fiber.greenlet, nullptr);
  if (state == nullptr) return;
  state->stage = Stage::kDead;
  state->fiber = nullptr;
  GreenletState::Unref(state);
}

}  // namespace internal

using internal::GreenletState;
using Stage = GreenletState::Stage;

Greenlet::Greenlet(internal::GreenletState* state) noexcept : state_(state) {
  if (state_ != nullptr) ++state_->refs;
}

Greenlet::Greenlet(Run run, Options options, SourceLocation site, int)
    : Greenlet(new GreenletState()) {
  state_->parent = Current();
  state_->run = std::move(run);
  state_->name = std::move(options.name);
  state_->stack_size = options.stack_size;
  state_->own.greenlet = state_;
  state_->own.name = state_->name.empty() ? "greenlet" : state_->name.c_str();
  state_->own.site = site;
}

Greenlet::Greenlet(const Greenlet& other) noexcept : Greenlet(other.state_) {}

Greenlet::~Greenlet() {
  if (state_ != nullptr) GreenletState::Unref(state_);
}

const Greenlet& Greenlet::Current() { return internal::CurrentState()->uncounted; }

Greenlet::Value Greenlet::Switch(Value value) const {
  internal::CheckReachable(state_);
  GreenletState* target = internal::NearestLive(state_);
  if (target == nullptr || target == internal::CurrentState()) return value;
  const Greenlet keep(target);
  return internal::SwitchTo(target, std::move(value), nullptr);
}

Greenlet::Value Greenlet::Throw(std::exception_ptr exception) const {
  internal::CheckReachable(state_);
  if (exception == nullptr) throw std::logic_error("Greenlet::Throw of no exception");
  if (state_->stage == Stage::kDead) {
    try {
      std::rethrow_exception(exception);
    } catch (const GreenletExit&) {
      return {};
    }
  }
  if (state_ == internal::CurrentState()) std::rethrow_exception(exception);
  const Greenlet keep(state_);
  return internal::SwitchTo(state_, {}, std::move(exception));
}

const Greenlet& Greenlet::parent() const {
  if (state_ == nullptr) throw std::logic_error("Greenlet::parent of an empty handle");
  return state_->parent;
}

void Greenlet::set_parent(const Greenlet& parent) const {
  if (state_ == nullptr || parent.state_ == nullptr) {
    throw std::logic_error("Greenlet::set_parent needs two greenlets");
  }
  if (state_->foreign()) {
    throw std::logic_error("Greenlet::set_parent: the parent of '" + state_->name + "' is fixed");
  }
  if (parent.state_->thread != state_->thread) {
    throw std::logic_error("Greenlet::set_parent: the parent belongs to another thread");
  }
  for (GreenletState* at = parent.state_; at != nullptr; at = at->parent.state_) {
    if (at == state_) throw std::logic_error("Greenlet::set_parent: cyclic parent chain");
  }
  state_->parent = parent;
}

bool Greenlet::active() const { return state_ != nullptr && state_->stage == Stage::kActive; }
bool Greenlet::started() const { return state_ != nullptr && state_->stage != Stage::kUnstarted; }
bool Greenlet::dead() const { return state_ != nullptr && state_->stage == Stage::kDead; }

const std::string& Greenlet::name() const {
  if (state_ == nullptr) throw std::logic_error("Greenlet::name of an empty handle");
  return state_->name;
}

void KeepFloatingPointControl() {
  internal::Fiber* fiber = internal::CurrentFiber();
  if ((fiber->flags & internal::Fiber::kKeepsFpControl) != 0) return;
  internal::fiber_thread.fp = internal::ReadFpControl();
  fiber->flags |= internal::Fiber::kKeepsFpControl;
}

}  // namespace verdant
