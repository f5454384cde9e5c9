#ifndef VERDANT_HUB_EVENT_H_
#define VERDANT_HUB_EVENT_H_

#include <cstdint>
#include <exception>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "hub/hub.h"
#include "hub/internal/home_thread.h"
#include "hub/internal/links.h"

namespace verdant {

// One value, or one exception, from whoever has it to everybody who waits for it, now or later.
// Rows A2.1-A2.8; waiters wake in the order they came. T must be copyable, since each waiter gets
// its own.
//
// Threading: belongs to the thread that makes it; on another Send(), Wait(), Link() and Reset()
// throw std::logic_error and change nothing (AsyncResult has a way for other threads). A build with
// NDEBUG notices only while somebody waits or has linked. Of an Event destroyed under its waiters
// nothing comes any more: they wait until killed or timed out.
template <typename T = bool>
class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  // Hands `value` to all who wait and all who will. Never yields: they run at the hub's next turn.
  // Throws std::logic_error if something was sent already (row A2.2).
  void Send(T value = T()) { Trigger(Outcome{std::move(value), nullptr}); }
  // The same with an exception, which every Wait() throws. Throws std::logic_error if it is null.
  void SendException(std::exception_ptr exception) {
    if (exception == nullptr) throw std::logic_error("Event::SendException of no exception");
    Trigger(Outcome{std::nullopt, std::move(exception)});
  }

  // Makes it fresh again; waiters that have been woken but have not run yet still get what was sent
  // (row A2.4). Throws std::logic_error if nothing was sent.
  void Reset() {
    home_.Check(kWhat);
    if (!Ready()) throw std::logic_error("Event::Reset of an event that was not sent");
    outcome_ = Outcome();
  }

  // Waits for the value; throws what was sent with SendException(). Inline for the sake of the
  // switch, as Hub::Yield() is.
  VERDANT_INLINE_SWITCHING T Wait() {
    home_.Check(kWhat);
    if (outcome_.value.has_value()) return *outcome_.value;
    if (outcome_.exception != nullptr) std::rethrow_exception(outcome_.exception);
    Hub& hub = Hub::Current();
    EventWaiter waiter(hub.CurrentTask());
    waiters_.PushBack(&waiter);
    hub.Park(waiter.task, {"Event::Wait"});
    if (waiter.outcome.exception != nullptr) std::rethrow_exception(waiter.outcome.exception);
    return *std::move(waiter.outcome.value);
  }
  // The same, or nothing if `deadline` comes first.
  std::optional<T> Wait(Deadline deadline) {
    home_.Check(kWhat);
    if (outcome_.value.has_value()) return outcome_.value;
    if (outcome_.exception != nullptr) std::rethrow_exception(outcome_.exception);
    Hub& hub = Hub::Current();
    EventWaiter waiter(hub.CurrentTask());
    waiters_.PushBack(&waiter);
    hub.Park(waiter.task, {"Event::Wait"}, deadline);
    if (waiter.outcome.exception != nullptr) std::rethrow_exception(waiter.outcome.exception);
    return std::move(waiter.outcome.value);
  }

  // Calls `link`, which must not block, when something is sent, before any waiter runs; at once if
  // it was already. Links are called in the order they were linked, once each; what one throws goes
  // to the hub's error handler and keeps nothing else from running (row B4.4, decision 6). Returns
  // what Unlink() takes, 0 if it was called at once.
  std::uint64_t Link(absl::AnyInvocable<void()> link) {
    home_.Check(kWhat);
    return links_.Add(kWhat, Ready(), std::move(link));
  }
  // True if the link was still to be called.
  bool Unlink(std::uint64_t link) { return links_.Remove(link); }

  // Sent, value or exception.
  bool Ready() const { return outcome_.sent(); }
  bool HasResult() const { return outcome_.value.has_value(); }
  bool HasException() const { return outcome_.exception != nullptr; }
  // Wait() that never waits: the value, nothing if none was sent yet; throws what was sent with
  // SendException(). Row A2.7.
  std::optional<T> TryWait() const {
    if (outcome_.exception != nullptr) std::rethrow_exception(outcome_.exception);
    return outcome_.value;
  }
  // The value if it was sent; never waits, throws nothing.
  std::optional<T> Poll() const { return outcome_.value; }
  std::exception_ptr PollException() const { return outcome_.exception; }

 private:
  struct Outcome {
    bool sent() const { return value.has_value() || exception != nullptr; }
    std::optional<T> value;
    std::exception_ptr exception;
  };
  struct EventWaiter : internal::Waiter {
    using Waiter::Waiter;
    // Its own copy from the moment of sending. A copy that fails is what it gets instead.
    void Give(const Outcome& sent) noexcept {
      try {
        outcome = sent;
      } catch (...) {
        outcome.value.reset();
        outcome.exception = std::current_exception();
      }
    }
    Outcome outcome;
  };

  void Trigger(Outcome outcome) {
    home_.Check(kWhat);
    if (Ready()) throw std::logic_error("Event::Send: something was sent already");
    links_.CheckThread(kWhat);
    while (internal::Waiter* waiter = waiters_.front()) {
      waiter->task->hub->Wake(waiter->task);
      static_cast<EventWaiter*>(waiter)->Give(outcome);
      waiter->Unlink();
    }
    outcome_ = std::move(outcome);
    links_.Notify(kWhat);
  }

  static constexpr char kWhat[] = "an Event";

  Outcome outcome_;
  internal::WaitList waiters_;
  internal::Links links_;
  [[no_unique_address]] internal::AssertedHomeThread home_;
};

}  // namespace verdant

#endif  // VERDANT_HUB_EVENT_H_
