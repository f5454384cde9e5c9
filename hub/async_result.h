#ifndef VERDANT_HUB_ASYNC_RESULT_H_
#define VERDANT_HUB_ASYNC_RESULT_H_

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <variant>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "hub/internal/home_thread.h"
#include "hub/internal/links.h"
#include "hub/internal/remote.h"
#include "hub/timeout.h"

namespace verdant {

// Where a result, or an exception, will be put for everybody who waits for it: like Event, but the
// last one put there counts, and there are ways to have a green thread or another OS thread put it.
// Rows B4.2-B4.4. Waiters wake in the order they came and get what is there when they run. T must
// be copyable, since each waiter gets its own; void for the mere fact.
//
// Threading: belongs to the thread that makes it; every call throws std::logic_error on another,
// except on a Remote. Whoever waits when it is destroyed waits until killed or timed out; whoever
// was woken before still gets the result.
template <typename T>
class AsyncResult {
 public:
  static_assert(!std::is_reference_v<T>, "put a pointer there");
  // Stands for T where a void cannot.
  using Value = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

  AsyncResult() = default;
  AsyncResult(const AsyncResult&) = delete;
  AsyncResult& operator=(const AsyncResult&) = delete;

  // Puts a value there, instead of what was. Never yields: waiters run at the hub's next turn.
  void Set(Value value = Value()) {
    home_.Check(kWhat);
    outcome_->error = nullptr;
    outcome_->value = std::move(value);
    Notify();
  }
  // The same with an exception, which Get() throws. Throws std::logic_error if it is null.
  void SetException(std::exception_ptr error) {
    home_.Check(kWhat);
    if (error == nullptr) throw std::logic_error("AsyncResult::SetException with no exception");
    outcome_->value.reset();
    outcome_->error = std::move(error);
    Notify();
  }

  // Waits for the result; throws the exception that was put there instead, or TimeoutExpired if
  // `deadline` comes first; std::logic_error if it had to wait in a hub callback.
  T Get(Deadline deadline = Deadline::Never()) {
    const absl::Duration patience = deadline.Remaining();
    const std::shared_ptr<const Outcome> outcome = WaitUntil(deadline, "AsyncResult::Get");
    if (outcome == nullptr) throw TimeoutExpired(0, patience);
    if (outcome->error != nullptr) std::rethrow_exception(outcome->error);
    if constexpr (!std::is_void_v<T>) return *outcome->value;
  }
  // The result if it is there; throws the exception that is there instead. Never waits.
  std::optional<Value> TryGet() const {
    home_.Check(kWhat);
    if (outcome_->error != nullptr) std::rethrow_exception(outcome_->error);
    return outcome_->value;
  }
  // Waits like Get(), but is empty for an exception and when `deadline` came first.
  std::optional<Value> Wait(Deadline deadline = Deadline::Never()) {
    const std::shared_ptr<const Outcome> outcome = WaitUntil(deadline, "AsyncResult::Wait");
    return outcome != nullptr ? outcome->value : std::nullopt;
  }

  // A value or an exception is there.
  bool Ready() const {
    home_.Check(kWhat);
    return outcome_->ready();
  }
  // A value is there.
  bool Successful() const {
    home_.Check(kWhat);
    return outcome_->value.has_value();
  }
  // The value if it is there; never waits, throws nothing that was put there.
  std::optional<Value> Poll() const {
    home_.Check(kWhat);
    return outcome_->value;
  }
  // The exception if one is there.
  std::exception_ptr Error() const {
    home_.Check(kWhat);
    return outcome_->error;
  }

  // Calls `link`, which must not block, when something is put there, before any waiter runs; at
  // once if something is. Links are called in the order they were linked, once each; what one
  // throws goes to the hub's error handler (row B4.4, decision 6). Returns what Unlink() takes, 0
  // if it was called at once.
  std::uint64_t Link(absl::AnyInvocable<void()> link) {
    return links_.Add(kWhat, Ready(), std::move(link));
  }
  // True if the link was still to be called.
  bool Unlink(std::uint64_t link) { return links_.Remove(link); }

  // Is set to what `thread` returns or throws when it ends, at once if it has; a GreenletExit if it
  // was killed. Any number of green threads may be followed; the last to end counts. Counts as
  // somebody having looked at its error.
  template <typename R>
  void Follow(const GreenThread<R>& thread) {
    home_.Check(kWhat);
    // Not with a handle in the link, which would keep one that never starts for ever.
    thread.Link([target = anchor_.Reference(this)](const GreenThread<R>& ended) {
      if (const std::shared_ptr<AsyncResult*> alive = target.lock()) (*alive)->SetFrom(ended);
    });
  }

  // Sets an AsyncResult from any thread, row B4.3. Make it on the AsyncResult's thread and hand it
  // over by value. While one exists, that thread's hub does not take it that nothing can happen any
  // more (LoopExit).
  class Remote {
   public:
    explicit Remote(AsyncResult& result)
        : access_((result.home_.Check(kWhat), result.anchor_.Reference(&result))) {}
    // Done soon on the AsyncResult's thread, between green threads, in the order asked for; nothing
    // if it no longer exists then. False, and `value` is destroyed here, once its hub is gone.
    bool Set(Value value = Value()) const {
      return access_.Post([value = std::move(value)](AsyncResult& result) mutable {
        result.Set(std::move(value));
      });
    }
    // Throws std::logic_error if `error` is null.
    bool SetException(std::exception_ptr error) const {
      if (error == nullptr) throw std::logic_error("AsyncResult::SetException with no exception");
      return access_.Post([error = std::move(error)](AsyncResult& result) mutable {
        result.SetException(std::move(error));
      });
    }

   private:
    internal::RemoteAccess<AsyncResult> access_;
  };

 private:
  static constexpr const char* kWhat = "an AsyncResult";

  // Shared with waiters, who may run when the AsyncResult is gone.
  struct Outcome {
    bool ready() const { return value.has_value() || error != nullptr; }
    std::optional<Value> value;
    std::exception_ptr error;
  };

  void Notify() {
    while (internal::Waiter* waiter = waiters_.PopFront()) waiter->task->hub->Wake(waiter->task);
    links_.Notify(kWhat);
  }

  // Null if the deadline came first.
  std::shared_ptr<const Outcome> WaitUntil(Deadline deadline, const char* operation) {
    home_.Check(kWhat);
    std::shared_ptr<const Outcome> outcome = outcome_;
    if (!outcome->ready()) {
      Hub& hub = Hub::Current();
      internal::Waiter waiter(hub.CurrentTask());
      waiters_.PushBack(&waiter);
      hub.Park(waiter.task, {operation}, deadline);
      if (!outcome->ready()) return nullptr;
    }
    return outcome;
  }

  template <typename R>
  void SetFrom(const GreenThread<R>& ended) {
    std::exception_ptr error;
    try {
      if constexpr (std::is_void_v<R>) {
        ended.Wait();
        Set();
      } else {
        Set(ended.Wait());
      }
      return;
    } catch (...) {
      error = std::current_exception();
    }
    SetException(std::move(error));
  }

  const internal::HomeThread home_{};
  const std::shared_ptr<Outcome> outcome_ = std::make_shared<Outcome>();
  internal::WaitList waiters_;
  internal::Links links_;
  internal::RemoteAnchor<AsyncResult> anchor_;
};

}  // namespace verdant

#endif  // VERDANT_HUB_ASYNC_RESULT_H_
