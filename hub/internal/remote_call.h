#ifndef VERDANT_HUB_INTERNAL_REMOTE_CALL_H_
#define VERDANT_HUB_INTERNAL_REMOTE_CALL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

#include "greenlet/exit.h"
#include "greenlet/source_location.h"
#include "hub/clock.h"
#include "hub/hub.h"
#include "hub/internal/shared_waiter.h"

namespace verdant::internal {

// A call to be made in a green thread of some hub, for whoever waits elsewhere. Kept by its handles
// and by the CallTicket that is on its way to be run.
class RemoteCall : public SharedState {
 public:
  explicit RemoteCall(SourceLocation site) : site_(site) {}

  // In the green thread that is to make it; nothing if it was cancelled before.
  static void Run(std::shared_ptr<RemoteCall> call) noexcept;

  // ---- On any thread. ----
  // Ends it with `error` if it has not begun.
  bool Cancel(const std::exception_ptr& error) noexcept;
  // The same, or has `error` thrown in it soon.
  void Kill(const std::exception_ptr& error);
  // Waits for its end; false if `deadline` came first. Counts as having seen its error.
  bool Await(Deadline deadline);

  bool begun() const { return stage_.load(std::memory_order_acquire) != Stage::kUnbegun; }
  bool done() const { return stage_.load(std::memory_order_acquire) == Stage::kDone; }
  // Once it is done.
  const std::exception_ptr& error() const { return error_; }
  void ErrorSeen();
  SourceLocation site() const { return site_; }

  void AddHandle() { handles_.fetch_add(1, std::memory_order_relaxed); }
  // An error that nobody has seen by the last of them goes to the error handler of its hub.
  void DropHandle() noexcept;
  bool OnlyHandle() const { return handles_.load(std::memory_order_acquire) == 1; }

 protected:
  // Makes the call and keeps its result.
  virtual void Invoke() = 0;
  // Destroys what the call captured, for good.
  virtual void DropBody() noexcept = 0;

 private:
  enum class Stage : std::uint8_t { kUnbegun, kBegun, kDone };
  struct Running;

  void Finish(std::exception_ptr error) noexcept;
  // With the mutex held: whether the error is to be reported, which is to be done once.
  bool TakeUnseen() noexcept;
  void Report() noexcept;

  const SourceLocation site_;
  std::atomic<Stage> stage_{Stage::kUnbegun};  // changed with the mutex held
  std::atomic<std::size_t> handles_{0};
  std::atomic<Task*> task_{nullptr};  // while it runs; to be used on its thread
  // Guarded by the mutex.
  SharedLine line_;
  bool error_seen_ = false;
  std::optional<Hub::Remote> home_;  // from when it begins
  // Fixed when it is done.
  std::exception_ptr error_;
};

// Its right to be run, once. One that is dropped cancels it, so that nobody waits in vain.
class CallTicket {
 public:
  explicit CallTicket(std::shared_ptr<RemoteCall> call) : call_(std::move(call)) {}
  CallTicket(CallTicket&&) noexcept = default;
  CallTicket& operator=(CallTicket&&) = delete;
  ~CallTicket() {
    if (call_ != nullptr) call_->Cancel(std::make_exception_ptr(GreenletExit()));
  }
  void operator()() { RemoteCall::Run(std::exchange(call_, nullptr)); }

 private:
  std::shared_ptr<RemoteCall> call_;
};

template <typename R>
class TypedCall : public RemoteCall {
 public:
  using RemoteCall::RemoteCall;
  R& result() { return *result_; }

 protected:
  template <typename Body>
  void Keep(Body& body) {
    result_.emplace(body());
  }

 private:
  std::optional<R> result_;
};
template <typename R>
class TypedCall<R&> : public RemoteCall {
 public:
  using RemoteCall::RemoteCall;
  R& result() { return *result_; }

 protected:
  template <typename Body>
  void Keep(Body& body) {
    result_ = &body();
  }

 private:
  R* result_ = nullptr;
};
template <>
class TypedCall<void> : public RemoteCall {
 public:
  using RemoteCall::RemoteCall;
  void result() {}

 protected:
  template <typename Body>
  void Keep(Body& body) {
    body();
  }
};

template <typename R, typename Body>
class BodyCall final : public TypedCall<R> {
 public:
  template <typename B>
  BodyCall(SourceLocation site, B&& b) : TypedCall<R>(site), body_(std::forward<B>(b)) {}
  // Its own end has destroyed the body; that of a hub that went meanwhile never is, since what it
  // refers to may be gone.
  ~BodyCall() override {}

 private:
  void Invoke() override { this->Keep(body_); }
  void DropBody() noexcept override { body_.~Body(); }

  union {
    Body body_;
  };
};

template <typename Body>
auto NewCall(SourceLocation site, Body&& body) {
  using Decayed = std::decay_t<Body>;
  using R = std::invoke_result_t<Decayed&>;
  return std::make_shared<BodyCall<R, Decayed>>(site, std::forward<Body>(body));
}

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_REMOTE_CALL_H_
