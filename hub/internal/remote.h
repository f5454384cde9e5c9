#ifndef VERDANT_HUB_INTERNAL_REMOTE_H_
#define VERDANT_HUB_INTERNAL_REMOTE_H_

#include <memory>
#include <utility>

#include "hub/hub.h"

namespace verdant::internal {

// A member of what other threads may reach: knows whether that still exists. Made and destroyed on
// the thread of its hub.
template <typename Target>
class RemoteAnchor {
 public:
  // To be locked on that thread only, so that the target cannot go while it is used.
  std::weak_ptr<Target*> Reference(Target* target) {
    if (self_ == nullptr) self_ = std::make_shared<Target*>(target);
    return self_;
  }

 private:
  std::shared_ptr<Target*> self_;
};

// Runs calls on an object of another thread's hub, and keeps that hub from thinking that nothing
// can happen any more. Copyable, for any thread, may outlive object and hub.
template <typename Target>
class RemoteAccess {
 public:
  // On the thread of the target's hub.
  explicit RemoteAccess(std::weak_ptr<Target*> target)
      : way_(std::make_shared<const Way>(std::move(target))) {}

  // Has the hub run call(target) soon, in the order posted, if the target still exists then. False
  // once the hub is gone.
  template <typename Call>
  bool Post(Call call) const {
    return way_->hub.Post([target = way_->target, call = std::move(call)]() mutable {
      if (const std::shared_ptr<Target*> alive = target.lock()) call(**alive);
    });
  }

 private:
  struct Way {
    explicit Way(std::weak_ptr<Target*> t)
        : target(std::move(t)), hub(Hub::Current()), keepalive(Hub::Current()) {}
    std::weak_ptr<Target*> target;
    Hub::Remote hub;
    Hub::Keepalive keepalive;
  };
  std::shared_ptr<const Way> way_;
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_REMOTE_H_
