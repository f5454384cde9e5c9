#include "hub/semaphore.h"

#include <algorithm>
#include <stdexcept>

namespace verdant {

Semaphore::Semaphore(std::int64_t count, const char* operation)
    : operation_(operation), count_(count) {
  if (count < 0) throw std::logic_error("Semaphore: the count must not be negative");
}

Semaphore::~Semaphore() { Abandon(); }

void Semaphore::Abandon() noexcept {
  first_waiting_ = nullptr;
  while (internal::Waiter* waiter = waiters_.PopFront()) {
    auto* told = static_cast<SemaphoreWaiter*>(waiter);
    told->semaphore = nullptr;
    // Nothing else would ever wake this one.
    if (told->wants == Wants::kShareUninterrupted && told->task->hub == internal::current_hub) {
      told->task->hub->Wake(told->task);
    }
  }
}

void Semaphore::ReinitAfterFork(std::int64_t count) {
  Abandon();
  waiting_ = 0;
  count_ = count;
  home_ = {};  // the child's one thread may be another than the one that made it
}

bool Semaphore::Acquire(Deadline deadline) {
  home_.Check(kWhat);
  if (!locked()) {
    --count_;
    return true;
  }
  Hub& hub = Hub::Current();
  SemaphoreWaiter waiter(this, hub.CurrentTask(), Wants::kShare);
  hub.Park(waiter.task, {operation_}, deadline);
  // Granted after the deadline but before this could run: it is ours all the same.
  if (waiter.granted) waiter.semaphore = nullptr;
  return waiter.granted;
}

bool Semaphore::AcquireUninterrupted(const bool& given_up) {
  home_.Check(kWhat);
  if (!locked()) {
    --count_;
    return true;
  }
  Hub& hub = Hub::Current();
  SemaphoreWaiter waiter(this, hub.CurrentTask(), Wants::kShareUninterrupted);
  while (!waiter.granted && waiter.semaphore != nullptr && !given_up) {
    hub.ParkUninterrupted(waiter.task, {operation_});
  }
  if (waiter.semaphore == nullptr || !waiter.granted) return false;
  waiter.semaphore = nullptr;
  return true;
}

bool Semaphore::TryAcquire() {
  home_.Check(kWhat);
  if (count_ <= 0) return false;
  --count_;
  return true;
}

std::int64_t Semaphore::Wait(Deadline deadline) {
  home_.Check(kWhat);
  if (!locked()) return count_;
  Hub& hub = Hub::Current();
  SemaphoreWaiter waiter(this, hub.CurrentTask(), Wants::kNews);
  hub.Park(waiter.task, {"Semaphore::Wait"}, deadline);
  if (!waiter.granted || waiter.semaphore == nullptr) return 0;
  return std::max<std::int64_t>(count_, 0);
}

void Semaphore::Release() {
  home_.Check(kWhat);
  SemaphoreWaiter* waiter = first_waiting_;
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
  home_.Check(kWhat);
  links_.CheckThread(kWhat);
  if (first_waiting_ != nullptr && first_waiting_->task->hub != internal::current_hub)
      [[unlikely]] {
    // Refused before anything has changed.
    first_waiting_->task->hub->Wake(first_waiting_->task);
  }
  std::int64_t count;
  if (__builtin_add_overflow(count_, change, &count)) {
    throw std::logic_error("a Semaphore released beyond what it can count");
  }
  count_ = count;
  while (count_ > 0) {
    SemaphoreWaiter* waiter = first_waiting_;
    if (waiter == nullptr) {
      links_.Notify(kWhat, [this] { return Ready(); });
      return;
    }
    waiter->task->hub->Wake(waiter->task);
    waiter->Grant();
    if (waiter->takes()) --count_;
  }
}

void Semaphore::GiveUp(SemaphoreWaiter& waiter) {
  if (waiter.granted) {
    if (waiter.takes()) Release();
    return;
  }
  if (first_waiting_ == &waiter)
    first_waiting_ = static_cast<SemaphoreWaiter*>(waiters_.next(&waiter));
  if (waiter.takes()) --waiting_;
}

}  // namespace verdant
