#ifndef VERDANT_HUB_HUB_REMOTE_H_
#define VERDANT_HUB_HUB_REMOTE_H_

#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "hub/internal/mailbox.h"

namespace verdant {

class Hub;

// Hub::Remote: posts to a hub that may be gone: a handle for other threads that outlive the hub's.
// Copyable; any thread.
class HubRemote {
 public:
  explicit HubRemote(Hub& hub);
  // Like Hub::Post(); false, and `call` is destroyed here, once the hub is gone.
  bool Post(absl::AnyInvocable<void()> call) const { return mailbox_->Post(std::move(call)); }
  // Whether that is the hub it posts to.
  bool LeadsTo(const Hub& hub) const;

 private:
  std::shared_ptr<internal::Mailbox> mailbox_;
};

// Hub::Keepalive: while one exists, the hub does not take "nothing can ever run again" for granted,
// because another thread or a signal may yet Post(). May be moved to and destroyed on any thread,
// also after the hub.
class HubKeepalive {
 public:
  explicit HubKeepalive(Hub& hub);
  HubKeepalive(HubKeepalive&& other) noexcept : mailbox_(std::move(other.mailbox_)) {}
  HubKeepalive& operator=(HubKeepalive&& other) noexcept {
    std::swap(mailbox_, other.mailbox_);
    return *this;
  }
  ~HubKeepalive() {
    if (mailbox_ != nullptr) mailbox_->DropKeepalive();
  }

 private:
  std::shared_ptr<internal::Mailbox> mailbox_;
};

}  // namespace verdant

#endif  // VERDANT_HUB_HUB_REMOTE_H_
