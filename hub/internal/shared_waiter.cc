#include "hub/internal/shared_waiter.h"

#include <chrono>

namespace verdant::internal {

void SharedLine::PushBack(SharedWaiter& waiter) {
  waiter.line_ = this;
  waiters_.PushBack(&waiter);
  ++size_;
}

SharedWaiter::SharedWaiter(SharedState& state, const char* operation, How how)
    : operation_(operation) {
  if (current_hub != nullptr && how == How::kParksIfGreen) {
    task = current_hub->CurrentTask();
    desk_ = &WakeDesk::Current();
    desk_->Enter(*this);
    desk_->BeginWait();
  }
  state_ = state.shared_from_this();
}

SharedWaiter::Outcome SharedWaiter::Wait(std::unique_lock<std::mutex>& lock, Deadline deadline) {
  if (desk_ == nullptr) {
    Block(lock, deadline);
  } else {
    lock.unlock();
    Hub& hub = *desk_->hub();
    while (!made) {
      const WakeReason reason =
          deadline.never() ? hub.Park(task, {operation_}) : hub.Park(task, {operation_}, deadline);
      if (made || reason != WakeReason::kTimedOut) continue;
      // Served after the deadline, but before this could run: it counts all the same.
      lock.lock();
      LeaveLine();
      lock.unlock();
      break;
    }
  }
  Settle();
  return outcome_;
}

SharedWaiter::Outcome SharedWaiter::WaitUninterrupted(std::unique_lock<std::mutex>& lock) {
  if (desk_ == nullptr) {
    Block(lock, Deadline::Never());
  } else {
    lock.unlock();
    while (!made) desk_->hub()->ParkUninterrupted(task, {operation_});
  }
  Settle();
  return outcome_;
}

void SharedWaiter::Block(std::unique_lock<std::mutex>& lock, Deadline deadline) {
  std::condition_variable resumed;
  resumed_ = &resumed;
  using Clock = std::chrono::steady_clock;
  const Clock::time_point until{std::chrono::nanoseconds(deadline.nanos())};
  while (outcome_ == Outcome::kInLine) {
    if (deadline.never()) {
      resumed.wait(lock);
    } else if (resumed.wait_until(lock, until) == std::cv_status::timeout) {
      LeaveLine();
      break;
    }
  }
  lock.unlock();
}

void SharedWaiter::Resume(Outcome outcome, WakeUps& wake_ups) noexcept {
  LeaveLine();
  outcome_ = outcome;
  if (desk_ == nullptr) {
    resumed_->notify_one();
  } else if (desk_->hub() == current_hub) {
    made = true;
    desk_->hub()->Wake(task);
  } else if (desk_->Add(*this)) {
    wake_ups.Add(*desk_);
  }
}

void SharedWaiter::LeaveLine() noexcept {
  if (outcome_ != Outcome::kInLine || line_ == nullptr) return;
  DeskCall::Unlink();
  --line_->size_;
  line_ = nullptr;
}

// Has left the line, in whatever way.
void SharedWaiter::Settle() noexcept {
  if (desk_ != nullptr) {
    if (!made) desk_->Forget(*this);
    DeskResident::Unlink();
    desk_->EndWait();
  }
  state_ = nullptr;
}

void SharedWaiter::LeaveState() noexcept {
  WakeUps wake_ups;
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    LeaveLine();
    if (outcome_ == Outcome::kServed) state_->TakeBack(*this, wake_ups);
  }
  Settle();
}

}  // namespace verdant::internal
