#include "hub/internal/wake_desk.h"

#include <stdexcept>
#include <utility>

namespace verdant::internal {
namespace {

// Made later than the thread's hub, and so gone before it.
struct DeskOwner {
  ~DeskOwner() {
    if (desk != nullptr) desk->HubGone();
  }
  std::shared_ptr<WakeDesk> desk;
};

constinit thread_local WakeDesk* current_desk = nullptr;
constinit thread_local Hub* gone_hub = nullptr;

// In the child of a fork the desk is the parent's, whose lock may be held by a thread that does not
// exist here: neither used nor destroyed.
void LeaveToParent(std::shared_ptr<WakeDesk> desk) {
  new std::shared_ptr<WakeDesk>(std::move(desk));
}

}  // namespace

WakeDesk& WakeDesk::Current() {
  Hub& hub = Hub::Current();
  if (current_desk != nullptr && current_desk->hub_ == &hub) [[likely]]
    return *current_desk;
  if (gone_hub == &hub) throw std::logic_error("a hub about to go cannot wait for other threads");
  static thread_local DeskOwner owner;
  if (owner.desk != nullptr) LeaveToParent(std::move(owner.desk));
  owner.desk = std::make_shared<WakeDesk>(hub);
  current_desk = owner.desk.get();
  return *current_desk;
}

void WakeDesk::HubGone() noexcept {
  if (current_hub == hub_) {
    gone_hub = hub_;
    while (DeskResident* resident = residents_.PopFront()) resident->OnHubGone();
    keepalive_.reset();
  }
  current_desk = nullptr;
}

void WakeDesk::Post() {
  remote_.Post([desk = shared_from_this()] { desk->MakeCalls(); });
}

void WakeDesk::MakeCalls() noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  posted_ = false;
  while (DeskCall* call = calls_.PopFront()) {
    call->made = true;
    hub_->Wake(call->task);
  }
}

}  // namespace verdant::internal
