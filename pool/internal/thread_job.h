#ifndef VERDANT_POOL_INTERNAL_THREAD_JOB_H_
#define VERDANT_POOL_INTERNAL_THREAD_JOB_H_

#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "hub/hub.h"
#include "hub/semaphore.h"
#include "pool/internal/crowd.h"

namespace verdant::internal {

// The hub's side of a ThreadPool: who waits for what. Only the pool owns it; calls under way refer
// to it weakly, since they may outlive pool and hub on their threads.
struct ThreadDesk {
  explicit ThreadDesk(std::int64_t calls) : slots(calls, "ThreadPool: room for a call") {}

  void CallEnded() {
    slots.Release();
    over.WakeAll();
  }
  void CrewEnded() {
    --ending_crews;
    over.WakeAll();
  }

  Semaphore slots;  // for calls that run, or wait for a thread
  std::size_t ending_crews = 0;
  Crowd over;  // those that wait until something of this has ended
};

// One call on its way through an OS thread: filled in by the hub, run by the thread, and posted
// back.
class ThreadJob {
 public:
  explicit ThreadJob(Hub& hub) : hub_(&hub), remote_(hub), keepalive_(hub) {}
  ThreadJob(const ThreadJob&) = delete;
  ThreadJob& operator=(const ThreadJob&) = delete;
  virtual ~ThreadJob() = default;

  // On the OS thread: makes the call and posts the outcome to the hub.
  static void Perform(std::shared_ptr<ThreadJob> job) noexcept;

 protected:
  // Makes the call, keeps its outcome, and destroys what it captured.
  virtual void Run() noexcept = 0;

  std::exception_ptr error_;

 private:
  friend class ThreadTicket;
  void Deliver();

  Hub* const hub_;
  const Hub::Remote remote_;
  std::optional<Hub::Keepalive> keepalive_;
  // The hub's alone.
  std::weak_ptr<ThreadDesk> desk_;
  Task* waiter_ = nullptr;
  bool done_ = false;
  bool abandoned_ = false;
};

template <typename R>
struct ThreadResult {
  template <typename Body>
  void Keep(Body& body) {
    value.emplace(body());
  }
  R Take() { return *std::move(value); }
  std::optional<R> value;
};
template <typename R>
struct ThreadResult<R&> {
  template <typename Body>
  void Keep(Body& body) {
    value = &body();
  }
  R& Take() { return *value; }
  R* value = nullptr;
};
template <>
struct ThreadResult<void> {
  template <typename Body>
  void Keep(Body& body) {
    body();
  }
  void Take() {}
};

template <typename R, typename Body>
class ThreadCall final : public ThreadJob {
 public:
  ThreadCall(Hub& hub, Body&& body) : ThreadJob(hub), body_(std::move(body)) {}

  // What the call returned, or throws what it threw. Once.
  R Take() {
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
    return result_.Take();
  }

 private:
  void Run() noexcept override {
    try {
      result_.Keep(*body_);
    } catch (...) {
      error_ = std::current_exception();
    }
    body_.reset();
  }

  std::optional<Body> body_;
  ThreadResult<R> result_;
};

}  // namespace verdant::internal

#endif  // VERDANT_POOL_INTERNAL_THREAD_JOB_H_
