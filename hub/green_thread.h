#ifndef VERDANT_HUB_GREEN_THREAD_H_
#define VERDANT_HUB_GREEN_THREAD_H_

#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "greenlet/source_location.h"
#include "hub/hub.h"
#include "hub/timeout.h"

namespace verdant {

// A handle on a green thread, whatever it returns. Copies refer to the same green thread; dropping
// the last one neither ends nor detaches it. Handles belong to the thread of their hub. Rows
// A1.6-A1.12.
class AnyGreenThread {
 public:
  AnyGreenThread() = default;
  AnyGreenThread(const AnyGreenThread& other) noexcept : task_(other.task_) {
    if (task_ != nullptr) Hub::Ref(task_);
  }
  AnyGreenThread(AnyGreenThread&& other) noexcept : task_(std::exchange(other.task_, nullptr)) {}
  AnyGreenThread& operator=(AnyGreenThread other) noexcept {
    std::swap(task_, other.task_);
    return *this;
  }
  ~AnyGreenThread() {
    if (task_ != nullptr) Hub::Unref(task_);
  }

  // Waits until it has ended, however it did; false if `deadline` came first. Throws
  // std::logic_error when a green thread joins itself.
  bool Join(Deadline deadline = Deadline::Never()) const;

  // Throws `exception` inside it, from whatever it waits for, before anything else runs, while the
  // caller waits for the hub's next turn. It may catch it and live on. One that has not started
  // never runs, but its links fire and its waiters wake. No effect on one that has ended. Killing
  // oneself throws here and now (rows A1.10, A1.11; decisions 1, 16).
  void Kill(std::exception_ptr exception = std::make_exception_ptr(GreenletExit())) const;
  // Like Kill(), but only if it has not started: false, and without effect, otherwise (row A1.12).
  bool Cancel(std::exception_ptr exception = std::make_exception_ptr(GreenletExit())) const;

  // Calls `link` when it ends, on its own stack, before those wake that wait for it; links run in
  // the order they were added. If it has ended already, `link` is called at once. What a link
  // throws goes to the hub's error handler and keeps nothing else from running (row A1.7, decision
  // 6). Returns what Unlink() takes.
  std::uint64_t Link(absl::AnyInvocable<void()> link) const;
  // True if the link was still there to be removed (row A1.9).
  bool Unlink(std::uint64_t link) const;

  // It has ended.
  bool Ready() const { return Checked()->finished; }
  // It has ended by returning.
  bool Successful() const { return Ready() && !task_->error; }
  bool Started() const { return Checked()->started; }
  // What ended it; null while it runs and after a normal return.
  std::exception_ptr Error() const;

  // For reports and dumps.
  const AnyGreenThread& SetName(std::string_view name) const;
  std::string Description() const { return Hub::Describe(Checked()); }
  std::uint64_t id() const { return Checked()->own_fiber.id; }

  explicit operator bool() const { return task_ != nullptr; }
  friend bool operator==(const AnyGreenThread&, const AnyGreenThread&) = default;

  // Takes over one reference.
  explicit AnyGreenThread(internal::Task* task) : task_(task) {}

 protected:
  friend bool KillAll(const std::vector<AnyGreenThread>& threads, Deadline deadline);

  internal::Task* Checked() const {
    if (task_ == nullptr) throw std::logic_error("an empty GreenThread handle was used");
    return task_;
  }
  // Waits for the end and throws its error, if any.
  void WaitForResult(Deadline deadline) const;
  // Kill() up to where the caller waits; true if it is to wait.
  bool Doom(std::exception_ptr exception) const;

  internal::Task* task_ = nullptr;
};

// A handle on a green thread that returns R.
template <typename R>
class [[nodiscard]] GreenThread : public AnyGreenThread {
 public:
  GreenThread() = default;
  explicit GreenThread(internal::Task* task) : AnyGreenThread(task) {}

