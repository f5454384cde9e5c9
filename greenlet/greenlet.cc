#include "greenlet/greenlet.h"

#include <ostream>
#include <stdexcept>
#include <utility>

#include "greenlet/internal/greenlet_state.h"

namespace verdant {

using internal::GreenletState;
using Stage = GreenletState::Stage;

namespace {

GreenletState* Checked(const Greenlet& greenlet, const char* what) {
  GreenletState* state = GreenletState::Of(greenlet);
  if (state == nullptr)
    throw std::logic_error(std::string("Greenlet::") + what + " of an empty handle");
  return state;
}

// Of what is to be switched to or thrown into.
GreenletState* Reachable(const Greenlet& greenlet) {
  GreenletState* state = GreenletState::Of(greenlet);
  if (state == nullptr) throw std::logic_error("Greenlet: an empty handle cannot be switched to");
  if (!state->mine()) {
    throw std::logic_error("Greenlet '" + state->name + "': cannot switch to a different thread" +
                           (state->thread->exited ? " (which happens to have exited)" : ""));
  }
  return state;
}

// What is aimed at the caller and came when it did not wait is thrown before it stands aside.
inline void RaiseInterrupts() {
  internal::Fiber& self = *internal::fiber_thread.current;
  if ((self.flags & internal::Fiber::kInterrupted) != 0) [[unlikely]]
    internal::fiber_thread.raise_interrupts(self);
}

}  // namespace

Greenlet::Greenlet(internal::GreenletState* state) noexcept : state_(state) {
  if (state_ != nullptr) GreenletState::Ref(state_);
}

Greenlet::Greenlet(Run run, Options options, SourceLocation site, int)
    : Greenlet(new GreenletState()) {
  state_->parent = Current();
  state_->run = std::move(run);
  state_->name = std::move(options.name);
  state_->stack_size = options.stack_size;
  state_->own.greenlet = state_;
  state_->own.name = state_->name.empty() ? "greenlet" : state_->name.c_str();
  state_->own.SetSite(site);
  internal::InheritVariables(state_->own);
  if (options.parent == nullptr) return;
  if (options.parent->state_ != nullptr && options.parent->state_->mine()) {
    state_->parent = *options.parent;  // which cannot descend from this
  } else {
    set_parent(*options.parent);
  }
}

Greenlet::Greenlet(const Greenlet& other) noexcept : Greenlet(other.state_) {}

Greenlet::~Greenlet() {
  if (state_ != nullptr) GreenletState::Unref(state_);
}

const Greenlet& Greenlet::Current() {
  if (internal::AnyDropped()) [[unlikely]]
    internal::UnwindDroppedGreenlets();
  return internal::CurrentState()->uncounted;
}

// Neither this nor Throw() keeps a reference while the caller stands aside: one that nobody else
// refers to must not live on for that.
Greenlet::Value Greenlet::Switch(Value value) const {
  GreenletState* target = Reachable(*this);
  if (internal::AnyDropped()) [[unlikely]] {
    const Greenlet keep(target);
    internal::UnwindDroppedGreenlets();
    return keep.Switch(std::move(value));
  }
  if (target->dead()) [[unlikely]]
    target = internal::NearestLive(target);
  if (target == nullptr || target == internal::CurrentState()) return value;
  RaiseInterrupts();
  return internal::SwitchTo(target, std::move(value), nullptr);
}

Greenlet::Value Greenlet::Throw(std::exception_ptr exception) const {
  GreenletState* target = Reachable(*this);
  if (exception == nullptr) throw std::logic_error("Greenlet::Throw of no exception");
  if (internal::AnyDropped()) [[unlikely]] {
    const Greenlet keep(target);
    internal::UnwindDroppedGreenlets();
    return keep.Throw(std::move(exception));
  }
  if (target->dead()) {
    try {
      std::rethrow_exception(exception);
    } catch (const GreenletExit&) {
      return {};
    }
  }
  if (target == internal::CurrentState()) std::rethrow_exception(exception);
  RaiseInterrupts();
  if (target->GetStage() == Stage::kUnstarted) {
    const Greenlet keep(target);
    return internal::KillUnstarted(target, std::move(exception));
  }
  return internal::SwitchTo(target, {}, std::move(exception));
}

const Greenlet& Greenlet::parent() const { return Checked(*this, "parent")->parent; }

void Greenlet::set_parent(const Greenlet& parent) const {
  GreenletState* state = state_;
  GreenletState* wanted = parent.state_;
  if (state == nullptr || wanted == nullptr) {
    throw std::logic_error("Greenlet::set_parent needs two greenlets");
  }
  if (!state->mine()) {
    throw std::logic_error("Greenlet::set_parent: '" + state->name + "' belongs to another thread");
  }
  if (state->foreign()) {
    throw std::logic_error("Greenlet::set_parent: the parent of '" + state->name + "' is fixed");
  }
  if (!wanted->mine()) {
    if (state->GetStage() != Stage::kUnstarted) {
      throw std::logic_error("Greenlet::set_parent: the parent belongs to another thread");
    }
    const Greenlet before = std::exchange(state->parent, parent);
    try {
      internal::MoveToThreadOf(state, wanted);
    } catch (...) {
      state->parent = before;
      throw;
    }
    return;
  }
  for (const GreenletState* at = wanted; at != nullptr && at->mine(); at = at->parent.state_) {
    if (at == state) throw std::logic_error("Greenlet::set_parent: cyclic parent chain");
  }
  state->parent = parent;
}

bool Greenlet::active() const { return state_ != nullptr && state_->GetStage() == Stage::kActive; }
bool Greenlet::started() const {
  return state_ != nullptr && state_->GetStage() != Stage::kUnstarted;
}
bool Greenlet::is_main() const { return state_ != nullptr && state_->is_main; }
bool Greenlet::dead() const { return state_ != nullptr && state_->dead(); }

const std::string& Greenlet::name() const { return Checked(*this, "name")->name; }

std::string Greenlet::Description() const {
  if (state_ == nullptr) return "no greenlet";
  std::string text = state_->is_main ? "main greenlet" : "greenlet";
  if (!state_->is_main && !state_->name.empty()) text += " '" + state_->name + "'";
  switch (state_->GetStage()) {
    case Stage::kUnstarted:
      text += ", pending";
      break;
    case Stage::kDead:
      text += ", dead";
      break;
    case Stage::kActive:
      if (!state_->mine()) {
        text += ", active";
      } else if (internal::CurrentFiber() == state_->fiber) {
        text += ", current";
      } else {
        text += state_->in_switch != GreenletState::kElsewhere ? ", suspended" : ", active";
      }
      break;
  }
  if (!state_->mine()) {
    text += state_->thread->exited ? ", of a thread that has exited" : ", of another thread";
  }
  return text;
}

std::ostream& operator<<(std::ostream& out, const Greenlet& greenlet) {
  return out << greenlet.Description();
}

UnraisableHandler SetUnraisableHandler(UnraisableHandler handler) {
  return std::exchange(internal::ThisThreadsRecord().unraisable, std::move(handler));
}

void KeepFloatingPointControl() {
  internal::Fiber* fiber = internal::CurrentFiber();
  if ((fiber->flags & internal::Fiber::kKeepsFpControl) != 0) return;
  internal::fiber_thread.fp = internal::ReadFpControl();
  fiber->flags |= internal::Fiber::kKeepsFpControl;
}

}  // namespace verdant
