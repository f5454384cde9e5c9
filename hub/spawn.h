#ifndef VERDANT_HUB_SPAWN_H_
#define VERDANT_HUB_SPAWN_H_

#include <cstddef>
#include <stdexcept>
#include <tuple>
#include <type_traits>
#include <utility>

#include "absl/time/time.h"
#include "greenlet/context.h"
#include "greenlet/source_location.h"
#include "hub/handle.h"
#include "hub/hub.h"

namespace verdant {

namespace internal {

// Whatever can be called or be empty: a function pointer, a std::function.
template <typename F>
concept MayBeEmpty = std::is_pointer_v<F> || std::is_member_pointer_v<F> ||
    (std::is_constructible_v<F, std::nullptr_t>&& std::is_constructible_v<bool, const F&>);

template <typename F>
void CheckCallable(const F& f) {
  if constexpr (MayBeEmpty<F>) {
    if (!static_cast<bool>(f)) throw std::logic_error("Spawn of an empty function");
  }
}

template <typename R, typename Body>
Task* NewTask(Hub& hub, SourceLocation site, Body&& body, bool with_handle) {
  using Made = BodyTask<ResultTask<R>, std::decay_t<Body>>;
  Task* task = Made::Make(&hub, std::forward<Body>(body));
  task->own_fiber.SetSite(site);
  InheritVariables(task->own_fiber);
  task->has_handles = with_handle;
  task->refs = with_handle ? 2 : 1;
  return task;
}

// A parameter that knows where the call is made for which it is given, so that as many others as
// you like may follow it. Implicit for that.
template <typename T>
struct WithSite {
  WithSite(T v, SourceLocation s = SourceLocation::current()) : value(v), site(s) {}
  T value;
  SourceLocation site;
};

// Copies of f and its arguments fit each other.
template <typename F, typename... Args>
concept CallableWith = std::is_invocable_v<std::decay_t<F>, std::decay_t<Args>...>;

// f with its arguments, copied or moved into one closure, like std::thread's.
template <typename F, typename... Args>
auto Bind(F&& f, Args&&... args) {
  if constexpr (sizeof...(Args) == 0) {
    return std::forward<F>(f);
  } else {
    CheckCallable<std::decay_t<F>>(f);
    return [f = std::decay_t<F>(std::forward<F>(f)),
            args = std::tuple<std::decay_t<Args>...>(std::forward<Args>(args)...)]() mutable
           -> decltype(auto) { return std::apply(std::move(f), std::move(args)); };
  }
}

template <typename Body>
auto SpawnAt(SourceLocation site, Body&& body) {
  using R = std::invoke_result_t<std::decay_t<Body>&>;
  CheckCallable<std::decay_t<Body>>(body);
  Hub& hub = Hub::Current();
  Task* task = NewTask<R>(hub, site, std::forward<Body>(body), true);
  hub.Start(task);
  return GreenThread<R>(task);
}

template <typename Body>
void SpawnNAt(SourceLocation site, Body&& body) {
  CheckCallable<std::decay_t<Body>>(body);
  auto discard = [body = std::decay_t<Body>(std::forward<Body>(body))]() mutable {
    static_cast<void>(body());
  };
  Hub& hub = Hub::Current();
  hub.Start(NewTask<void>(hub, site, std::move(discard), false));
}

// SpawnNAt() for somebody who asked elsewhere, whose context this is.
template <typename Body>
void SpawnNWith(verdant::Context& context, SourceLocation site, Body&& body) {
  context.Run([&] { SpawnNAt(site, std::forward<Body>(body)); });
}

// Makes known a green thread that is not to start yet.
void Prepared(Task* task);

template <typename Body>
auto PrepareAt(SourceLocation site, Body&& body) {
  using R = std::invoke_result_t<std::decay_t<Body>&>;
  CheckCallable<std::decay_t<Body>>(body);
  Task* task = NewTask<R>(Hub::Current(), site, std::forward<Body>(body), true);
  task->refs = 1;  // the hub has none of it
  GreenThread<R> thread(task);
  Prepared(task);
  return thread;
}

template <typename Body>
auto SpawnAfterAt(SourceLocation site, absl::Duration delay, Body&& body) {
  auto thread = PrepareAt(site, std::forward<Body>(body));
  thread.StartLater(delay);
  return thread;
}

template <typename Body>
auto SpawnAfterLocalAt(SourceLocation site, absl::Duration delay, Body&& body) {
  auto thread = PrepareAt(site, std::forward<Body>(body));
  StartLaterWithSpawner(thread, delay);
  return thread;
}

}  // namespace internal

// Starts a green thread that runs f(args...), copies of both, at the hub's next turn, after
// everything that is runnable now; the caller goes on (row A1.2). Where it was spawned is recorded
// for reports, with up to four arguments. An exception that leaves it is kept for Wait(); if every
// handle goes away without anybody having looked, the hub's error handler hears of it (row B1.9).
// Throws std::logic_error if f is an empty std::function or a null pointer (row B1.4).
template <typename F>
auto Spawn(F&& f, SourceLocation site = SourceLocation::current()) {
  return internal::SpawnAt(site, std::forward<F>(f));
}
template <typename F, typename A>
requires internal::CallableWith<F, A>
auto Spawn(F&& f, A&& a, SourceLocation site = SourceLocation::current()) {
  return internal::SpawnAt(site, internal::Bind(std::forward<F>(f), std::forward<A>(a)));
}
template <typename F, typename A, typename B>
requires internal::CallableWith<F, A, B>
auto Spawn(F&& f, A&& a, B&& b, SourceLocation site = SourceLocation::current()) {
  return internal::SpawnAt(
      site, internal::Bind(std::forward<F>(f), std::forward<A>(a), std::forward<B>(b)));
}
template <typename F, typename A, typename B, typename C>
requires internal::CallableWith<F, A, B, C>
auto Spawn(F&& f, A&& a, B&& b, C&& c, SourceLocation site = SourceLocation::current()) {
  return internal::SpawnAt(site, internal::Bind(std::forward<F>(f), std::forward<A>(a),
                                                std::forward<B>(b), std::forward<C>(c)));
}
template <typename F, typename A, typename B, typename C, typename D>
requires internal::CallableWith<F, A, B, C, D>
auto Spawn(F&& f, A&& a, B&& b, C&& c, D&& d, SourceLocation site = SourceLocation::current()) {
  return internal::SpawnAt(
      site, internal::Bind(std::forward<F>(f), std::forward<A>(a), std::forward<B>(b),
                           std::forward<C>(c), std::forward<D>(d)));
}
template <typename F, typename A, typename B, typename C, typename D, typename E, typename... Rest>
requires internal::CallableWith<F, A, B, C, D, E, Rest...>
auto Spawn(F&& f, A&& a, B&& b, C&& c, D&& d, E&& e, Rest&&... rest) {
  return internal::SpawnAt(
      {},
      internal::Bind(std::forward<F>(f), std::forward<A>(a), std::forward<B>(b), std::forward<C>(c),
                     std::forward<D>(d), std::forward<E>(e), std::forward<Rest>(rest)...));
}

// The cheapest way to start one: no handle, so no result, no links and no kill from outside. An
// exception that leaves it goes to the hub's error handler. Rows A1.3, B1.13.
template <typename F>
void SpawnN(F&& f, SourceLocation site = SourceLocation::current()) {
  internal::SpawnNAt(site, std::forward<F>(f));
}
template <typename F, typename A>
requires internal::CallableWith<F, A>
void SpawnN(F&& f, A&& a, SourceLocation site = SourceLocation::current()) {
  internal::SpawnNAt(site, internal::Bind(std::forward<F>(f), std::forward<A>(a)));
}
template <typename F, typename A, typename B>
requires internal::CallableWith<F, A, B>
void SpawnN(F&& f, A&& a, B&& b, SourceLocation site = SourceLocation::current()) {
  internal::SpawnNAt(site,
                     internal::Bind(std::forward<F>(f), std::forward<A>(a), std::forward<B>(b)));
}
template <typename F, typename A, typename B, typename C>
requires internal::CallableWith<F, A, B, C>
void SpawnN(F&& f, A&& a, B&& b, C&& c, SourceLocation site = SourceLocation::current()) {
  internal::SpawnNAt(site, internal::Bind(std::forward<F>(f), std::forward<A>(a),
                                          std::forward<B>(b), std::forward<C>(c)));
}
template <typename F, typename A, typename B, typename C, typename D>
requires internal::CallableWith<F, A, B, C, D>
void SpawnN(F&& f, A&& a, B&& b, C&& c, D&& d, SourceLocation site = SourceLocation::current()) {
  internal::SpawnNAt(site,
                     internal::Bind(std::forward<F>(f), std::forward<A>(a), std::forward<B>(b),
                                    std::forward<C>(c), std::forward<D>(d)));
}
template <typename F, typename A, typename B, typename C, typename D, typename E, typename... Rest>
requires internal::CallableWith<F, A, B, C, D, E, Rest...>
void SpawnN(F&& f, A&& a, B&& b, C&& c, D&& d, E&& e, Rest&&... rest) {
  internal::SpawnNAt({}, internal::Bind(std::forward<F>(f), std::forward<A>(a), std::forward<B>(b),
                                        std::forward<C>(c), std::forward<D>(d), std::forward<E>(e),
                                        std::forward<Rest>(rest)...));
}

// Like Spawn(), once `delay` has passed, whether or not the spawner still runs then (row A1.4).
// Until then Cancel() or Kill() keeps it from ever running, and leaves no timer behind.
template <typename F, typename... Args>
requires internal::CallableWith<F, Args...>
auto SpawnAfter(internal::WithSite<absl::Duration> delay, F&& f, Args&&... args) {
  return internal::SpawnAfterAt(delay.site, delay.value,
                                internal::Bind(std::forward<F>(f), std::forward<Args>(args)...));
}

// Like SpawnAfter(), but only if the spawner has not ended by then: if it has, the green thread is
// cancelled when its time comes, so its links fire and Wait() throws GreenletExit. The main
// greenlet and a hub callback count as never ending. Row A1.5.
template <typename F, typename... Args>
requires internal::CallableWith<F, Args...>
auto SpawnAfterLocal(internal::WithSite<absl::Duration> delay, F&& f, Args&&... args) {
  return internal::SpawnAfterLocalAt(
      delay.site, delay.value, internal::Bind(std::forward<F>(f), std::forward<Args>(args)...));
}

// A green thread for f(args...) that starts when its Start() or StartLater() is called, and never
// if that does not happen; until then it can be linked, named, killed and waited for. Row B1.4.
//
// What gevent does by deriving from Greenlet and overriding its run() is done by having one:
//
//   class Download {
//    public:
//     explicit Download(std::string url)
//         : url_(std::move(url)), thread_(Prepare([this] { return Run(); })) {}
//     ~Download() { thread_.KillAndJoin(); }
//     const GreenThread<std::string>& thread() const { return thread_; }
//
//    private:
//     std::string Run();
//     std::string url_;
//     GreenThread<std::string> thread_;
//   };
//
//   Download download("http://example.org/");
//   download.thread().Start();
//   download.thread().Wait();
template <typename F>
auto Prepare(F&& f, SourceLocation site = SourceLocation::current()) {
  return internal::PrepareAt(site, std::forward<F>(f));
}
template <typename F, typename A>
requires internal::CallableWith<F, A>
auto Prepare(F&& f, A&& a, SourceLocation site = SourceLocation::current()) {
  return internal::PrepareAt(site, internal::Bind(std::forward<F>(f), std::forward<A>(a)));
}
template <typename F, typename A, typename B>
requires internal::CallableWith<F, A, B>
auto Prepare(F&& f, A&& a, B&& b, SourceLocation site = SourceLocation::current()) {
  return internal::PrepareAt(
      site, internal::Bind(std::forward<F>(f), std::forward<A>(a), std::forward<B>(b)));
}
template <typename F, typename A, typename B, typename C>
requires internal::CallableWith<F, A, B, C>
auto Prepare(F&& f, A&& a, B&& b, C&& c, SourceLocation site = SourceLocation::current()) {
  return internal::PrepareAt(site, internal::Bind(std::forward<F>(f), std::forward<A>(a),
                                                  std::forward<B>(b), std::forward<C>(c)));
}
template <typename F, typename A, typename B, typename C, typename D>
requires internal::CallableWith<F, A, B, C, D>
auto Prepare(F&& f, A&& a, B&& b, C&& c, D&& d, SourceLocation site = SourceLocation::current()) {
  return internal::PrepareAt(
      site, internal::Bind(std::forward<F>(f), std::forward<A>(a), std::forward<B>(b),
                           std::forward<C>(c), std::forward<D>(d)));
}
template <typename F, typename A, typename B, typename C, typename D, typename E, typename... Rest>
requires internal::CallableWith<F, A, B, C, D, E, Rest...>
auto Prepare(F&& f, A&& a, B&& b, C&& c, D&& d, E&& e, Rest&&... rest) {
  return internal::PrepareAt(
      {},
      internal::Bind(std::forward<F>(f), std::forward<A>(a), std::forward<B>(b), std::forward<C>(c),
                     std::forward<D>(d), std::forward<E>(e), std::forward<Rest>(rest)...));
}

}  // namespace verdant

#endif  // VERDANT_HUB_SPAWN_H_
