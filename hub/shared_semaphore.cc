#include "hub/shared_semaphore.h"

#include <mutex>
#include <stdexcept>

#include "hub/internal/shared_waiter.h"

namespace verdant {

using internal::SharedWaiter;
using internal::WakeUps;

struct SharedSemaphore::State final : internal::SharedState {
  explicit State(std::int64_t c) : count(c) {}

  // With the mutex held; there is room for it.
  void Add(std::int64_t change, WakeUps& wake_ups) noexcept {
    count += change;
    for (; count > 0 && !line.empty(); --count) {
      line.front()->Resume(SharedWaiter::Outcome::kServed, wake_ups);
    }
  }
  void TakeBack(SharedWaiter&, WakeUps& wake_ups) noexcept override { Add(1, wake_ups); }

  std::int64_t count;
  internal::SharedLine line;
};

SharedSemaphore::SharedSemaphore(std::int64_t count) : state_(std::make_shared<State>(count)) {
  if (count < 0) throw std::logic_error("SharedSemaphore: the count must not be negative");
}

SharedSemaphore::~SharedSemaphore() {
  WakeUps wake_ups;
  const std::lock_guard<std::mutex> lock(state_->mutex);
  while (SharedWaiter* waiter = state_->line.front()) {
    waiter->Resume(SharedWaiter::Outcome::kClosed, wake_ups);
  }
}

void SharedSemaphore::Acquire() { Acquire(Deadline::Never()); }

bool SharedSemaphore::Acquire(Deadline deadline) {
  // What there is is for nobody who waits, or they would not wait.
  if (TryAcquire()) return true;
  SharedWaiter waiter(*state_, "SharedSemaphore::Acquire");
  std::unique_lock<std::mutex> lock(state_->mutex);
  if (state_->count > 0) {
    --state_->count;
    return true;
  }
  state_->line.PushBack(waiter);
  const SharedWaiter::Outcome outcome = waiter.Wait(lock, deadline);
  if (outcome == SharedWaiter::Outcome::kClosed) {
    throw std::logic_error("a SharedSemaphore was destroyed while somebody waited for it");
  }
  return outcome == SharedWaiter::Outcome::kServed;
}

bool SharedSemaphore::TryAcquire() {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  if (state_->count <= 0) return false;
  --state_->count;
  return true;
}

void SharedSemaphore::Release(std::int64_t count) {
  if (count < 0) throw std::logic_error("SharedSemaphore::Release of less than nothing");
  // A waiter may destroy the semaphore as soon as it is served.
  const std::shared_ptr<State> state = state_;
  WakeUps wake_ups;
  const std::lock_guard<std::mutex> lock(state->mutex);
  if (std::int64_t sum; __builtin_add_overflow(state->count, count, &sum)) {
    throw std::logic_error("SharedSemaphore::Release beyond what it can count");
  }
  state->Add(count, wake_ups);
}

std::int64_t SharedSemaphore::count() const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->count;
}

std::size_t SharedSemaphore::waiting() const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->line.size();
}

}  // namespace verdant
