#ifndef VERDANT_HUB_SCOPED_GREEN_THREAD_H_
#define VERDANT_HUB_SCOPED_GREEN_THREAD_H_

#include <exception>
#include <utility>

#include "hub/handle.h"
#include "hub/internal/home_thread.h"

namespace verdant {

// The part of ScopedGreenThread that does not depend on what the green thread returns.
class JoinedScope {
 public:
  JoinedScope(const JoinedScope&) = delete;
  JoinedScope& operator=(const JoinedScope&) = delete;

 protected:
  explicit JoinedScope(AnyGreenThread thread);
  ~JoinedScope() = default;
  // What the end of the scope does; may throw if it is not unwound.
  void Leave();
  void KillWith(std::exception_ptr error);

 private:
  void SeeThrough() noexcept;
  bool Elsewhere() const;

  const AnyGreenThread any_;
  const int uncaught_;
  internal::HomeThread home_;
};

// A green thread that does not outlive a scope: the end of the scope waits for it. Row B1.7.
//
//   ScopedGreenThread progress(Spawn(ShowProgress));
//   progress.During([&] { Download(url); });
//
// If During()'s body throws, the green thread is killed with that same exception, and the exception
// goes on. If the scope is unwound otherwise, the green thread is killed with GreenletExit, since a
// destructor cannot see what is being thrown. A caller that is killed or timed out while it waits
// at the end of the scope kills the green thread too; so does a LoopExit. A green thread that
// survives its kill holds the scope until it ends.
//
// In the child of a fork, where the green thread does not exist, its scope ends at once.
//
// The destructor throws only what is aimed at the caller, and never while another exception is
// under way. Errors of the green thread that nobody looks at go to the hub's error handler.
template <typename R>
class ScopedGreenThread : private JoinedScope {
 public:
  // Takes it in: one that was only prepared is started.
  explicit ScopedGreenThread(GreenThread<R> thread)
      : JoinedScope(thread), thread_(std::move(thread)) {
    thread_.Start();
  }
  ~ScopedGreenThread() noexcept(false) { Leave(); }

  const GreenThread<R>& operator*() const { return thread_; }
  const GreenThread<R>* operator->() const { return &thread_; }

  // Gives what body() returns; waits for nothing.
  template <typename Body>
  decltype(auto) During(Body&& body) {
    try {
      return std::forward<Body>(body)();
    } catch (...) {
      KillWith(std::current_exception());
      throw;
    }
  }

 private:
  const GreenThread<R> thread_;
};

}  // namespace verdant

#endif  // VERDANT_HUB_SCOPED_GREEN_THREAD_H_
