#ifndef VERDANT_POOL_GROUP_H_
#define VERDANT_POOL_GROUP_H_

#include <cstddef>
#include <cstdint>
#include <exception>
#include <list>
#include <optional>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "greenlet/source_location.h"
#include "hub/green_thread.h"
#include "hub/spawn_calls.h"
#include "pool/imap_calls.h"
#include "pool/internal/crowd.h"
#include "pool/internal/deadline_here.h"
#include "pool/internal/inline_call.h"
#include "pool/internal/member_thread.h"
#include "pool/internal/pool_slots.h"
#include "pool/pool_full.h"

namespace verdant {

// A set of green threads, to be waited for and killed together. A green thread leaves it when it
// ends, before those wake that wait for it. Rows B2.1-B2.8.
//
//   Group group;
//   group.SpawnN(Serve, connection);
//   group.Add(Spawn(Watch));
//   if (!group.Join(absl::Seconds(1))) group.Kill();
//
// With a size it is bounded, as gevent's Pool: whoever adds waits for room, in the order they came.
// Against GreenPool it knows its members, and takes in green threads that others spawned; that
// makes it dearer. The same exceptions are reported as of other green threads: those that nobody
// looked at.
//
// Its Spawn() and SpawnN(), declared in SpawnCalls, run f(args...) in a green thread of its own as
// verdant::Spawn() does, waiting for room first. When that is interrupted nothing has happened, and
// `args` have not been moved from. A member never waits here: if there is no room the call is made
// inline, exactly as GreenPool's Spawn() does it (row B2.6, decision 4).
//
// Its Imap(), ImapUnordered(), Starmap(), Map() and MapAsync() are in ImapCalls. They make as many
// calls at a time as the size says, in green threads that are no members and take no room;
// unbounded, all calls at once, so that an endless input wants ImapOptions::maxsize.
//
// Destroying it kills nobody: its members keep running. Nobody may wait in it then. It may be
// destroyed after their hub, as a static one is, and in the child of a fork, which has no members.
//
// Threading: for green threads of one hub. What does not wait, and Kill() and KillOne() with a
// deadline that has passed, may be called in hub callbacks.
class Group : public SpawnCalls<Group>, public ImapCalls<Group> {
 public:
  // Unbounded.
  Group();
  // Never more than `size` members; with 0 nobody ever gets in (row B2.5). Throws std::logic_error
  // if it is negative.
  explicit Group(std::int64_t size);
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  ~Group();

  // Takes in a green thread, one that has not started included; no effect if it has ended or is a
  // member already. Waits for room, also when called by a member. Throws PoolFull if there is none
  // by `deadline`; std::logic_error if it belongs to another hub.
  void Add(const AnyGreenThread& thread, Deadline deadline = Deadline::Never());
  // Lets go of a member, which runs on, and gives its room back; false if it was none.
  bool Discard(const AnyGreenThread& thread);

  // Spawn(), but never inline: throws PoolFull if there is no room by `deadline` (row B2.7).
  template <typename F, typename... Args>
  requires internal::CallableWith<F, Args...>
  auto SpawnBy(internal::DeadlineHere deadline, F&& f, Args&&... args) {
    internal::CheckCallable<std::decay_t<F>>(f);
    EnterBy(deadline.deadline);
    return SpawnEntered(deadline.site, std::forward<F>(f), std::forward<Args>(args)...);
  }

