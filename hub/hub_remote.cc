#include "hub/hub_remote.h"

#include "hub/hub.h"

namespace verdant {

HubRemote::HubRemote(Hub& hub) : mailbox_(hub.mailbox()) {}

bool HubRemote::LeadsTo(const Hub& hub) const { return mailbox_ == hub.mailbox(); }

HubKeepalive::HubKeepalive(Hub& hub) : mailbox_(hub.mailbox()) { mailbox_->AddKeepalive(); }

}  // namespace verdant
