#ifndef VERDANT_GREENLET_GREENLET_H_
#define VERDANT_GREENLET_GREENLET_H_

#include <any>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "greenlet/exit.h"
#include "greenlet/source_location.h"
#include "greenlet/stack.h"

namespace verdant {

namespace internal {
struct GreenletState;
struct Fiber;
}  // namespace internal

struct GreenletOptions {
  std::size_t stack_size = 0;  // bytes; 0: DefaultStackSize()
  std::string name = {};       // for reports
};

// A coroutine with a stack of its own, switched to by hand: the primitive under green threads, and
// of use by itself for generators and for turning callbacks inside out. Reference rows C1-C10, C12.
//
//   verdant::Greenlet numbers([](std::any) {
//     for (int i = 0;; ++i) verdant::Greenlet::Current().parent().Switch(i);
//   });
//   int zero = std::any_cast<int>(numbers.Switch());
//   int one = std::any_cast<int>(numbers.Switch());
//
// A Greenlet is a handle; copies refer to the same greenlet. When the last handle of a suspended
// greenlet goes away, GreenletExit is thrown inside it, so that its stack unwinds and destructors
// run (C10).
//
// Threading: a greenlet belongs to the OS thread that created it. Switching to it or throwing into
// it from another thread throws std::logic_error; handles may be neither copied nor dropped
// elsewhere.
class Greenlet {
 public:
  // What a switch carries: anything copyable, or nothing.
  using Value = std::any;

  using Options = GreenletOptions;

  // An empty handle.
  Greenlet() = default;

  // A new greenlet that has not started. `run` is called at the first Switch(), with that switch's
  // value if it takes one; what it returns, if anything, goes to the parent. The parent is the
  // greenlet that creates it.
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
  // returns, or the argument of `run` if it has not started. Returns when somebody switches back,
  // with the value they sent, or throws what they threw. A dead greenlet stands for its nearest
  // live ancestor (C5); if that is the caller, `value` comes straight back.
  //
  // Throws std::logic_error for an empty handle, a greenlet of another thread, or one that the hub
  // has parked (only what it waits for may resume that one); StackExhausted if it cannot be
  // started.
  Value Switch(Value value = {}) const;

  // Like Switch(), but raises `exception` inside the greenlet, at its pending Switch(). One that
  // has not started dies without running, and the exception goes to its parent. In a dead one
  // GreenletExit is returned as an empty value and anything else is thrown in the caller (C7).
  Value Throw(std::exception_ptr exception = std::make_exception_ptr(GreenletExit())) const;

  // Where the result or the exception of this greenlet goes when it ends; an empty handle for a
  // thread's main greenlet.
  const Greenlet& parent() const;
  // Throws std::logic_error if that would make a cycle, crosses threads, or changes a main
  // greenlet's (C1).
  void set_parent(const Greenlet& parent) const;

  // Started and neither finished nor killed; the main greenlet always is (C8).
  bool active() const;
  bool started() const;
  bool dead() const;
  const std::string& name() const;

  explicit operator bool() const { return state_ != nullptr; }
  friend bool operator==(const Greenlet&, const Greenlet&) = default;

 private:
  friend struct internal::GreenletState;
  using Run = std::function<Value(Value)>;

  explicit Greenlet(internal::GreenletState* state) noexcept;
  Greenlet(Run run, Options options, SourceLocation site, int);

  template <typename F>
  static Run Erase(F&& f) {
    // std::function wants copyable targets, and a greenlet's closure is called once, from one
    // place.
    auto shared = std::make_shared<std::decay_t<F>>(std::forward<F>(f));
    return [shared = std::move(shared)]([[maybe_unused]] Value value) -> Value {
      auto call = [&]() -> decltype(auto) {
        if constexpr (std::is_invocable_v<std::decay_t<F>&, Value>) {
          return (*shared)(std::move(value));
        } else {
          return (*shared)();
        }
      };
      if constexpr (std::is_void_v<decltype(call())>) {
        call();
        return {};
      } else {
        return Value(call());
      }
    };
  }

  internal::GreenletState* state_ = nullptr;
};

// Keeps the floating-point control words (rounding mode, exception masks, flush-to-zero) of the
// calling greenlet or green thread apart from everybody else's from now on: what it sets with
// fesetround() and the like stays its own across switches, and the others keep the thread's.
// Opt-in, because reading the control words at every switch would cost more than the switch itself.
void KeepFloatingPointControl();

}  // namespace verdant

#endif  // VERDANT_GREENLET_GREENLET_H_