  // The result of f(args...), called by a member, or by the caller if that is one (row B2.2). The
  // place is recorded with up to four arguments.
  template <typename F>
  auto Apply(F&& f, SourceLocation site = SourceLocation::current()) {
    return ApplyAt(site, std::forward<F>(f));
  }
  template <typename F, typename A>
  requires internal::CallableWith<F, A>
  auto Apply(F&& f, A&& a, SourceLocation site = SourceLocation::current()) {
    return ApplyAt(site, std::forward<F>(f), std::forward<A>(a));
  }
  template <typename F, typename A, typename B>
  requires internal::CallableWith<F, A, B>
  auto Apply(F&& f, A&& a, B&& b, SourceLocation site = SourceLocation::current()) {
    return ApplyAt(site, std::forward<F>(f), std::forward<A>(a), std::forward<B>(b));
  }
  template <typename F, typename A, typename B, typename C>
  requires internal::CallableWith<F, A, B, C>
  auto Apply(F&& f, A&& a, B&& b, C&& c, SourceLocation site = SourceLocation::current()) {
    return ApplyAt(site, std::forward<F>(f), std::forward<A>(a), std::forward<B>(b),
                   std::forward<C>(c));
  }
  template <typename F, typename A, typename B, typename C, typename D>
  requires internal::CallableWith<F, A, B, C, D>
  auto Apply(F&& f, A&& a, B&& b, C&& c, D&& d, SourceLocation site = SourceLocation::current()) {
    return ApplyAt(site, std::forward<F>(f), std::forward<A>(a), std::forward<B>(b),
                   std::forward<C>(c), std::forward<D>(d));
  }
  template <typename F, typename A, typename B, typename C, typename D, typename E,
            typename... Rest>
  requires internal::CallableWith<F, A, B, C, D, E, Rest...>
  auto Apply(F&& f, A&& a, B&& b, C&& c, D&& d, E&& e, Rest&&... rest) {
    return ApplyAt({}, std::forward<F>(f), std::forward<A>(a), std::forward<B>(b),
                   std::forward<C>(c), std::forward<D>(d), std::forward<E>(e),
                   std::forward<Rest>(rest)...);
  }
  // A handle on f()'s result, which a member computes. Never waits: while there is no room a green
  // thread that is no member waits for it, and the group must outlive that (row B2.2).
  template <typename F>
  requires internal::CallableWith<F>
  auto ApplyAsync(F&& f, SourceLocation site = SourceLocation::current()) {
    using R = std::invoke_result_t<std::decay_t<F>&>;
    internal::CheckCallable<std::decay_t<F>>(f);
    if (!slots_->locked()) return GreenThread<R>(SpawnEnteredNow(site, std::forward<F>(f)));
    return verdant::Spawn(
        [this, site, f = std::decay_t<F>(std::forward<F>(f))]() mutable -> R {
          return SpawnAt(site, std::move(f)).Wait();
        },
        site);
  }
  // The same, and done(result), or done() where f returns nothing, is called when f has returned,
  // before those wake that wait for the result; not when it threw. What `done` throws goes to the
  // hub's error handler.
  template <typename F, internal::Callback Done>
  requires internal::CallableWith<F>
  auto ApplyAsync(F&& f, Done&& done, SourceLocation site = SourceLocation::current()) {
    auto thread = ApplyAsync(std::forward<F>(f), site);
    internal::MemberThread(thread).LinkWithoutLooking(
        [thread, done = std::decay_t<Done>(std::forward<Done>(done))]() mutable {
          if (!thread.Successful()) return;
          if constexpr (std::is_void_v<decltype(thread.Wait())>) {
            done();
          } else {
            done(thread.Wait());
          }
        });
    return thread;
  }

  // Waits until nobody is a member: true if that was so at some moment, at once if it is so now;
  // false if `deadline` came first. With raise_error it then throws the first exception, in the
  // order of the members' coming, among those that were members when it was called and have ended
  // by now, GreenletExit excepted. Throws std::logic_error in a member.
  bool Join(Deadline deadline = Deadline::Never(), bool raise_error = false);

  // Kills all members but the caller: first tells each, then waits for each to end; green threads
  // that come meanwhile are killed, too, and one that has been told by another Kill() under way is
  // not told again. True if they have ended; false if `deadline` came first, and with one that has
  // passed it does not wait at all (rows B2.1, B2.8).
  bool Kill(std::exception_ptr exception = std::make_exception_ptr(GreenletExit()),
            Deadline deadline = Deadline::Never());
  // Kills one member. True if it has ended or is none; it cannot be the caller.
  bool KillOne(const AnyGreenThread& thread,
               std::exception_ptr exception = std::make_exception_ptr(GreenletExit()),
               Deadline deadline = Deadline::Never());

  std::size_t size() const { return members_.size(); }
  bool empty() const { return members_.empty(); }
  bool Contains(const AnyGreenThread& thread) const { return Find(thread) != index_.end(); }
  // The members of this moment in the order they came, to be iterated over while they end.
  std::vector<AnyGreenThread> Members() const;

