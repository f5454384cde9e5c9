#ifndef VERDANT_HUB_SHARED_EVENT_H_
#define VERDANT_HUB_SHARED_EVENT_H_

#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "hub/clock.h"
#include "hub/internal/shared_waiter.h"

namespace verdant {

// One value, or one exception, from whoever has it to everybody who waits for it, now or later, in
// the green threads of all hubs and on plain OS threads. Waiters wake in the order they came. T
// must be copyable, since each waiter gets its own copy, made where it runs: perhaps several at
// once. Unlike an Event it is for one time: there is no Reset().
//
// Threading: every function from any thread; who may wait, and how, is as for a SharedSemaphore.
// Destroyed before anything was sent: those that wait get a std::logic_error. To be made anew in
// the child of a fork.
template <typename T = bool>
class SharedEvent {
 public:
  static_assert(std::is_copy_constructible_v<T>, "each waiter gets its own");

  SharedEvent() = default;
  SharedEvent(const SharedEvent&) = delete;
  SharedEvent& operator=(const SharedEvent&) = delete;
  ~SharedEvent() { state_->ResumeAll(internal::SharedWaiter::Outcome::kClosed); }

  // Hands `value` to all who wait and all who will. Never waits. Throws std::logic_error if
  // something was sent already.
  void Send(T value = T()) {
    Trigger([&value](State& state) { state.value.emplace(std::move(value)); });
  }
  // The same with an exception, which every Wait() throws: the same object on every thread. Throws
  // std::logic_error if it is null.
  void SendException(std::exception_ptr exception) {
    if (exception == nullptr) throw std::logic_error("SharedEvent::SendException of no exception");
    Trigger([&exception](State& state) { state.exception = std::move(exception); });
  }

  // Waits for the value; throws what was sent with SendException().
  T Wait() { return *Wait(Deadline::Never()); }
  // The same, or nothing if `deadline` comes first.
  std::optional<T> Wait(Deadline deadline) {
    // The event may be destroyed as soon as this has been woken.
    const std::shared_ptr<State> state = state_;
    if (!state->Await(deadline)) return std::nullopt;
    if (state->exception != nullptr) std::rethrow_exception(state->exception);
    return state->value;
  }

  // Sent, value or exception.
  bool Ready() const { return state_->sent.load(std::memory_order_acquire); }
  bool HasResult() const { return Ready() && state_->value.has_value(); }
  bool HasException() const { return Ready() && state_->exception != nullptr; }
  // The value if it was sent; never waits, throws nothing.
  std::optional<T> Poll() const { return Ready() ? state_->value : std::nullopt; }
  std::exception_ptr PollException() const { return Ready() ? state_->exception : nullptr; }

 private:
  struct State final : internal::SharedState {
    // False if the deadline came first.
    bool Await(Deadline deadline) {
      if (sent.load(std::memory_order_acquire)) return true;
      internal::SharedWaiter waiter(*this, "SharedEvent::Wait");
      std::unique_lock<std::mutex> lock(mutex);
      if (sent.load(std::memory_order_relaxed)) return true;
      line.PushBack(waiter);
      const auto outcome = waiter.Wait(lock, deadline);
      if (outcome == internal::SharedWaiter::Outcome::kClosed) {
        throw std::logic_error("a SharedEvent was destroyed while somebody waited for it");
      }
      return outcome == internal::SharedWaiter::Outcome::kServed;
    }
    void ResumeAll(internal::SharedWaiter::Outcome outcome) {
      internal::WakeUps wake_ups;
      const std::lock_guard<std::mutex> lock(mutex);
      while (internal::SharedWaiter* waiter = line.front()) waiter->Resume(outcome, wake_ups);
    }

    // What was sent does not change once this is set.
    std::atomic<bool> sent{false};
    std::optional<T> value;
    std::exception_ptr exception;
    internal::SharedLine line;
  };

  template <typename Fill>
  void Trigger(Fill fill) {
    const std::shared_ptr<State> state = state_;
    internal::WakeUps wake_ups;
    const std::lock_guard<std::mutex> lock(state->mutex);
    if (state->sent.load(std::memory_order_relaxed)) {
      throw std::logic_error("SharedEvent::Send: something was sent already");
    }
    fill(*state);
    state->sent.store(true, std::memory_order_release);
    while (internal::SharedWaiter* waiter = state->line.front()) {
      waiter->Resume(internal::SharedWaiter::Outcome::kServed, wake_ups);
    }
  }

  const std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace verdant

#endif  // VERDANT_HUB_SHARED_EVENT_H_
