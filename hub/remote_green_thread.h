#ifndef VERDANT_HUB_REMOTE_GREEN_THREAD_H_
#define VERDANT_HUB_REMOTE_GREEN_THREAD_H_

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "absl/time/time.h"
#include "greenlet/context.h"
#include "greenlet/exit.h"
#include "greenlet/source_location.h"
#include "hub/clock.h"
#include "hub/hub.h"
#include "hub/internal/remote_call.h"
#include "hub/spawn.h"
#include "hub/timeout.h"

namespace verdant {

// A handle on a green thread of another hub, whatever it returns: what a GreenThread is for the
// green threads of one's own. Copies refer to the same green thread; dropping the last one neither
// ends nor detaches it.
//
// Threading: every function from any thread: a green thread (or a thread's main greenlet) that
// waits parks, a thread without a hub blocks and gets none by it. One handle object is not for two
// threads at once; copies of it are.
class AnyRemoteGreenThread {
 public:
  AnyRemoteGreenThread() = default;
  AnyRemoteGreenThread(const AnyRemoteGreenThread& other) noexcept : call_(other.call_) {
    if (call_ != nullptr) call_->AddHandle();
  }
  AnyRemoteGreenThread(AnyRemoteGreenThread&&) noexcept = default;
  AnyRemoteGreenThread& operator=(AnyRemoteGreenThread other) noexcept {
    std::swap(call_, other.call_);
    return *this;
  }
  ~AnyRemoteGreenThread() {
    if (call_ != nullptr) call_->DropHandle();
  }

  // Waits until it has ended, however it did; false if `deadline` came first. Throws
  // std::logic_error when it waits for itself, and in a hub callback if it would wait.
  bool Join(Deadline deadline = Deadline::Never()) const { return Checked().Await(deadline); }

  // Has `exception` thrown in it soon, where it waits, when its turn comes; the caller does not
  // wait. One that has not begun never will, and what it captured is destroyed here. No effect on
  // one that has ended.
  void Kill(std::exception_ptr exception = std::make_exception_ptr(GreenletExit())) const {
    Checked().Kill(exception);
  }
  // Kill(), then Join(): false if `deadline` came first.
  bool KillAndJoin(Deadline deadline = Deadline::Never()) const {
    Kill();
    return Join(deadline);
  }
  // Kill(), but only if it has not begun: false, and without effect, otherwise.
  bool Cancel(std::exception_ptr exception = std::make_exception_ptr(GreenletExit())) const {
    if (exception == nullptr) throw std::logic_error("RemoteGreenThread::Cancel of no exception");
    return Checked().Cancel(exception);
  }

  // Its body has begun, or never will: it was cancelled.
  bool Started() const { return Checked().begun(); }
  // It has ended: Wait() would not wait.
  bool Ready() const { return Checked().done(); }
  // It has ended by returning.
  bool Successful() const { return Ready() && call_->error() == nullptr; }
  // What ended it: a GreenletExit if it was killed, a std::runtime_error if its hub ended under it;
  // null while it runs and after a normal return. Counts as having seen it.
  std::exception_ptr Error() const {
    if (!Ready()) return nullptr;
    call_->ErrorSeen();
    return call_->error();
  }
  // Where it was spawned; line() is 0 if nobody said.
  SourceLocation SpawnSite() const { return Checked().site(); }

  explicit operator bool() const { return call_ != nullptr; }
  friend bool operator==(const AnyRemoteGreenThread&, const AnyRemoteGreenThread&) = default;

 protected:
  explicit AnyRemoteGreenThread(std::shared_ptr<internal::RemoteCall> call)
      : call_(std::move(call)) {
    call_->AddHandle();
  }
  internal::RemoteCall& Checked() const {
    if (call_ == nullptr) throw std::logic_error("an empty RemoteGreenThread handle was used");
    return *call_;
  }

  std::shared_ptr<internal::RemoteCall> call_;
};

// A handle on a green thread of another hub that returns R. An error that nobody has looked at when
// the last handle is gone goes to that hub's error handler.
template <typename R>
class [[nodiscard]] RemoteGreenThread : public AnyRemoteGreenThread {
 public:
  RemoteGreenThread() = default;
  // For those that spawn.
  explicit RemoteGreenThread(std::shared_ptr<internal::TypedCall<R>> call)
      : AnyRemoteGreenThread(std::move(call)) {}