  // How many members it may have; nothing if unbounded.
  std::optional<std::int64_t> max_size() const;
  // How many more could get in now; INT64_MAX if unbounded. What was promised to somebody who waits
  // is not free.
  std::int64_t FreeCount() const;
  // Spawn() would wait; never if unbounded.
  bool Full() const { return slots_->locked(); }
  // Green threads waiting to add or spawn.
  std::size_t Waiting() const { return slots_->waiting(); }
  // Waits until it is not full, without taking anything: FreeCount() then, 0 if `deadline` came
  // first (row B2.7).
  std::int64_t WaitAvailable(Deadline deadline = Deadline::Never());

 private:
  friend class ImapCalls<Group>;
  friend class SpawnCalls<Group>;
  class KillUnderWay;

  struct Member {
    internal::MemberThread thread;
    internal::PoolSlot slot;
    std::uint64_t link = 0;
    bool told_to_end = false;
  };

  // Looked up in, never iterated over.
  using Index = std::unordered_map<const internal::Task*, std::list<Member>::iterator>;

  Index::const_iterator Find(const AnyGreenThread& thread) const {
    return index_.find(internal::MemberThread(thread).identity());
  }
  std::uint64_t ImapSize() const { return static_cast<std::uint64_t>(slots_->size()); }
  bool CallerIsMember() const { return index_.find(internal::CurrentIdentity()) != index_.end(); }
  void EnterBy(Deadline deadline) {
    if (!slots_->Enter(deadline)) throw PoolFull();
  }

  template <typename F, typename... Args>
  auto SpawnAt(SourceLocation site, F&& f, Args&&... args) {
    using R = std::invoke_result_t<decltype(internal::Bind(std::forward<F>(f),
                                                           std::forward<Args>(args)...))&>;
    internal::CheckCallable<std::decay_t<F>>(f);
    if (slots_->locked() && CallerIsMember()) [[unlikely]] {
      return GreenThread<R>(internal::RunInline(internal::NewTask<R>(
          Hub::Current(), site, internal::Bind(std::forward<F>(f), std::forward<Args>(args)...),
          true)));
    }
    EnterBy(Deadline::Never());
    return SpawnEntered(site, std::forward<F>(f), std::forward<Args>(args)...);
  }
  template <typename F, typename... Args>
  auto ApplyAt(SourceLocation site, F&& f, Args&&... args) {
    using R = std::invoke_result_t<decltype(internal::Bind(std::forward<F>(f),
                                                           std::forward<Args>(args)...))&>;
    internal::CheckCallable<std::decay_t<F>>(f);
    if (CallerIsMember()) {
      return static_cast<R>(internal::Bind(std::forward<F>(f), std::forward<Args>(args)...)());
    }
    return static_cast<R>(SpawnAt(site, std::forward<F>(f), std::forward<Args>(args)...).Wait());
  }
  template <typename F>
  auto SpawnEnteredNow(SourceLocation site, F&& f) {
    EnterBy(Deadline::Never());
    return SpawnEntered(site, std::forward<F>(f));
  }
  // With a slot entered.
  template <typename F, typename... Args>
  auto SpawnEntered(SourceLocation site, F&& f, Args&&... args) {
    internal::PoolSlot slot(*slots_, internal::PoolSlot::Entered());
    auto thread =
        internal::SpawnAt(site, internal::Bind(std::forward<F>(f), std::forward<Args>(args)...));
    Admit(thread, std::move(slot));
    return thread;
  }

  void Admit(const AnyGreenThread& thread, internal::PoolSlot slot);
  bool Remove(const internal::Task* identity);
  // Tells those that no kill under way has told yet.
  void TellAll(const std::exception_ptr& exception);
  bool OnlyCallerIsLeft() const;

  internal::PoolSlots* const slots_;
  std::list<Member> members_;  // in the order they came
  Index index_;
  std::size_t kills_under_way_ = 0;
  internal::Crowd killers_;  // wake when anybody comes or goes
};

}  // namespace verdant

#endif  // VERDANT_POOL_GROUP_H_
