#ifndef VERDANT_HUB_SPAWN_CALLS_H_
#define VERDANT_HUB_SPAWN_CALLS_H_

#include <utility>

#include "greenlet/source_location.h"
#include "hub/spawn.h"

namespace verdant {

// The Spawn() and SpawnN() of Scope and of the pools: verdant::Spawn() with an idea of its own of
// where a call is made, when there is room for it, and what becomes of it, which each says. As
// there, f and its arguments are copied or moved, any number of them will do, and the place of the
// call is recorded with up to four.
//
// Pool has SpawnAt(SourceLocation, f, args...), and SpawnNAt() where that is more than Spawn()
// without its handle.
template <typename Pool>
class SpawnCalls {
 public:
  // A handle on f(args...).
  template <typename F>
  auto Spawn(F&& f, SourceLocation site = SourceLocation::current()) {
    return pool().SpawnAt(site, std::forward<F>(f));
  }
  template <typename F, typename A>
  requires internal::CallableWith<F, A>
  auto Spawn(F&& f, A&& a, SourceLocation site = SourceLocation::current()) {
    return pool().SpawnAt(site, std::forward<F>(f), std::forward<A>(a));
  }
  template <typename F, typename A, typename B>
  requires internal::CallableWith<F, A, B>
  auto Spawn(F&& f, A&& a, B&& b, SourceLocation site = SourceLocation::current()) {
    return pool().SpawnAt(site, std::forward<F>(f), std::forward<A>(a), std::forward<B>(b));
  }
  template <typename F, typename A, typename B, typename C>
  requires internal::CallableWith<F, A, B, C>
  auto Spawn(F&& f, A&& a, B&& b, C&& c, SourceLocation site = SourceLocation::current()) {
    return pool().SpawnAt(site, std::forward<F>(f), std::forward<A>(a), std::forward<B>(b),
                          std::forward<C>(c));
  }
  template <typename F, typename A, typename B, typename C, typename D>
  requires internal::CallableWith<F, A, B, C, D>
  auto Spawn(F&& f, A&& a, B&& b, C&& c, D&& d, SourceLocation site = SourceLocation::current()) {
    return pool().SpawnAt(site, std::forward<F>(f), std::forward<A>(a), std::forward<B>(b),
                          std::forward<C>(c), std::forward<D>(d));
  }
  template <typename F, typename A, typename B, typename C, typename D, typename E,
            typename... Rest>
  requires internal::CallableWith<F, A, B, C, D, E, Rest...>
  auto Spawn(F&& f, A&& a, B&& b, C&& c, D&& d, E&& e, Rest&&... rest) {
    return pool().SpawnAt({}, std::forward<F>(f), std::forward<A>(a), std::forward<B>(b),
                          std::forward<C>(c), std::forward<D>(d), std::forward<E>(e),
                          std::forward<Rest>(rest)...);
  }

  // The same without a handle. What f throws goes to the hub's error handler.
  template <typename F>
  void SpawnN(F&& f, SourceLocation site = SourceLocation::current()) {
    pool().SpawnNAt(site, std::forward<F>(f));
  }
  template <typename F, typename A>
  requires internal::CallableWith<F, A>
  void SpawnN(F&& f, A&& a, SourceLocation site = SourceLocation::current()) {
    pool().SpawnNAt(site, std::forward<F>(f), std::forward<A>(a));
  }
  template <typename F, typename A, typename B>
  requires internal::CallableWith<F, A, B>
  void SpawnN(F&& f, A&& a, B&& b, SourceLocation site = SourceLocation::current()) {
    pool().SpawnNAt(site, std::forward<F>(f), std::forward<A>(a), std::forward<B>(b));
  }
  template <typename F, typename A, typename B, typename C>
  requires internal::CallableWith<F, A, B, C>
  void SpawnN(F&& f, A&& a, B&& b, C&& c, SourceLocation site = SourceLocation::current()) {
    pool().SpawnNAt(site, std::forward<F>(f), std::forward<A>(a), std::forward<B>(b),
                    std::forward<C>(c));
  }
  template <typename F, typename A, typename B, typename C, typename D>
  requires internal::CallableWith<F, A, B, C, D>
  void SpawnN(F&& f, A&& a, B&& b, C&& c, D&& d, SourceLocation site = SourceLocation::current()) {
    pool().SpawnNAt(site, std::forward<F>(f), std::forward<A>(a), std::forward<B>(b),
                    std::forward<C>(c), std::forward<D>(d));
  }
  template <typename F, typename A, typename B, typename C, typename D, typename E,
            typename... Rest>
  requires internal::CallableWith<F, A, B, C, D, E, Rest...>
  void SpawnN(F&& f, A&& a, B&& b, C&& c, D&& d, E&& e, Rest&&... rest) {
    pool().SpawnNAt({}, std::forward<F>(f), std::forward<A>(a), std::forward<B>(b),
                    std::forward<C>(c), std::forward<D>(d), std::forward<E>(e),
                    std::forward<Rest>(rest)...);
  }

 protected:
  SpawnCalls() = default;
  ~SpawnCalls() = default;

  template <typename F, typename... Args>
  void SpawnNAt(SourceLocation site, F&& f, Args&&... args) {
    static_cast<void>(pool().SpawnAt(site, std::forward<F>(f), std::forward<Args>(args)...));
  }

 private:
  Pool& pool() { return static_cast<Pool&>(*this); }
};

}  // namespace verdant

#endif  // VERDANT_HUB_SPAWN_CALLS_H_
