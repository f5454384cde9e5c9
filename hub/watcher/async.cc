#include "hub/watcher/async.h"

namespace verdant {

struct AsyncWatcher::Shared {
  std::atomic<bool> sent{false};
  AsyncWatcher* watcher;  // the hub's thread's
};

AsyncWatcher::AsyncWatcher(Callback callback)
    : Watcher("an async watcher's callback", std::move(callback)),
      shared_(std::make_shared<Shared>()),
      sender_(Hub::Remote(hub()), shared_) {
  shared_->watcher = this;
}

AsyncWatcher::~AsyncWatcher() {
  StopForGood();
  shared_->watcher = nullptr;
}

void AsyncWatcher::Disarm() noexcept { shared_->sent = false; }

bool AsyncWatcher::pending() const { return shared_->sent || Watcher::pending(); }

void AsyncWatcher::Sender::Send() const {
  if (shared_->sent.exchange(true)) return;
  remote_.Post([shared = shared_] {
    // Taken back by a Stop().
    if (!shared->sent.exchange(false) || shared->watcher == nullptr) return;
    if (shared->watcher->active()) shared->watcher->Call();
  });
}

}  // namespace verdant
