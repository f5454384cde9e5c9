#ifndef VERDANT_POOL_GREEN_POOL_H_
#define VERDANT_POOL_GREEN_POOL_H_

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "greenlet/source_location.h"
#include "hub/green_thread.h"
#include "hub/spawn_calls.h"
#include "pool/imap_calls.h"
#include "pool/internal/deadline_here.h"
#include "pool/internal/inline_call.h"
#include "pool/internal/pool_slots.h"
#include "pool/pool_full.h"

namespace verdant {

// Green threads, but never more than `size` at a time. Rows A3.1-A3.12.
//
//   GreenPool pool(100);
//   for (const std::string& url : urls) pool.SpawnN(Visit, url);  // waits whenever 100 run
//   pool.WaitAll();
//
//   for (auto&& page : pool.Imap(Fetch, urls)) Index(page);       // 100 fetches at a time, pages
//   in the order of urls
//
// Spawners that wait are served in the order they came. The members keep running if the pool is
// destroyed before them; nobody may wait in it then.
//
// Its Spawn() and SpawnN(), declared in SpawnCalls, run f(args...), copies of both, in a green
// thread of its own as verdant::Spawn() does, waiting for a slot first if all are taken. An empty f
// is refused before. When the wait is interrupted nothing has happened, and `args` have not been
// moved from (row A3.8).
// SpawnN() is cheaper (row A3.4).
//
// A member of this pool never waits for a slot, because that could be for ever: when there is none
// left the call is made inline, and the handle returned is that of a green thread that has ended.
// What f throws comes out of its Wait(), or is reported with SpawnN() (row A3.3, decision 4), be it
// a GreenletExit that f met, or the end of a Timeout or of a Wait(deadline) of its own. Only what
// is aimed at the caller comes out of Spawn(): a Kill() of it, and what its Timeouts and Scopes,
// set up before the call, throw in it.
//
// Its Imap(), ImapUnordered(), Starmap(), Map() and MapAsync() are in ImapCalls. They make size()
// calls at a time, in green threads of their own that take none of the slots (row A3.9); a Resize()
// does not touch one under way.
//
// Threading: for green threads of one hub.
class GreenPool : public SpawnCalls<GreenPool>, public ImapCalls<GreenPool> {
 public:
  // Throws std::logic_error if `size` is negative. With 0 a Spawn() from outside waits until a
  // Resize().
  explicit GreenPool(std::int64_t size = 1000);
  GreenPool(const GreenPool&) = delete;
  GreenPool& operator=(const GreenPool&) = delete;
  ~GreenPool() { slots_->Unref(); }

  // Spawn() and SpawnN(), but never inline: throw PoolFull if there is no slot by `deadline`; one
  // that has passed, or zero, means to try (decision 2).
  template <typename F, typename... Args>
  requires internal::CallableWith<F, Args...>
  auto SpawnBy(internal::DeadlineHere deadline, F&& f, Args&&... args) {
    internal::CheckCallable<std::decay_t<F>>(f);
    return SpawnInto(SlotBy(deadline.deadline), deadline.site, std::forward<F>(f),
                     std::forward<Args>(args)...);
  }
  template <typename F, typename... Args>
  requires internal::CallableWith<F, Args...>
  void SpawnNBy(internal::DeadlineHere deadline, F&& f, Args&&... args) {
    internal::CheckCallable<std::decay_t<F>>(f);
    SpawnNInto(SlotBy(deadline.deadline), deadline.site, std::forward<F>(f),
               std::forward<Args>(args)...);
  }

  // Changes the size. Growing wakes as many waiting spawners as now fit, in order (decision 14);
  // below what runs, nothing is killed, and Free() is negative until enough have ended (row A3.5).
  // Throws std::logic_error if `size` is negative.
  void Resize(std::int64_t size) { slots_->Resize(size); }

  std::int64_t size() const { return slots_->size(); }
  // Members spawned and not ended; what runs inline is no member (row A3.6).
  std::size_t Running() const { return slots_->running(); }
  // How many more could be spawned now. A slot handed to a waiting spawner is not free.
  std::int64_t Free() const { return slots_->free(); }
  // Green threads waiting in Spawn() or SpawnN().
  std::size_t Waiting() const { return slots_->waiting(); }

