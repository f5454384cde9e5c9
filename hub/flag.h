#ifndef VERDANT_HUB_FLAG_H_
#define VERDANT_HUB_FLAG_H_

#include <cstdint>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "hub/hub.h"
#include "hub/internal/home_thread.h"
#include "hub/internal/links.h"
#include "hub/internal/remote.h"

namespace verdant {

// On or off, and green threads that wait for on; may change any number of times. What gevent calls
// Event, rows B4.1, B4.3, B4.4.
//
// Whoever waits while it is set, for however short, is let through, even if it is cleared again
// before the waiter runs. Waiters go in the order they came: one that comes while those before it
// are on their way goes after them.
//
// Threading: belongs to the thread that makes it; every call throws std::logic_error on another,
// except on a Remote. Whoever waits when it is destroyed waits until killed or timed out.
class Flag {
 public:
  // `operation`, a literal, is what reports say that its waiters wait in.
  explicit Flag(bool set = false, const char* operation = "Flag::Wait")
      : set_(set), operation_(operation) {}
  Flag(const Flag&) = delete;
  Flag& operator=(const Flag&) = delete;

  // Turns it on: all who wait run at the hub's next turn. Never yields. No effect while it is on.
  void Set();
  // Turns it off. No effect while it is off.
  void Clear();

  // Waits until it is set; false if `deadline` came first. Yields only if it must wait or let
  // earlier ones pass. Throws std::logic_error if it had to wait in a hub callback.
  bool Wait(Deadline deadline = Deadline::Never());

  // It is set.
  bool Ready() const {
    home_.Check("a Flag");
    return set_;
  }

  // Calls `link`, which must not block, when it is next set, before any waiter runs; at once if it
  // is set. Links are called in the order they were linked, once each, all of them even if one
  // clears the flag; what one throws goes to the hub's error handler (row B4.4, decision 6).
  // Returns what Unlink() takes, 0 if it was called at once.
  std::uint64_t Link(absl::AnyInvocable<void()> link) {
    return links_.Add("a Flag", Ready(), std::move(link));
  }
  // True if the link was still to be called.
  bool Unlink(std::uint64_t link) { return links_.Remove(link); }

  // Sets and clears a Flag from any thread, row B4.3. Make it on the Flag's thread and hand it over
  // by value. While one exists, the Flag's hub does not take it that nothing can happen any more
  // (LoopExit).
  class Remote {
   public:
    explicit Remote(Flag& flag);
    // Done soon on the Flag's thread, between green threads, in the order asked for; nothing if it
    // no longer exists then. False once its hub is gone.
    bool Set() const {
      return access_.Post([](Flag& flag) { flag.Set(); });
    }
    bool Clear() const {
      return access_.Post([](Flag& flag) { flag.Clear(); });
    }

   private:
    internal::RemoteAccess<Flag> access_;
  };

 private:
  struct FlagWaiter;

  bool set_;
  const char* const operation_;
  const internal::HomeThread home_;
  internal::WaitList waiters_;
  internal::WaitList let_through_;  // but not yet back in Wait()
  internal::Links links_;
  internal::RemoteAnchor<Flag> anchor_;
};

}  // namespace verdant

#endif  // VERDANT_HUB_FLAG_H_
