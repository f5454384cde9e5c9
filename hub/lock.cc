#include "hub/lock.h"

#include <stdexcept>
#include <utility>

namespace verdant {

void Lock::Release() {
  if (!locked()) throw std::logic_error("Lock::Release: it is not locked");
  semaphore_.Release();
}

std::size_t Lock::ReleaseAll() {
  semaphore_.Release();
  return 1;
}

RLock::Owner RLock::Caller() {
  Hub& hub = Hub::Current();
  return hub.OnHubStack() ? Owner{} : Of(hub.CurrentTask());
}

bool RLock::Acquire(Deadline deadline) {
  const Owner self = Of(Hub::Current().CurrentTask());
  if (owner_ == self) {
    ++depth_;
    return true;
  }
  if (!semaphore_.Acquire(deadline)) return false;
  owner_ = self;
  depth_ = 1;
  return true;
}

bool RLock::TryAcquire() {
  const Owner self = Of(Hub::Current().CurrentTask());
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

void RLock::Reacquire(std::size_t depth) {
  if (!semaphore_.AcquireUninterrupted()) return;  // it is gone
  owner_ = Of(Hub::Current().CurrentTask());
  depth_ = depth;
}

}  // namespace verdant