  // Waits for the result, or throws what the green thread threw; any number of times, for any
  // number of waiters (row A1.6). Throws GreenletExit if it was killed, TimeoutExpired if
  // `deadline` comes first, std::logic_error when a green thread waits for itself. The reference is
  // good for as long as a handle exists; of a temporary handle the result is moved, or copied if
  // other handles remain.
  decltype(auto) Wait(Deadline deadline = Deadline::Never()) & { return Result(deadline); }
  decltype(auto) Wait(Deadline deadline = Deadline::Never()) const& { return Result(deadline); }
  R Wait(Deadline deadline = Deadline::Never()) && {
    if constexpr (std::is_void_v<R> || std::is_reference_v<R>) {
      return static_cast<R>(Result(deadline));
    } else {
      R& result = Result(deadline);
      if constexpr (std::is_copy_constructible_v<R>) {
        if (task_->refs > 1) return result;
      }
      return std::move(result);
    }
  }

 private:
  std::add_lvalue_reference_t<R> Result(Deadline deadline) const {
    WaitForResult(deadline);
    if constexpr (!std::is_void_v<R>) return *static_cast<internal::ResultTask<R>*>(task_)->result;
  }
};

namespace internal {

template <typename R, typename Body>
Task* NewTask(Hub& hub, SourceLocation site, Body&& body, bool with_handle) {
  using Made = BodyTask<ResultTask<R>, std::decay_t<Body>>;
  Task* task = Made::Make(&hub, std::forward<Body>(body));
  task->own_fiber.site = site;
  InheritVariables(task->own_fiber);
  task->has_handles = with_handle;
  task->refs = with_handle ? 2 : 1;
  return task;
}

// f with its arguments, copied or moved into one closure, like std::thread's.
template <typename F, typename... Args>
auto Bind(F&& f, Args&&... args) {
  if constexpr (sizeof...(Args) == 0) {
    return std::forward<F>(f);
  } else {
    return [f = std::decay_t<F>(std::forward<F>(f)),
            args = std::tuple<std::decay_t<Args>...>(std::forward<Args>(args)...)]() mutable
           -> decltype(auto) { return std::apply(std::move(f), std::move(args)); };
  }
}

template <typename Body>
auto SpawnAt(SourceLocation site, Body&& body) {
  using R = std::invoke_result_t<std::decay_t<Body>&>;
  Hub& hub = Hub::Current();
  Task* task = NewTask<R>(hub, site, std::forward<Body>(body), true);
  hub.Start(task);
  return GreenThread<R>(task);
}

template <typename Body>
void SpawnNAt(SourceLocation site, Body&& body) {
  auto discard = [body = std::decay_t<Body>(std::forward<Body>(body))]() mutable {
    static_cast<void>(body());
  };
  Hub& hub = Hub::Current();
  hub.Start(NewTask<void>(hub, site, std::move(discard), false));
}

// Holds an unstarted green thread until its time comes; lets go of it if that is cancelled.
class DelayedStart {
 public:
  explicit DelayedStart(Task* task) : task_(task) {}
  DelayedStart(DelayedStart&& other) noexcept : task_(std::exchange(other.task_, nullptr)) {}
  ~DelayedStart() {
    if (task_ != nullptr) Hub::Unref(task_);
  }
  void operator()() {
    // A kill that has not taken effect yet has started it already.
    if (task_->own_fiber.scheduled != nullptr) return;
    Task* task = std::exchange(task_, nullptr);
    task->hub->Start(task);
  }

