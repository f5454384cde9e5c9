#ifndef VERDANT_POOL_GREEN_PILE_H_
#define VERDANT_POOL_GREEN_PILE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <ranges>
#include <type_traits>
#include <utility>

#include "greenlet/source_location.h"
#include "hub/green_thread.h"
#include "hub/semaphore.h"
#include "hub/timeout.h"
#include "pool/green_pool.h"
#include "pool/internal/crowd.h"
#include "pool/internal/deadline_here.h"
#include "pool/result_range.h"

namespace verdant {

// Calls of any functions, made by a GreenPool's members, whose results are read in the order of the
// Spawn() calls. Rows A3.13-A3.16.
//
//   GreenPile<Page> pile(100);
//   for (const std::string& url : urls) pile.Spawn(Fetch, url);
//   for (auto&& page : pile) Index(page);
//
// A range that ends when nothing is outstanding; reading and spawning may alternate. ResultRange
// says how it is read and what becomes of exceptions: each stands in the place of its result, and
// the later results can still be read (row A3.14). An interrupted wait loses no result (row A3.15,
// decision 13).
//
// Results that nobody reads are kept. Destroying a pile kills nothing.
//
// Threading: for green threads of one hub. Several may read at once; they are served in the order
// they came.
template <typename R>
class GreenPile : public ResultRange<GreenPile<R>, ResultValue<R>> {
  template <typename F, typename... Args>
  static constexpr bool Makes = std::is_invocable_r_v<R, std::decay_t<F>, std::decay_t<Args>...>;

 public:
  // With a pool of its own, of that size.
  explicit GreenPile(std::int64_t size = 1000)
      : own_pool_(std::make_unique<GreenPool>(size)), pool_(*own_pool_) {}
  // In a pool that several piles and other spawners may share; it must outlive the pile.
  explicit GreenPile(GreenPool& pool) : pool_(pool) {}
  GreenPile(const GreenPile&) = delete;
  GreenPile& operator=(const GreenPile&) = delete;

  // Has f(args...) called as GreenPool::Spawn() does, which waits while the pool is full. When that
  // is interrupted nothing was added. The place is recorded with up to four arguments.
  template <typename F>
  requires Makes<F>
  void Spawn(F&& f, SourceLocation site = SourceLocation::current()) {
    SpawnAt(site, std::forward<F>(f));
  }
  template <typename F, typename A>
  requires Makes<F, A>
  void Spawn(F&& f, A&& a, SourceLocation site = SourceLocation::current()) {
    SpawnAt(site, std::forward<F>(f), std::forward<A>(a));
  }
  template <typename F, typename A, typename B>
  requires Makes<F, A, B>
  void Spawn(F&& f, A&& a, B&& b, SourceLocation site = SourceLocation::current()) {
    SpawnAt(site, std::forward<F>(f), std::forward<A>(a), std::forward<B>(b));
  }
  template <typename F, typename A, typename B, typename C>
  requires Makes<F, A, B, C>
  void Spawn(F&& f, A&& a, B&& b, C&& c, SourceLocation site = SourceLocation::current()) {
    SpawnAt(site, std::forward<F>(f), std::forward<A>(a), std::forward<B>(b), std::forward<C>(c));
  }
  template <typename F, typename A, typename B, typename C, typename D>
  requires Makes<F, A, B, C, D>
  void Spawn(F&& f, A&& a, B&& b, C&& c, D&& d, SourceLocation site = SourceLocation::current()) {
    SpawnAt(site, std::forward<F>(f), std::forward<A>(a), std::forward<B>(b), std::forward<C>(c),
            std::forward<D>(d));
  }
  template <typename F, typename A, typename B, typename C, typename D, typename E,
            typename... Rest>
  requires Makes<F, A, B, C, D, E, Rest...>
  void Spawn(F&& f, A&& a, B&& b, C&& c, D&& d, E&& e, Rest&&... rest) {
    SpawnAt({}, std::forward<F>(f), std::forward<A>(a), std::forward<B>(b), std::forward<C>(c),
            std::forward<D>(d), std::forward<E>(e), std::forward<Rest>(rest)...);
  }

  // The same as GreenPool::SpawnBy() does: throws PoolFull if there is no slot by `deadline`.
  template <typename F, typename... Args>
  requires Makes<F, Args...>
  void SpawnBy(internal::DeadlineHere deadline, F&& f, Args&&... args) {
    internal::CheckCallable<std::decay_t<F>>(f);
    Add([&] {
      auto slot = pool_.SlotBy(deadline.deadline);
      return pool_.SpawnInto(std::move(slot), deadline.site,
                             Call<std::decay_t<F>>{std::forward<F>(f)},
                             std::forward<Args>(args)...);
    });
  }

 private:
  friend class ResultRange<GreenPile<R>, ResultValue<R>>;

  // f, returning what the pile keeps.
  template <typename F>
  struct Call {
    F function;
    template <typename... Args>
    ResultValue<R> operator()(Args&&... args) {
      if constexpr (std::is_void_v<R>) {
        static_cast<void>(std::invoke(function, std::forward<Args>(args)...));
        return {};
      } else {
        return std::invoke(function, std::forward<Args>(args)...);
      }
    }
  };

  template <typename F, typename... Args>
  void SpawnAt(SourceLocation site, F&& f, Args&&... args) {
    internal::CheckCallable<std::decay_t<F>>(f);
    Add([&] {
      return pool_.SpawnAt(site, Call<std::decay_t<F>>{std::forward<F>(f)},
                           std::forward<Args>(args)...);
    });
  }
  template <typename SpawnIt>
  [[gnu::always_inline]] void Add(SpawnIt spawn) {
    // Readers do not take the pile for empty while this waits (row A3.16).
    struct Spawning {
      GreenPile& pile;
      explicit Spawning(GreenPile& p) : pile(p) { ++pile.spawning_; }
      ~Spawning() {
        --pile.spawning_;
        pile.reader_waits_for_spawner_.WakeAll();
      }
    } const spawning(*this);
    outstanding_.push_back(spawn());
  }

  bool Take(internal::Outcome<ResultValue<R>>& outcome, Deadline deadline) {
    const absl::Duration patience = deadline.Remaining();
    if (!reading_.Acquire(deadline)) throw TimeoutExpired(0, patience);
    struct Reading {
      Semaphore& semaphore;
      ~Reading() { semaphore.Release(); }
    } const reading{reading_};
    while (outstanding_.empty()) {
      if (spawning_ == 0) return false;
      if (!reader_waits_for_spawner_.Wait({"GreenPile: the next Spawn"}, deadline)) {
        throw TimeoutExpired(0, patience);
      }
    }
    if (!outstanding_.front().Join(deadline)) throw TimeoutExpired(0, patience);
    GreenThread<ResultValue<R>> done = std::move(outstanding_.front());
    outstanding_.pop_front();
    outcome.error = done.Error();
    if (!outcome.error) outcome.value.emplace(std::move(done).Wait());
    return true;
  }

  std::unique_ptr<GreenPool> own_pool_;
  GreenPool& pool_;
  std::deque<GreenThread<ResultValue<R>>> outstanding_;
  std::size_t spawning_ = 0;
  Semaphore reading_{1, "GreenPile: the reader before"};
  internal::Crowd reader_waits_for_spawner_;
};

static_assert(std::ranges::input_range<GreenPile<int>>);

}  // namespace verdant

#endif  // VERDANT_POOL_GREEN_PILE_H_
