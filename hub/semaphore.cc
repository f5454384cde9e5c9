#include "hub/semaphore.h"

#include <algorithm>
#include <stdexcept>

namespace verdant {

struct Semaphore::SemaphoreWaiter : internal::Waiter {
  enum class Wants { kShare, kShareUninterrupted, kNews };

  SemaphoreWaiter(Semaphore* s, internal::Task* task, Wants w)
      : Waiter(task), semaphore(s), wants(w) {
    if (takes()) ++semaphore->waiting_;
    semaphore->waiters_.PushBack(this);
  }
  // Unwound: what was granted goes to the next one.
  ~SemaphoreWaiter() {
    if (semaphore == nullptr || !takes()) return;
    if (granted) {
      semaphore->Release();
    } else {
      --semaphore->waiting_;
    }
  }
  bool takes() const { return wants != Wants::kNews; }
  // It has been woken, and what it wants is its own.
  void Grant() {
    Unlink();
    semaphore->granted_.PushBack(this);
    granted = true;
    if (takes()) --semaphore->waiting_;
  }

  Semaphore* semaphore;  // null once that is gone, or has nothing to be told any more
  const Wants wants;
  bool granted = false;
};

Semaphore::Semaphore(std::int64_t count, const char* operation)
    : operation_(operation), count_(count) {
  if (count < 0) throw std::logic_error("Semaphore: the count must not be negative");
}

Semaphore::~Semaphore() { Abandon(); }

void Semaphore::Abandon() noexcept {
  for (internal::WaitList* list : {&waiters_, &granted_}) {
    while (internal::Waiter* waiter = list->PopFront()) {
      auto* told = static_cast<SemaphoreWaiter*>(waiter);
      told->semaphore = nullptr;
      // Nothing else would ever wake this one.
      if (told->wants == SemaphoreWaiter::Wants::kShareUninterrupted &&
          told->task->hub == internal::current_hub) {
        told->task->hub->Wake(told->task);
      }
    }
  }
}

void Semaphore::ReinitAfterFork(std::int64_t count) {
  Abandon();
  waiting_ = 0;
  count_ = count;
}

bool Semaphore::Acquire(Deadline deadline) {
  if (!locked()) {
    --count_;
    return true;
  }
  Hub& hub = Hub::Current();
  SemaphoreWaiter waiter(this, hub.CurrentTask(), SemaphoreWaiter::Wants::kShare);
  hub.Park(waiter.task, {operation_}, deadline);
  // Granted after the deadline but before this could run: it is ours all the same.
  if (waiter.granted) waiter.semaphore = nullptr;
  return waiter.granted;
}

bool Semaphore::AcquireUninterrupted() {
  if (!locked()) {
    --count_;
    return true;
  }
  Hub& hub = Hub::Current();
  SemaphoreWaiter waiter(this, hub.CurrentTask(), SemaphoreWaiter::Wants::kShareUninterrupted);
  while (!waiter.granted && waiter.semaphore != nullptr) {
    hub.ParkUninterrupted(waiter.task, {operation_});
  }
  const bool gone = waiter.semaphore == nullptr;
  waiter.semaphore = nullptr;
  return !gone;
}

bool Semaphore::TryAcquire() {
  if (count_ <= 0) return false;
  --count_;
  return true;
}

std::int64_t Semaphore::Wait(Deadline deadline) {
  if (!locked()) return count_;
  Hub& hub = Hub::Current();
  SemaphoreWaiter waiter(this, hub.CurrentTask(), SemaphoreWaiter::Wants::kNews);
  hub.Park(waiter.task, {"Semaphore::Wait"}, deadline);
  if (!waiter.granted || waiter.semaphore == nullptr) return 0;
  return std::max<std::int64_t>(count_, 0);
}

void Semaphore::Release() {
  auto* waiter = static_cast<SemaphoreWaiter*>(waiters_.front());
  if (waiter == nullptr && links_.unused()) {
    ++count_;
  } else if (waiter == nullptr || count_ < 0 || !waiter->takes()) {
    Adjust(1);
  } else {
    waiter->task->hub->Wake(waiter->task);
    waiter->Grant();
  }
}

void Semaphore::Adjust(std::int64_t change) {
  links_.CheckThread("a Semaphore");
  if (const internal::Waiter* first = waiters_.front();
      first != nullptr && first->task->hub != internal::current_hub) [[unlikely]] {
    // Refused before anything has changed.
    first->task->hub->Wake(first->task);
  }
  count_ += change;
  while (count_ > 0) {
    auto* waiter = static_cast<SemaphoreWaiter*>(waiters_.front());
    if (waiter == nullptr) {
      links_.Notify("a Semaphore", [this] { return Ready(); });
      return;
    }
    waiter->task->hub->Wake(waiter->task);
    waiter->Grant();
    if (waiter->takes()) --count_;
  }
}

}  // namespace verdant
