#ifndef VERDANT_GREENLET_GREENLET_H_
#define VERDANT_GREENLET_GREENLET_H_

#include <any>
#include <cstddef>
#include <exception>
#include <functional>
#include <iosfwd>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "greenlet/exit.h"
#include "greenlet/internal/run_adapter.h"
#include "greenlet/source_location.h"
#include "greenlet/stack.h"

namespace verdant {

namespace internal {
struct GreenletState;
struct Fiber;
}  // namespace internal

class Greenlet;

struct GreenletOptions {
  std::size_t stack_size = 0;  // bytes; 0: DefaultStackSize()
  std::string name = {};       // for reports
  // As by set_parent(); null: the greenlet that creates it. Looked at by the constructor only.
  const Greenlet* parent = nullptr;
};

// A coroutine with a stack of its own, switched to by hand: the primitive under green threads, and
// of use by itself for generators and for turning callbacks inside out. Reference rows C1-C12, C14,
// C16, C17. Where the types of what goes in and out are known, typed_greenlet.h is safer and
// faster.
//
//   verdant::Greenlet numbers([] {
//     for (int i = 0;; ++i) verdant::Greenlet::Current().parent().Switch(i);
//   });
//   int zero = std::any_cast<int>(numbers.Switch());
//   int one = std::any_cast<int>(numbers.Switch());
//
// A Greenlet is a handle; copies refer to the same greenlet, which itself cannot be copied (C16).
//
// The last handle. When it goes away, a suspended greenlet has GreenletExit thrown inside it, so
// that its stack unwinds and destructors run; whoever dropped the handle is its parent meanwhile
// (C10). It may store a handle of itself, Current(), somewhere and switch away: then it lives on.
// If it switches away without, it is never heard of again and its stack stays. Any other exception
// that leaves it goes to the UnraisableHandler. One that has not started is destroyed with what it
// was to run. A child refers to its parent: one whose frames hold the last handle of its own
// suspended child is not unwound until the child has ended or got another parent.
//
// Threading: a greenlet belongs to the OS thread that created it. Switching to it or throwing into
// it from another thread throws std::logic_error (C9), and parent() is for its own thread. Handles
// may be copied, compared, described and dropped on any thread, at any time. If the last one goes
// away on another thread, the greenlet ends when its own next calls Current(), Switch(), Throw() or
// a constructor of Greenlet, or its hub turns, and at the latest when it exits (C11). After that
// greenlets still suspended are abandoned: their stacks are never unwound, because what they refer
// to may have gone with the thread, but what they were to run is destroyed with the last handle.
//
// At the end of the process static objects may drop handles and switch to greenlets still (C17).
class Greenlet {
 public:
  // What a switch carries: anything copyable, or nothing. Several values go as a std::tuple. Taking
  // another type out than went in throws std::bad_any_cast.
  using Value = std::any;

  using Options = GreenletOptions;

  // An empty handle.
  Greenlet() = default;

  // A new greenlet that has not started. `run` is called at the first Switch(), once (C2). It takes
  // that switch's Value, or nothing, or what is in there: one parameter, or several if a tuple is
  // sent; if the types differ it dies of std::bad_any_cast. What it returns, if anything, goes to
  // the parent, which is the greenlet that creates it unless `options` name another. It inherits
  // its creator's context (context.h). Throws std::logic_error if `run` is null.
  template <typename F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, Greenlet>) explicit Greenlet(
      F&& run, Options options = {}, SourceLocation site = SourceLocation::current())
      : Greenlet(Erase(std::forward<F>(run)), std::move(options), site, 0) {}

