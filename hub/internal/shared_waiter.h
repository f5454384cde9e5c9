#ifndef VERDANT_HUB_INTERNAL_SHARED_WAITER_H_
#define VERDANT_HUB_INTERNAL_SHARED_WAITER_H_

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include "hub/clock.h"
#include "hub/internal/list.h"
#include "hub/internal/wake_desk.h"

namespace verdant::internal {

class SharedWaiter;

// The part of what several threads share that outlives it while anybody waits.
class SharedState : public std::enable_shared_from_this<SharedState> {
 public:
  SharedState() = default;
  SharedState(const SharedState&) = delete;
  SharedState& operator=(const SharedState&) = delete;
  virtual ~SharedState() = default;

  // Never held across a switch.
  std::mutex mutex;

 private:
  friend class SharedWaiter;
  // With the mutex held: `waiter` had been served, but has left without noticing, killed or
  // abandoned by its hub. What it got is the next one's.
  virtual void TakeBack(SharedWaiter& /*waiter*/, WakeUps& /*wake_ups*/) noexcept {}
};

// Those that wait for one thing, first come, first served. Guarded by their state's mutex.
class SharedLine {
 public:
  SharedWaiter* front() const;
  bool empty() const { return waiters_.empty(); }
  std::size_t size() const { return size_; }
  void PushBack(SharedWaiter& waiter);

 private:
  friend class SharedWaiter;
  List<DeskCall> waiters_;
  std::size_t size_ = 0;
};

// Somebody who waits for something shared: a green thread, which parks, or a thread without a hub,
// which blocks. Lives on the stack of the waiting call.
//
// A waker touches it only with the mutex held, and has left it on its hub's desk, if anywhere, when
// it lets go. Whoever leaves (deadline, kill, end of the hub) takes the mutex, and then is either
// served or in line, and strikes itself from line and desk: nobody knows of it any more.
class SharedWaiter : private DeskCall, private DeskResident {
 public:
  enum class Outcome : std::uint8_t { kInLine, kServed, kClosed };
  enum class How : std::uint8_t { kParksIfGreen, kBlocksThread };

  // Throws std::logic_error in a hub callback, which must not wait. `operation`, a literal, is what
  // reports say that it waits in.
  SharedWaiter(SharedState& state, const char* operation, How how = How::kParksIfGreen);
  SharedWaiter(const SharedWaiter&) = delete;
  SharedWaiter& operator=(const SharedWaiter&) = delete;
  // One that derives from it and has members that TakeBack() looks at must Leave() in its own.
  ~SharedWaiter() override { Leave(); }

  // Waits, with `lock` held on the state's mutex and this in a line, until it has been resumed or
  // `deadline` has come: then it is in line no more, but its outcome still says so. Throws what is
  // aimed at the green thread. The lock is free afterwards.
  Outcome Wait(std::unique_lock<std::mutex>& lock, Deadline deadline);
  // The same without a deadline; what is aimed at the green thread is left for its next wait.
  Outcome WaitUninterrupted(std::unique_lock<std::mutex>& lock);

  // With the mutex held, of one in line: takes it out and has it run.
  void Resume(Outcome outcome, WakeUps& wake_ups) noexcept;

 protected:
  // Idempotent.
  void Leave() noexcept {
    if (state_ != nullptr) LeaveState();
  }

 private:
  friend class SharedLine;

  void Block(std::unique_lock<std::mutex>& lock, Deadline deadline);
  void LeaveLine() noexcept;
  void Settle() noexcept;
  void LeaveState() noexcept;
  void OnHubGone() noexcept override { Leave(); }

  std::shared_ptr<SharedState> state_;  // null once it has left
  const char* const operation_;
  WakeDesk* desk_ = nullptr;                    // null: blocks its thread
  std::condition_variable* resumed_ = nullptr;  // of one that does
  // Guarded by the mutex until it is resumed.
  SharedLine* line_ = nullptr;
  Outcome outcome_ = Outcome::kInLine;
};

inline SharedWaiter* SharedLine::front() const {
  return static_cast<SharedWaiter*>(waiters_.front());
}

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_SHARED_WAITER_H_
