#ifndef VERDANT_POOL_THREAD_POOL_H_
#define VERDANT_POOL_THREAD_POOL_H_

#include <pthread.h>
#include <sys/types.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "absl/time/time.h"
#include "greenlet/source_location.h"
#include "hub/green_thread.h"
#include "hub/spawn_calls.h"
#include "hub/timeout.h"
#include "pool/imap_calls.h"
#include "pool/internal/deadline_here.h"
#include "pool/internal/thread_crew.h"
#include "pool/internal/thread_job.h"
#include "pool/pool_full.h"

namespace verdant {

class ThreadPool;

namespace internal {

template <typename T>
struct DestroyInPool;

// A call in the hands of a ThreadPool, for as long as somebody is interested in its outcome.
class ThreadTicket {
 public:
  // Waits for room if need be, then queues the call. Throws PoolFull if there is none by
  // `deadline`.
  ThreadTicket(ThreadPool& pool, std::shared_ptr<ThreadJob> job, Deadline deadline);
  ThreadTicket(ThreadTicket&& other) noexcept = default;
  ThreadTicket& operator=(ThreadTicket&&) = delete;
  // Takes the call back if no thread has begun it.
  ~ThreadTicket();
  // Queues a call, room or not, for nobody to wait for.
  static void Leave(ThreadPool& pool, std::shared_ptr<ThreadJob> job);
  // Waits for the outcome; false if `deadline` came first. Throws what interrupts the wait.
  bool Wait(Deadline deadline = Deadline::Never());

 private:
  std::shared_ptr<ThreadJob> job_;
  std::shared_ptr<ThreadCrew> crew_;
};

}  // namespace internal

// OS threads for calls that block, or compute for long, and know nothing of green threads: file
// I/O, compression, C libraries. Only the green thread that asks waits; the others run on. Rows
// A8.1-A8.7, B3.1-B3.4.
//
//   ThreadPool pool(4);
//   std::string text = pool.Apply(ReadWholeFile, path);
//
// f and its arguments are copied, or moved, into the call, which is made and destroyed on a thread
// of the pool; the result, or the exception, is delivered to the hub's thread. Threads are started
// as they are needed. They take no signals.
//
// Its Spawn(), declared in SpawnCalls, starts f(args...) and returns at once, with the handle of a
// green thread that waits for it: everything a GreenThread can do, that can (row B3.2). It waits
// for room first while max_size() calls run and another one waits for a thread. Killing the
// handle's green thread ends that wait alone, as with Apply().
//
// Its Imap(), ImapUnordered(), Starmap(), Map() and MapAsync() are in ImapCalls: f of each element,
// on up to max_size() threads at once (row B3.4). f is shared by all threads, and each call gets
// its own copy of its elements. The pool must outlive the results.
//
// An interrupted wait (Timeout, Kill) takes the call back if no thread has begun it. One that has
// begun goes on, since nothing can stop it, and its result is dropped; what it throws then goes to
// the hub's error handler. So what a call refers to must live until it has ended, not only while
// somebody waits: let it own what it needs. A call that forks may only exec or exit in the child.
//
// Threading: belongs to the hub of the thread that made it; every function but Apply() throws
// std::logic_error on another. In a forked child it has no threads until its first call, and the
// calls under way are the parent's.
class ThreadPool : public SpawnCalls<ThreadPool>, public ImapCalls<ThreadPool> {
 public:
  static constexpr std::int64_t kDefaultSize = 10;

  // At most `max_size` threads, of which an idle one ends after `idle_task_timeout` of real time;
  // infinite: never (row B3.1). With 0 every call is made inline, in the green thread that asks
  // (row A8.2). Throws std::logic_error if `max_size` is negative.
  explicit ThreadPool(std::int64_t max_size = kDefaultSize,
                      absl::Duration idle_task_timeout = absl::InfiniteDuration());
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  // Waits for nothing: what was asked for is still done and delivered, and the threads end after
  // it; those that still run when the process exits are cut off. Nobody may wait for room then.
  ~ThreadPool();

  // f(args...) on a thread of the pool: its result, or throws what it throws. A Timeout or Kill
  // ends the wait alone (row A8.3). Called on a thread of any ThreadPool it makes the call right
  // there (rows A8.1, B3.2). Throws std::logic_error in a hub callback, std::runtime_error if no
  // thread can be started.
  template <typename F, typename... Args>
  decltype(auto) Apply(F&& f, Args&&... args) {
    return ApplyBy(Deadline::Never(), std::forward<F>(f), std::forward<Args>(args)...);
  }
  // The same with one deadline for all of it: throws PoolFull if there was no room by then, and
  // TimeoutExpired if there was no outcome by then, which means for the call what an interrupted
  // wait means. One that has passed, or zero, suffices for a call that is made inline and for no
  // other.
  template <typename F, typename... Args>
  decltype(auto) ApplyBy(Deadline deadline, F&& f, Args&&... args) {
    internal::CheckCallable<std::decay_t<F>>(f);
    auto body = internal::Bind(std::forward<F>(f), std::forward<Args>(args)...);
    using Body = decltype(body);
    using R = std::invoke_result_t<Body&>;
    if (Inline()) return static_cast<R>(body());
    const absl::Duration patience = deadline.Remaining();
    auto call = std::make_shared<internal::ThreadCall<R, Body>>(*hub_, std::move(body));
    internal::ThreadTicket ticket(*this, call, deadline);
    if (!ticket.Wait(deadline)) throw TimeoutExpired(0, patience, "a call in an OS thread");
    return static_cast<R>(call->Take());
  }

