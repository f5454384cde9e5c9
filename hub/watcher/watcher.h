#ifndef VERDANT_HUB_WATCHER_WATCHER_H_
#define VERDANT_HUB_WATCHER_WATCHER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "hub/hub.h"
#include "hub/internal/links.h"

namespace verdant {

// What the watchers of this folder share: something that may happen outside the green threads, and
// a call made on the hub when it does. Row B8.5.
//
// The callback runs on the hub's stack between green threads. It may wake, spawn, send, kill, start
// and stop any watcher, and destroy its own; it must not block. What it throws goes to the hub's
// error handler, and the watcher goes on.
//
// Threading: for the thread whose hub was current when it was made; on any other Start() and Feed()
// throw std::logic_error. A watcher of a hub that has ended, or that was made before a fork and is
// used in the child, never calls.
class Watcher {
 public:
  using Callback = absl::AnyInvocable<void()>;

  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;
  // Of an active one stops it first.
  virtual ~Watcher();

  // Begins to watch, or stops; both idempotent. Stop() also takes back what pending() tells of.
  void Start();
  void Stop();
  // It was started and may still call.
  bool active() const { return active_; }
  // What it watches for has happened, or Feed() was called, and its callback is still to come.
  virtual bool pending() const { return fed_ != nullptr; }

  // Has the callback called at the hub's next turn as if what is watched had happened; once,
  // however often it is called until then. It need not be active.
  void Feed();

  // Whether this one, while active, is a reason for the hub to believe that something can still
  // happen: without one a wait that nothing else can end is a LoopExit, and Hub::Join() is done.
  void Ref();
  void Unref();
  bool ref() const { return ref_; }

  // Waits until it has happened, and its callback, if it has one, is about to be called; false if
  // `deadline` comes first, or if it is stopped or destroyed meanwhile. One that is not active is
  // started, and stopped again at the end, whatever ends it. A reason for the hub to believe that
  // something can happen, whatever ref() says. Several may wait. Row B8.9.
  bool Wait(Deadline deadline = Deadline::Never());

  // For Wait(), WaitAll() and so on of hub/wait.h: calls link() once, before the callback, when it
  // happens next, at once if that is pending(). Does not start it. Returns what Unlink() takes, or
  // 0 for one called already. See hub/internal/links.h for the rules; row B1.15.
  std::uint64_t Link(absl::AnyInvocable<void()> link) {
    return links_.Add(what_, pending(), std::move(link));
  }
  bool Unlink(std::uint64_t link) { return links_.Remove(link); }
  bool Ready() const { return pending(); }

 protected:
  // `what` names it in reports, a literal such as "a timer's callback".
  Watcher(const char* what, Callback callback, bool ref = true);

  // Begin and end to watch.
  virtual void Arm() = 0;
  virtual void Disarm() noexcept = 0;

  // It has happened: calls. The watcher may be gone afterwards.
  void Call() noexcept;
  // It has happened for the last time: not active any more.
  void Ended() noexcept;
  // For destructors of subclasses, while Disarm() is still theirs.
  void StopForGood() noexcept;
  // Its hub is this thread's.
  bool OnItsHub() const { return internal::current_hub == &hub_; }
  Hub& hub() const { return hub_; }

 private:
  struct Fed;
  struct WatcherWait;

  void CheckThread() const;
  void WakeWaiters(bool happened) noexcept;
  void StopIfNobodyWaits() noexcept;
  void UpdateKeepalive();

  Hub& hub_;
  const char* const what_;
  const std::shared_ptr<Callback> callback_;
  bool ref_;
  bool active_ = false;
  bool for_waiters_ = false;                 // active only because somebody waits
  std::optional<Hub::Keepalive> keepalive_;  // while active and ref()
  std::shared_ptr<Fed> fed_;
  internal::WaitList waiters_;
  internal::Links links_;
};

}  // namespace verdant

#endif  // VERDANT_HUB_WATCHER_WATCHER_H_
