#include "hub/semaphore.h"

#include <stdexcept>

namespace verdant {

Semaphore::Semaphore(std::int64_t count, const char* operation)
    : operation_(operation), count_(count) {
  if (count < 0) throw std::logic_error("Semaphore: the count must not be negative");
}

Semaphore::~Semaphore() {
  while (internal::Waiter* waiter = waiters_.PopFront()) {
    static_cast<SemaphoreWaiter*>(waiter)->semaphore = nullptr;
  }
}

bool Semaphore::Acquire(Deadline deadline) {
  if (!locked()) {
    --count_;
    return true;
  }
  Hub& hub = Hub::Current();
  SemaphoreWaiter waiter(this, hub.CurrentTask());
  hub.Park(waiter.task, {operation_}, deadline);
  // Granted after the deadline but before this could run: it is ours all the same.
  if (waiter.granted) waiter.semaphore = nullptr;
  return waiter.granted;
}

bool Semaphore::TryAcquire() {
  if (count_ <= 0) return false;
  --count_;
  return true;
}

void Semaphore::Release() {
  ++count_;
  Serve();
}

void Semaphore::Adjust(std::int64_t change) {
  count_ += change;
  Serve();
}

void Semaphore::Serve() {
  while (count_ > 0 && first_waiting_ != nullptr) {
    SemaphoreWaiter* waiter = first_waiting_;
    waiter->task->hub->Wake(waiter->task);
    waiter->granted = true;
    first_waiting_ = static_cast<SemaphoreWaiter*>(waiters_.next(waiter));
    --waiting_;
    --count_;
  }
}

void Semaphore::GiveUp(SemaphoreWaiter& waiter) {
  if (waiter.granted) return Release();
  if (first_waiting_ == &waiter)
    first_waiting_ = static_cast<SemaphoreWaiter*>(waiters_.next(&waiter));
  --waiting_;
}

}  // namespace verdant
