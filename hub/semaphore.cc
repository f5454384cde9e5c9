#include "hub/semaphore.h"

#include <stdexcept>

namespace verdant {

struct Semaphore::SemaphoreWaiter : internal::Waiter {
  SemaphoreWaiter(Semaphore* s, internal::Task* task) : Waiter(task), semaphore(s) {
    ++semaphore->waiting_;
    semaphore->waiters_.PushBack(this);
  }
  // Unwound: what was granted goes to the next one.
  ~SemaphoreWaiter() {
    if (semaphore == nullptr) return;
    if (granted) {
      semaphore->Release();
    } else {
      --semaphore->waiting_;
    }
  }

  Semaphore* semaphore;  // null once that is gone, or has nothing to be told any more
  bool granted = false;
};

Semaphore::Semaphore(std::int64_t count, const char* operation)
    : operation_(operation), count_(count) {
  if (count < 0) throw std::logic_error("Semaphore: the count must not be negative");
}

Semaphore::~Semaphore() {
  for (internal::WaitList* list : {&waiters_, &granted_}) {
    while (internal::Waiter* waiter = list->PopFront()) {
      static_cast<SemaphoreWaiter*>(waiter)->semaphore = nullptr;
    }
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
  while (count_ > 0) {
    auto* waiter = static_cast<SemaphoreWaiter*>(waiters_.front());
    if (waiter == nullptr) return;
    waiter->task->hub->Wake(waiter->task);
    waiter->Unlink();
    granted_.PushBack(waiter);
    waiter->granted = true;
    --waiting_;
    --count_;
  }
}

}  // namespace verdant