  // Waits for the result, or throws what the green thread threw, on as many threads as want it: a
  // reference, good for as long as a handle exists. Throws GreenletExit if it was killed,
  // TimeoutExpired if `deadline` comes first.
  decltype(auto) Wait(Deadline deadline = Deadline::Never()) const& {
    WaitForResult(deadline);
    if constexpr (std::is_void_v<R> || std::is_reference_v<R>) {
      return static_cast<R>(Call().result());
    } else {
      return std::as_const(Call().result());
    }
  }
  // Of a temporary handle the result is moved, or copied if other handles remain.
  R Wait(Deadline deadline = Deadline::Never()) && {
    WaitForResult(deadline);
    if constexpr (std::is_void_v<R> || std::is_reference_v<R>) {
      return static_cast<R>(Call().result());
    } else {
      if constexpr (std::is_copy_constructible_v<R>) {
        if (!call_->OnlyHandle()) return Call().result();
      }
      return std::move(Call().result());
    }
  }

 private:
  internal::TypedCall<R>& Call() const { return static_cast<internal::TypedCall<R>&>(*call_); }
  void WaitForResult(Deadline deadline) const {
    const absl::Duration patience = deadline.Remaining();
    if (!Join(deadline)) throw TimeoutExpired(0, patience);
    if (call_->error() != nullptr) std::rethrow_exception(call_->error());
  }
};

namespace internal {

// f(args...) as a call to be made elsewhere, and the handle on it.
template <typename Body>
auto NewRemote(SourceLocation site, Body&& body) {
  CheckCallable<std::decay_t<Body>>(body);
  using R = std::invoke_result_t<std::decay_t<Body>&>;
  auto call = NewCall(site, std::forward<Body>(body));
  RemoteGreenThread<R> handle(call);
  return std::pair<CallTicket, RemoteGreenThread<R>>(CallTicket(std::move(call)),
                                                     std::move(handle));
}

// Waits for a call made for this one caller: what interrupts the wait takes the call back if it has
// not begun.
template <typename R>
R WaitOrCancel(RemoteGreenThread<R> handle) {
  struct Interest {
    ~Interest() {
      if (!handle.Ready()) handle.Cancel();
    }
    RemoteGreenThread<R>& handle;
  } const interest{handle};
  return std::move(handle).Wait();
}

// Throws where nothing may wait, before anything is done.
inline void CheckMayWait() {
  if (current_hub != nullptr) current_hub->CurrentTask();
}

template <typename Body>
auto SpawnInHubAt(const Hub::Remote& hub, SourceLocation site, Body&& body) {
  auto [ticket, handle] = NewRemote(site, std::forward<Body>(body));
  hub.Post([site, context = verdant::Context::Current(), ticket = std::move(ticket)]() mutable {
    SpawnNWith(context, site, std::move(ticket));
  });
  return std::move(handle);
}

}  // namespace internal

// Starts a green thread for f(args...), copies of both, in the hub of another thread, soon, in the
// order asked for, with the caller's context. If that hub is gone, or goes before it has begun, it
// ends as one that was killed: Wait() throws GreenletExit. Throws std::logic_error if f is empty.
template <typename F, typename... Args>
requires internal::CallableWith<F, Args...>
auto SpawnInHub(internal::WithSite<const Hub::Remote&> hub, F&& f, Args&&... args) {
  return internal::SpawnInHubAt(hub.value, hub.site,
                                internal::Bind(std::forward<F>(f), std::forward<Args>(args)...));
}

// f(args...) in a green thread of another thread's hub, while the caller waits here: its result, or
// throws what it throws. If the wait is interrupted (Timeout, Kill), the call is cancelled if it
// has not begun; one that has goes on, and its result is dropped, an exception of it goes to that
// hub's error handler. So let it own what it refers to. Throws std::logic_error in a hub callback.
template <typename F, typename... Args>
decltype(auto) RunInHub(internal::WithSite<const Hub::Remote&> hub, F&& f, Args&&... args) {
  internal::CheckMayWait();
  return internal::WaitOrCancel(internal::SpawnInHubAt(
      hub.value, hub.site, internal::Bind(std::forward<F>(f), std::forward<Args>(args)...)));
}

}  // namespace verdant

#endif  // VERDANT_HUB_REMOTE_GREEN_THREAD_H_