  // Waits until no slot is taken: until all members have ended, those that members or waiting
  // spawners add meanwhile included; at once if there are none. False if `deadline` came first.
  // Throws std::logic_error in a member (row A3.7).
  bool WaitAll(Deadline deadline = Deadline::Never());

 private:
  template <typename R>
  friend class GreenPile;
  friend class ImapCalls<GreenPool>;
  friend class SpawnCalls<GreenPool>;

  template <typename F, typename... Args>
  using Member =
      internal::PoolMember<decltype(internal::Bind(std::declval<F>(), std::declval<Args>()...))>;

  template <typename F, typename... Args>
  auto SpawnAt(SourceLocation site, F&& f, Args&&... args) {
    using R = std::invoke_result_t<Member<F, Args...>&>;
    internal::CheckCallable<std::decay_t<F>>(f);
    Hub& hub = Hub::Current();
    if (FullForMember()) [[unlikely]] {
      internal::Task* task = internal::NewTask<R>(
          hub, site, internal::Bind(std::forward<F>(f), std::forward<Args>(args)...), true);
      return GreenThread<R>(internal::RunInline(task));
    }
    return SpawnInto(internal::PoolSlot(*slots_), site, std::forward<F>(f),
                     std::forward<Args>(args)...);
  }
  template <typename F, typename... Args>
  auto SpawnInto(internal::PoolSlot slot, SourceLocation site, F&& f, Args&&... args) {
    using R = std::invoke_result_t<Member<F, Args...>&>;
    Hub& hub = Hub::Current();
    internal::Task* task = internal::NewTask<R>(
        hub, site,
        Member<F, Args...>{std::move(slot),
                           internal::Bind(std::forward<F>(f), std::forward<Args>(args)...)},
        true);
    task->member_of = slots_;
    hub.Start(task);
    return GreenThread<R>(task);
  }

  template <typename F, typename... Args>
  void SpawnNAt(SourceLocation site, F&& f, Args&&... args) {
    internal::CheckCallable<std::decay_t<F>>(f);
    if (FullForMember()) [[unlikely]] {
      internal::RunInlineN(internal::NewTask<void>(
                               Hub::Current(), site,
                               Discarding(std::forward<F>(f), std::forward<Args>(args)...), false),
                           "GreenPool::SpawnN");
      return;
    }
    SpawnNInto(internal::PoolSlot(*slots_), site, std::forward<F>(f), std::forward<Args>(args)...);
  }
  template <typename F, typename... Args>
  void SpawnNInto(internal::PoolSlot slot, SourceLocation site, F&& f, Args&&... args) {
    using Call = decltype(Discarding(std::forward<F>(f), std::forward<Args>(args)...));
    Hub& hub = Hub::Current();
    internal::Task* task = internal::NewTask<void>(
        hub, site,
        internal::PoolMember<Call>{std::move(slot),
                                   Discarding(std::forward<F>(f), std::forward<Args>(args)...)},
        false);
    task->member_of = slots_;
    hub.Start(task);
  }
  // f(args...) bound, without its result.
  template <typename F, typename... Args>
  static auto Discarding(F&& f, Args&&... args) {
    auto call = internal::Bind(std::forward<F>(f), std::forward<Args>(args)...);
    return [call = std::move(call)]() mutable { static_cast<void>(call()); };
  }
  internal::PoolSlot SlotBy(Deadline deadline) {
    if (!slots_->Enter(deadline)) throw PoolFull();
    return internal::PoolSlot(*slots_, internal::PoolSlot::Entered());
  }

  bool FullForMember() const { return slots_->locked() && slots_->CallerIsMember(); }
  std::uint64_t ImapSize() const { return static_cast<std::uint64_t>(size()); }

  internal::PoolSlots* const slots_;
};

}  // namespace verdant

#endif  // VERDANT_POOL_GREEN_POOL_H_
