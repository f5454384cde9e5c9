#include "hub/watcher/watcher.h"

#include <stdexcept>
#include <utility>

namespace verdant {

struct Watcher::Fed {
  Watcher* watcher;  // null once that is gone or was stopped
};

struct Watcher::WatcherWait : internal::Waiter {
  using Waiter::Waiter;
  bool over = false;
  bool happened = false;
};

Watcher::Watcher(const char* what, Callback callback, bool ref)
    : hub_(Hub::Current()),
      what_(what),
      callback_(std::make_shared<Callback>(std::move(callback))),
      ref_(ref) {}

Watcher::~Watcher() {
  if (fed_ != nullptr) fed_->watcher = nullptr;
  if (OnItsHub()) WakeWaiters(false);
}

void Watcher::CheckThread() const {
  if (!OnItsHub()) throw std::logic_error("a watcher belongs to another thread's hub");
}

void Watcher::Start() {
  CheckThread();
  for_waiters_ = false;
  if (active_) return;
  Arm();
  active_ = true;
  UpdateKeepalive();
}

void Watcher::Stop() {
  StopForGood();
  if (OnItsHub()) WakeWaiters(false);
}

void Watcher::StopForGood() noexcept {
  for_waiters_ = false;
  if (fed_ != nullptr) std::exchange(fed_, nullptr)->watcher = nullptr;
  if (!active_) return;
  Disarm();
  Ended();
}

void Watcher::Ended() noexcept {
  active_ = false;
  keepalive_.reset();
}

void Watcher::UpdateKeepalive() {
  if (active_ && ref_) {
    if (!keepalive_) keepalive_.emplace(hub_);
  } else {
    keepalive_.reset();
  }
}

void Watcher::Ref() {
  ref_ = true;
  UpdateKeepalive();
}

void Watcher::Unref() {
  ref_ = false;
  UpdateKeepalive();
}

void Watcher::Feed() {
  CheckThread();
  if (fed_ != nullptr) return;
  fed_ = std::make_shared<Fed>(Fed{this});
  hub_.Post([fed = fed_] {
    Watcher* watcher = fed->watcher;
    if (watcher == nullptr) return;
    watcher->fed_ = nullptr;
    watcher->Call();
  });
}

void Watcher::Call() noexcept {
  WakeWaiters(true);
  // A link and the callback may end this object.
  const std::shared_ptr<Callback> callback = callback_;
  const char* const what = what_;
  Hub& hub = hub_;
  links_.Notify(what);
  const bool gone = callback.use_count() == 1;
  if (gone || *callback == nullptr) return;
  try {
    (*callback)();
  } catch (...) {
    hub.ReportUncaught(what, std::current_exception());
  }
}

void Watcher::WakeWaiters(bool happened) noexcept {
  while (auto* waiter = static_cast<WatcherWait*>(waiters_.PopFront())) {
    waiter->over = true;
    waiter->happened = happened;
    hub_.Wake(waiter->task);
  }
  StopIfNobodyWaits();
}

void Watcher::StopIfNobodyWaits() noexcept {
  if (for_waiters_ && waiters_.empty()) StopForGood();
}

bool Watcher::Wait(Deadline deadline) {
  CheckThread();
  WatcherWait waiter(hub_.CurrentTask());
  const Hub::Keepalive keepalive(hub_);
  if (!active_) {
    Start();
    for_waiters_ = true;
  }
  waiters_.PushBack(&waiter);
  struct Leave {
    ~Leave() {
      // Once it is over, the watcher may be gone.
      if (waiter.over) return;
      waiter.Unlink();
      watcher.StopIfNobodyWaits();
    }
    Watcher& watcher;
    WatcherWait& waiter;
  } const leave{*this, waiter};
  hub_.Park(waiter.task, {"Watcher::Wait"}, deadline);
  return waiter.happened;
}

}  // namespace verdant