 private:
  Task* task_;
};

// Hands over an unstarted task. One killed before its time leaves no timer behind.
void StartAfter(Task* task, absl::Duration delay);

template <typename Body>
auto SpawnAfterAt(SourceLocation site, absl::Duration delay, Body&& body) {
  using R = std::invoke_result_t<std::decay_t<Body>&>;
  Hub& hub = Hub::Current();
  Task* task = NewTask<R>(hub, site, std::forward<Body>(body), true);
  GreenThread<R> handle(task);
  StartAfter(task, delay);
  return handle;
}

}  // namespace internal

// Starts a green thread that runs f(args...), copies of both, at the hub's next turn, after
// everything that is runnable now; the caller goes on (row A1.2). Where it was spawned is recorded
// for reports. An exception that leaves it is kept for Wait(); if every handle goes away without
// anybody having looked, the hub's error handler hears of it.
template <typename F>
auto Spawn(F&& f, SourceLocation site = SourceLocation::current()) {
  return internal::SpawnAt(site, std::forward<F>(f));
}
template <typename F, typename A>
requires std::is_invocable_v<std::decay_t<F>, std::decay_t<A>>
auto Spawn(F&& f, A&& a, SourceLocation site = SourceLocation::current()) {
  return internal::SpawnAt(site, internal::Bind(std::forward<F>(f), std::forward<A>(a)));
}
template <typename F, typename A, typename B>
requires std::is_invocable_v<std::decay_t<F>, std::decay_t<A>, std::decay_t<B>>
auto Spawn(F&& f, A&& a, B&& b, SourceLocation site = SourceLocation::current()) {
  return internal::SpawnAt(
      site, internal::Bind(std::forward<F>(f), std::forward<A>(a), std::forward<B>(b)));
}
template <typename F, typename A, typename B, typename C, typename... Rest>
requires std::is_invocable_v<std::decay_t<F>, std::decay_t<A>, std::decay_t<B>, std::decay_t<C>,
                             std::decay_t<Rest>...>
auto Spawn(F&& f, A&& a, B&& b, C&& c, Rest&&... rest) {
  return internal::SpawnAt(
      {}, internal::Bind(std::forward<F>(f), std::forward<A>(a), std::forward<B>(b),
                         std::forward<C>(c), std::forward<Rest>(rest)...));
}

// The cheapest way to start one: no handle, no result. An exception that leaves it goes to the
// hub's error handler (A1.3).
template <typename F>
void SpawnN(F&& f, SourceLocation site = SourceLocation::current()) {
  internal::SpawnNAt(site, std::forward<F>(f));
}
template <typename F, typename A>
requires std::is_invocable_v<std::decay_t<F>, std::decay_t<A>>
void SpawnN(F&& f, A&& a, SourceLocation site = SourceLocation::current()) {
  internal::SpawnNAt(site, internal::Bind(std::forward<F>(f), std::forward<A>(a)));
}
template <typename F, typename A, typename B>
requires std::is_invocable_v<std::decay_t<F>, std::decay_t<A>, std::decay_t<B>>
void SpawnN(F&& f, A&& a, B&& b, SourceLocation site = SourceLocation::current()) {
  internal::SpawnNAt(site,
                     internal::Bind(std::forward<F>(f), std::forward<A>(a), std::forward<B>(b)));
}

// Like Spawn(), once `delay` has passed, whether or not the spawner still runs then (row A1.4).
// Until then Cancel() or Kill() keeps it from ever running.
template <typename F>
auto SpawnAfter(absl::Duration delay, F&& f, SourceLocation site = SourceLocation::current()) {
  return internal::SpawnAfterAt(site, delay, std::forward<F>(f));
}
template <typename F, typename A>
requires std::is_invocable_v<std::decay_t<F>, std::decay_t<A>>
auto SpawnAfter(absl::Duration delay, F&& f, A&& a,
                SourceLocation site = SourceLocation::current()) {
  return internal::SpawnAfterAt(site, delay,
                                internal::Bind(std::forward<F>(f), std::forward<A>(a)));
}

// Suspends the caller for `duration`; zero or less lets everything runnable run first and comes
// back (row A1.1). Throws std::logic_error in a hub callback.
void Sleep(absl::Duration duration);
VERDANT_INLINE_SWITCHING inline void Sleep() { Hub::Current().Yield(); }

// A handle on the running green thread (or the main greenlet).
AnyGreenThread CurrentGreenThread();

// Waits for all of them to end, however they do; false if `deadline` came first. Row B1.14.
bool JoinAll(const std::vector<AnyGreenThread>& threads, Deadline deadline = Deadline::Never());
template <typename R>
bool JoinAll(const std::vector<GreenThread<R>>& threads, Deadline deadline = Deadline::Never()) {
  return JoinAll(std::vector<AnyGreenThread>(threads.begin(), threads.end()), deadline);
}

// Kills all of them but the caller, first telling each and then waiting for each to end; false if
// `deadline` came first. Row B1.16.
bool KillAll(const std::vector<AnyGreenThread>& threads, Deadline deadline = Deadline::Never());
template <typename R>
bool KillAll(const std::vector<GreenThread<R>>& threads, Deadline deadline = Deadline::Never()) {
  return KillAll(std::vector<AnyGreenThread>(threads.begin(), threads.end()), deadline);
}

}  // namespace verdant

#endif  // VERDANT_HUB_GREEN_THREAD_H_
