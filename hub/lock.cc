#include "hub/lock.h"

#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "greenlet/internal/fiber.h"
#include "hub/internal/list.h"
#include "hub/internal/task.h"

namespace verdant {

namespace internal {

LockHolder LockHolder::Caller() {
  const auto* task = static_cast<const Task*>(CurrentFiber()->scheduled);
  if (task != nullptr) return Of(task);
  const bool in_callback = current_hub != nullptr && current_hub->OnHubStack();
  return {nullptr, in_callback ? kCallback : 0};
}

// The caller's wait for a lock, which is in vain once nothing can happen any more and whoever took
// the lock has ended.
class LockWait final : public VainWait {
 public:
  // `operation` is a literal. One that is not interrupted is only woken, with given_up() set.
  LockWait(const char* operation, const LockHolder& holder, bool interruptible = true)
      : operation_(operation),
        holder_(&holder),
        hub_(Hub::Current()),
        task_(hub_.CurrentTask()),
        interruptible_(interruptible),
        exception_(*this) {
    hub_.vain_waits().PushBack(this);
  }

  bool GiveUp() override {
    if (holder_ == nullptr || holder_->id == 0 || hub_.Find(holder_->id) != nullptr) return false;
    why_ = absl::StrCat(operation_, ": ",
                        holder_->id == LockHolder::kCallback
                            ? "a hub callback"
                            : absl::StrCat("green thread ", holder_->id));
    if (holder_->site.line() != 0) {
      absl::StrAppend(&why_, " spawned at ", holder_->site.file_name(), ":", holder_->site.line());
    }
    absl::StrAppend(&why_,
                    " took the lock and ended without releasing it, and nobody is left to do that");
    given_up_ = true;
    Unlink();
    if (interruptible_) {
      exception_.SetUpBy(task_->extras.get());
      hub_.Deliver(task_, &exception_);
    } else {
      hub_.Wake(task_);
    }
    return true;
  }

  const bool& given_up() const { return given_up_; }
  std::string& why() { return why_; }
  // The lock is there still.
  bool lock_lives() const { return holder_ != nullptr; }

  // The lock of this holder ends while some may wait for it.
  static void LockEnds(const LockHolder& holder, Hub& hub) {
    for (VainWait* node = hub.vain_waits().front(); node != nullptr;
         node = hub.vain_waits().next(node)) {
      // There are no others.
      auto* wait = static_cast<LockWait*>(node);
      if (wait->holder_ == &holder) wait->holder_ = nullptr;
    }
  }

 private:
  class Exception final : public Interrupt {
   public:
    explicit Exception(const LockWait& wait) : wait_(wait) {
      shields = UINT32_MAX;  // as for LoopExit, nothing else can come
    }
    [[noreturn]] void Raise() override { throw std::logic_error(wait_.why_); }

   private:
    const LockWait& wait_;
  };

  const char* const operation_;
  const LockHolder* holder_;  // null once the lock is gone
  Hub& hub_;
  Task* const task_;
  const bool interruptible_;
  bool given_up_ = false;
  std::string why_;
  Exception exception_;
};

}  // namespace internal

using internal::LockHolder;
using internal::LockWait;

// Of a hub that has ended nobody waits any more.
Lock::~Lock() {
  if (Hub* hub = semaphore_.waiters_hub(); hub != nullptr && hub == internal::current_hub) {
    LockWait::LockEnds(holder_, *hub);
  }
}

bool Lock::Acquire(Deadline deadline) {
  if (!TryAcquire()) {
    LockWait wait("Lock::Acquire", holder_);
    if (!semaphore_.Acquire(deadline)) return false;
    if (!wait.lock_lives()) return true;
    holder_ = LockHolder::Caller();
  }
  return true;
}

bool Lock::TryAcquire() {
  if (!semaphore_.TryAcquire()) return false;
  holder_ = LockHolder::Caller();
  return true;
}

void Lock::Release() {
  if (!locked()) throw std::logic_error("Lock::Release: it is not locked");
  semaphore_.Release();
}

std::size_t Lock::ReleaseAll() {
  semaphore_.Release();
  return 1;
}

std::string Lock::Reacquire(std::size_t) {
  std::string why;
  if (!TryAcquire()) {
    LockWait wait("Condition::Wait", holder_, /*interruptible=*/false);
    semaphore_.AcquireUninterrupted(wait.given_up());
    if (!wait.lock_lives()) return {};
    why = std::move(wait.why());
    holder_ = LockHolder::Caller();
  }
  return why;
}

RLock::~RLock() {
  if (Hub* hub = semaphore_.waiters_hub(); hub != nullptr && hub == internal::current_hub) {
    LockWait::LockEnds(owner_, *hub);
  }
}

bool RLock::Acquire(Deadline deadline) {
  if (TryAcquire()) return true;
  LockWait wait("RLock::Acquire", owner_);
  if (!semaphore_.Acquire(deadline)) return false;
  if (!wait.lock_lives()) return true;
  owner_ = LockHolder::Caller();
  depth_ = 1;
  return true;
}

bool RLock::TryAcquire() {
  const LockHolder self = LockHolder::Of(Hub::Current().CurrentTask());
  if (owner_ != self && !semaphore_.TryAcquire()) return false;
  owner_ = self;
  ++depth_;
  return true;
}

void RLock::Release() {
  if (!held()) throw std::logic_error("RLock::Release: the caller does not hold it");
  if (--depth_ > 0) return;
  owner_ = {};
  semaphore_.Release();
}

void RLock::ReinitAfterFork() {
  owner_ = {};
  depth_ = 0;
  semaphore_.ReinitAfterFork(1);
}

std::size_t RLock::ReleaseAll() {
  owner_ = {};
  const std::size_t depth = std::exchange(depth_, 0);
  semaphore_.Release();
  return depth;
}

std::string RLock::Reacquire(std::size_t depth) {
  std::string why;
  if (!semaphore_.TryAcquire()) {
    LockWait wait("Condition::Wait", owner_, /*interruptible=*/false);
    semaphore_.AcquireUninterrupted(wait.given_up());
    if (!wait.lock_lives()) return {};
    why = std::move(wait.why());
  }
  owner_ = LockHolder::Caller();
  depth_ = depth;
  return why;
}

}  // namespace verdant