  Greenlet(const Greenlet& other) noexcept;
  Greenlet(Greenlet&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  Greenlet& operator=(Greenlet other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~Greenlet();

  // The running greenlet. On a thread, or in a green thread, that is not itself a Greenlet: a
  // handle that stands for it. The reference is to a handle that does not count, so that
  // `Current().parent().Switch()` does not keep the suspended greenlet alive by its own stack; copy
  // it to keep it.
  static const Greenlet& Current();

  // Suspends the caller and resumes this greenlet; `value` becomes what its own pending Switch()
  // returns, or the argument of `run` if it has not started (C3). Returns when somebody switches
  // back, with the value they sent, or throws what they threw. When a greenlet ends, its parent's
  // pending Switch() returns what `run` returned (C4), or throws what left it; GreenletExit is a
  // normal end without a value (C6). A parent that has not started is started with the result. A
  // dead greenlet stands for its nearest live ancestor (C5); if that is the caller, `value` comes
  // straight back.
  //
  // Where the thread has a hub, a Kill() of the caller or a Timeout is thrown by its Switch() as by
  // any other call that waits (rows A1.10, A7.1). The greenlet that it switched to goes on by
  // itself then: until that stands in a Switch() of its own it cannot be switched to. It finds
  // nobody either, unless the caller stands in a Switch() again: its Switch() to the caller throws
  // std::logic_error in it, and what it returns is dropped.
  //
  // Throws std::logic_error for an empty handle, a greenlet of another thread, or one that the hub
  // has parked (only what it waits for may resume that one); StackExhausted if it cannot be
  // started.
  Value Switch(Value value = {}) const;
  // Sends them as one std::tuple of their decayed types.
  template <typename A, typename B, typename... Rest>
  Value Switch(A&& a, B&& b, Rest&&... rest) const {
    return Switch(Value(std::tuple<std::decay_t<A>, std::decay_t<B>, std::decay_t<Rest>...>(
        std::forward<A>(a), std::forward<B>(b), std::forward<Rest>(rest)...)));
  }

  // Like Switch(), but raises `exception` inside the greenlet, at its pending Switch(). One that
  // has not started dies without running, and the exception goes to its parent, GreenletExit as an
  // empty value. In a dead one GreenletExit is returned as an empty value and anything else is
  // thrown in the caller (C7). Throws std::logic_error for a null `exception`.
  Value Throw(std::exception_ptr exception = std::make_exception_ptr(GreenletExit())) const;

  // Where the result or the exception of this greenlet goes when it ends; an empty handle for a
  // thread's main greenlet.
  const Greenlet& parent() const;
  // Throws std::logic_error if either is empty, that would make a cycle, or this is a main
  // greenlet, a green thread or another thread's (C1). One that has not started may get a parent of
  // another thread, and belongs to that thread from then on; until this returns, nobody there may
  // use it. A started one may not. A child left behind by that goes on to its own thread's main
  // greenlet when it ends.
  void set_parent(const Greenlet& parent) const;

  // Started and neither finished nor killed; the main greenlet always is (C8).
  // These may be asked on any thread; a main greenlet is dead once its thread has exited.
  bool active() const;
  bool started() const;
  bool dead() const;
  // It stands for what its thread began with, not for a green thread, which has no parent either
  // (C14).
  bool is_main() const;
  const std::string& name() const;
  // For reports: "greenlet 'name', suspended". The state is pending, current, suspended (in
  // Switch()), active (parked in the hub, or running on another thread) or dead; then, if it is not
  // the caller's, "of another thread" or "of a thread that has exited" (C16).
  std::string Description() const;

  explicit operator bool() const { return state_ != nullptr; }
  friend bool operator==(const Greenlet&, const Greenlet&) = default;

 private:
  friend struct internal::GreenletState;
  using Run = std::function<Value(Value)>;

  explicit Greenlet(internal::GreenletState* state) noexcept;
  Greenlet(Run run, Options options, SourceLocation site, int);

  template <typename F>
  static Run Erase(F&& run) {
    if constexpr (internal::Nullable<std::decay_t<F>>) {
      if (run == nullptr) throw std::logic_error("Greenlet: there is nothing to run");
    }
    return internal::AdaptRun(std::forward<F>(run));
  }

  internal::GreenletState* state_ = nullptr;
};

// Its Description().
std::ostream& operator<<(std::ostream& out, const Greenlet& greenlet);

// Told of an exception that left a greenlet while it was unwound because its last handle had gone
// away, which nobody can catch (C10).
using UnraisableHandler = std::function<void(const Greenlet&, std::exception_ptr)>;
// Sets the calling thread's, and returns the one before. Without one the hub's error handler is
// told, and on a thread without a hub one line goes to stderr. It must not throw or switch.
UnraisableHandler SetUnraisableHandler(UnraisableHandler handler);

// Keeps the floating-point control words (rounding mode, exception masks, flush-to-zero) of the
// calling greenlet or green thread apart from everybody else's from now on: what it sets with
// fesetround() and the like stays its own across switches, and the others keep the thread's.
// Opt-in, because reading the control words at every switch would cost more than the switch itself.
void KeepFloatingPointControl();

}  // namespace verdant

#endif  // VERDANT_GREENLET_GREENLET_H_
