#include "hub/condition.h"

#include <stdexcept>
#include <string>

namespace verdant {

struct Condition::ConditionWaiter : internal::Waiter {
  ConditionWaiter(Condition* c, internal::Task* t) : Waiter(t), condition(c) {
    ++condition->waiting_;
    condition->waiters_.PushBack(this);
  }
  ~ConditionWaiter() {
    if (condition == nullptr) return;
    Unlink();
    if (!notified) {
      --condition->waiting_;
    } else if (passes_on) {
      condition->WakeFirst(1, true);
    }
  }

  Condition* condition;  // null once that is gone, or has nothing to be told any more
  bool notified = false;
  bool passes_on = false;  // the notification was for some, not for all who waited
};

// The lock not held for a scope.
class Condition::Released {
 public:
  // `why` is told if the lock had to be taken over from one that has ended.
  Released(AnyLock lock, std::string& why)
      : lock_(lock), depth_(std::visit([](auto* l) { return l->ReleaseAll(); }, lock)), why_(why) {}
  Released(const Released&) = delete;
  Released& operator=(const Released&) = delete;
  ~Released() {
    why_ = std::visit([this](auto* lock) { return lock->Reacquire(depth_); }, lock_);
  }

 private:
  const AnyLock lock_;
  const std::size_t depth_;
  std::string& why_;
};

Condition::~Condition() {
  for (internal::WaitList* list : {&waiters_, &notified_}) {
    while (internal::Waiter* waiter = list->PopFront()) {
      static_cast<ConditionWaiter*>(waiter)->condition = nullptr;
    }
  }
}

bool Condition::Wait(Deadline deadline) {
  Hub& hub = Hub::Current();
  internal::Task* self = hub.CurrentTask();
  CheckHeld("Condition::Wait");
  std::string why;
  const bool notified = [&] {
    const Released released(lock_, why);
    ConditionWaiter waiter(this, self);
    hub.Park(self, {"Condition::Wait"}, deadline);
    // Notified after the deadline but before this could run: that counts.
    if (waiter.notified) waiter.condition = nullptr;
    return waiter.notified;
  }();
  if (!why.empty()) [[unlikely]]
    throw std::logic_error(why);
  return notified;
}

void Condition::Notify(std::size_t count) {
  CheckHeld("Condition::Notify");
  WakeFirst(count, true);
}

void Condition::NotifyAll() {
  CheckHeld("Condition::NotifyAll");
  WakeFirst(waiting_, false);
}

void Condition::WakeFirst(std::size_t count, bool passes_on) {
  for (; count > 0; --count) {
    auto* waiter = static_cast<ConditionWaiter*>(waiters_.front());
    if (waiter == nullptr) return;
    waiter->task->hub->Wake(waiter->task);
    waiter->Unlink();
    notified_.PushBack(waiter);
    waiter->notified = true;
    waiter->passes_on = passes_on;
    --waiting_;
  }
}

void Condition::CheckHeld(const char* what) const {
  home_.Check("a Condition");
  if (!std::visit([](const auto* lock) { return lock->HeldByCaller(); }, lock_)) {
    throw std::logic_error(std::string(what) + ": the lock is not held");
  }
}

}  // namespace verdant