  // Spawn(), but throws PoolFull if there is no room by `deadline`; one that has passed, or zero,
  // means to try.
  template <typename F, typename... Args>
  requires internal::CallableWith<F, Args...>
  auto SpawnBy(internal::DeadlineHere deadline, F&& f, Args&&... args) {
    return SpawnWith(deadline.site, deadline.deadline, std::forward<F>(f),
                     std::forward<Args>(args)...);
  }

  // Waits until no call is under way and nobody waits for room; false if `deadline` came first.
  bool Join(Deadline deadline = Deadline::Never());
  // Has all threads end once they have done what was asked for, and waits until they have; false if
  // `deadline` came first, as it does while a call does not return. Results are still delivered.
  // The next call starts new threads (rows A8.5, B3.3).
  bool KillAll(Deadline deadline = Deadline::Never());

  // Threads there are now, and how many there may be. Setting the size starts idle ones, or has
  // some end when they have nothing to do. Throws std::logic_error if a size is negative or above
  // max_size() (row B3.3).
  std::int64_t size() const;
  void SetSize(std::int64_t size);
  std::int64_t max_size() const { return max_size_; }
  void SetMaxSize(std::int64_t max_size);
  // Calls that run or wait for a thread, and green threads that wait for room for theirs.
  std::size_t Pending() const;
  std::size_t Waiting() const { return desk_->slots.waiting(); }

  // The calling thread is one of some ThreadPool's.
  static bool OnWorkerThread() { return internal::ThreadCrew::OnWorker(); }

 private:
  friend class internal::ThreadTicket;
  template <typename T>
  friend struct internal::DestroyInPool;
  friend class ImapCalls<ThreadPool>;
  friend class SpawnCalls<ThreadPool>;

  // f, shared by the calls of an imap, which may outlive it on their threads.
  template <typename F>
  struct Shared {
    template <typename... Args>
    decltype(auto) operator()(Args&&... args) {
      return pool->Apply(
          [f = function](std::decay_t<Args>&&... own) -> decltype(auto) {
            return std::invoke(*f, std::move(own)...);
          },
          std::forward<Args>(args)...);
    }
    ThreadPool* pool;
    std::shared_ptr<F> function;
  };

  template <typename F, typename... Args>
  auto SpawnAt(SourceLocation site, F&& f, Args&&... args) {
    return SpawnWith(site, Deadline::Never(), std::forward<F>(f), std::forward<Args>(args)...);
  }
  template <typename F, typename... Args>
  auto SpawnWith(SourceLocation site, Deadline deadline, F&& f, Args&&... args) {
    CheckThread();
    internal::CheckCallable<std::decay_t<F>>(f);
    auto body = internal::Bind(std::forward<F>(f), std::forward<Args>(args)...);
    using Body = decltype(body);
    using R = std::invoke_result_t<Body&>;
    std::optional<internal::ThreadTicket> ticket;
    std::shared_ptr<internal::ThreadCall<R, Body>> call;
    if (max_size_ > 0) {
      call = std::make_shared<internal::ThreadCall<R, Body>>(*hub_, std::move(body));
      ticket.emplace(*this, call, deadline);
    }
    return internal::SpawnAt(
        site,
        [call = std::move(call), ticket = std::move(ticket),
         body = ticket ? std::nullopt : std::optional<Body>(std::move(body))]() mutable -> R {
          if (body) return (*body)();
          ticket->Wait();
          return call->Take();
        });
  }

  // Has it destroyed on a thread of the pool, room or not, without waiting; here if that cannot be.
  template <typename T>
  void Destroy(std::unique_ptr<T> object) {
    if (internal::current_hub != hub_ || max_size_ == 0) return;
    auto body = [object = std::move(object)] {};
    using Call = internal::ThreadCall<void, decltype(body)>;
    internal::ThreadTicket::Leave(*this, std::make_shared<Call>(*hub_, std::move(body)));
  }

  std::uint64_t ImapSize() const {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(max_size_, 1));
  }
  template <typename F>
  Shared<std::decay_t<F>> ImapCall(F&& f) {
    CheckThread();
    return {this, std::make_shared<std::decay_t<F>>(std::forward<F>(f))};
  }

  // Calls are to be made by the caller itself.
  bool Inline() {
    if (OnWorkerThread()) return true;
    CheckThread();
    return max_size_ == 0;
  }
  // Throws std::logic_error on another thread than the pool's; begins anew in a forked child.
  void CheckThread() {
    if (internal::current_hub != hub_) [[unlikely]]
      OnAnotherHub();
  }
  void OnAnotherHub();
  internal::ThreadCrew& Crew();
  bool InForkedChild() const;

  Hub* hub_;
  pid_t process_;
  const pthread_t thread_;
  const absl::Duration idle_timeout_;
  std::int64_t max_size_;
  std::shared_ptr<internal::ThreadDesk> desk_;
  std::shared_ptr<internal::ThreadCrew> crew_;  // null until needed
};

}  // namespace verdant

#endif  // VERDANT_POOL_THREAD_POOL_H_
