#ifndef VERDANT_HUB_SCOPE_H_
#define VERDANT_HUB_SCOPE_H_

#include <exception>
#include <list>
#include <optional>
#include <type_traits>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "greenlet/context.h"
#include "greenlet/source_location.h"
#include "hub/handle.h"
#include "hub/hub.h"
#include "hub/internal/home_thread.h"
#include "hub/spawn.h"
#include "hub/spawn_calls.h"
#include "hub/timeout.h"

namespace verdant {

// Green threads that do not outlive a block, and fail as one: what other libraries call a nursery
// or a task group.
//
//   WithScope([&](Scope& scope) {
//     for (const Url& url : urls) scope.SpawnN(Fetch, url);
//   });  // all have ended, well; or the first error is thrown here
//
// The owner, the green thread that makes a Scope, leaves it only when every child has ended. The
// first child that fails has its siblings cancelled and its error thrown in the owner: by whatever
// call it waits in, or by Join(). The owner leaving early, by an exception or because its own time
// is up, cancels the children. To cancel is to throw GreenletExit in a child, once, where it waits;
// one that has not started never runs. A child that lives on gets it again and again, every
// ScopeOptions::persist, until it has ended, and the hub's error handler is told the first time: so
// what a child must do on its way out and may take longer belongs under a Shield (hub/shield.h),
// with a time limit of its own.
//
// Its Spawn() and SpawnN(), declared in SpawnCalls, start f(args...) as verdant::Spawn() does, as a
// child of the scope; of one that is cancelled already the child never runs. An error of a child
// without a handle counts like any other's.
//
// A child that ends by GreenletExit, its own or a Kill()'s, has not failed. Errors after the first
// go to the hub's error handler. Whoever holds a child's handle may still Wait() for its result.
//
// In the child of a fork it has no children: what waits for them returns at once, and Spawn()
// throws std::logic_error.
//
// Threading: for one hub; destroyed by its owner, as a local variable. Spawn() and Cancel() may be
// called by any green thread of the hub, children above all, or a hub callback, while it exists.
struct ScopeOptions {
  // All of it is to be done by then, or TimeoutExpired is thrown in the owner as if by a Timeout.
  Deadline deadline = Deadline::Never();
  // How long after it was cancelled, and then how often, a child that lives on is cancelled again.
  absl::Duration persist = absl::Seconds(1);
};

class Scope : public SpawnCalls<Scope>, private internal::Interrupt {
 public:
  // Throws std::logic_error in a hub callback, which could not wait at the end, and unless
  // `persist` is positive.
  explicit Scope(ScopeOptions options = {}, SourceLocation site = SourceLocation::current());
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
  // Cancels the children that there are, after a Join() none, and sees them to their end, whatever
  // is aimed at the owner meanwhile. An error that there was no occasion to throw goes to the hub's
  // error handler.
  ~Scope() override;

  // Waits until all children have ended, those included that children add. Throws the first error
  // of a child unless it was thrown in the owner before; whatever it throws, it does so when the
  // children have been cancelled and have ended. May be called again, after more Spawn(). Throws
  // std::logic_error in any other green thread than the owner.
  void Join();

  // Cancels all children, and what is spawned from now on. The owner is not interrupted.
  // Idempotent.
  void Cancel();
  // By Cancel(), an error, or an exception on its way through the owner.
  bool cancelled() const { return cancelled_; }
  // Children that have not ended.
  std::size_t size() const { return children_.size(); }
  // The exception says that this scope's deadline came.
  bool TimedOut(const TimeoutExpired& expired) const {
    return timeout_.has_value() && timeout_->Owns(expired);
  }

 private:
  using Children = std::list<AnyGreenThread>;

  friend class SpawnCalls<Scope>;
  template <typename F, typename... Args>
  auto SpawnAt(SourceLocation site, F&& f, Args&&... args) {
    auto child =
        internal::SpawnAt(site, internal::Bind(std::forward<F>(f), std::forward<Args>(args)...));
    Adopt(child);
    return child;
  }
  void Adopt(const AnyGreenThread& child);
  void OnEnd(Children::iterator place);
  void Fail(std::exception_ptr error);
  void Persist();
  void SeeThrough();
  bool LeftToParent();
  [[noreturn]] void Raise() override;

  internal::Task* const owner_;
  internal::HomeThread home_;
  const absl::Duration persist_;
  const SourceLocation site_;
  Children children_;
  bool cancelled_ = false;
  bool told_ = false;         // the error handler, of a child that lives on
  bool waiting_ = false;      // the owner, for the last child
  bool leaving_ = false;      // the owner: there is nothing more to be thrown in it
  std::exception_ptr error_;  // until it is thrown
  TimerHandle persistence_;
  std::optional<Timeout> timeout_;
  std::optional<ContextVar<Deadline>::Scope> deadline_;
};

// Calls body(scope), waits for the scope's children, and gives what body returned. Throws what body
// threw, or the first error of a child, or TimeoutExpired at the deadline, when all children have
// ended.
template <typename Body>
auto WithScope(Body&& body, ScopeOptions options = {},
               SourceLocation site = SourceLocation::current()) {
  using R = std::invoke_result_t<Body, Scope&>;
  Scope scope(options, site);
  if constexpr (std::is_void_v<R>) {
    std::forward<Body>(body)(scope);
    scope.Join();
  } else {
    R result = std::forward<Body>(body)(scope);
    scope.Join();
    return result;
  }
}

// The earliest deadline of the scopes that the caller runs in, as owner, child, or spawned by
// either: what is left of the time for all of it, to be handed to a server, say. Never, outside of
// any, and under a Shield: of those that began under it only. Part of the context
// (greenlet/context.h), so it is inherited, by another hub as well, on whose clock it is then taken
// to be; it is the scopes that enforce it.
Deadline CurrentDeadline();

}  // namespace verdant

#endif  // VERDANT_HUB_SCOPE_H_
