#include <memory>
#include <utility>

#include "hub/hub.h"

namespace verdant {

struct TimerHandle::Call : internal::TimerNode, internal::CallNode {
  Call(Hub& h, absl::AnyInvocable<void()> f)
      : TimerNode(&Call::OnFire), hub(h), function(std::move(f)) {}
  static void OnFire(TimerNode* node) {
    auto* call = static_cast<Call*>(node);
    const std::shared_ptr<Call> keep = call->Release();
    try {
      call->function();
    } catch (...) {
      call->hub.ReportUncaught("a timer's call", std::current_exception());
    }
  }

  std::shared_ptr<Call> Release() {
    CallNode::Unlink();
    return std::exchange(self, nullptr);
  }

  Hub& hub;
  absl::AnyInvocable<void()> function;
  std::shared_ptr<Call> self;  // while armed
};

bool TimerHandle::Cancel() {
  const std::shared_ptr<Call> call = call_.lock();
  if (call == nullptr || !call->armed()) return false;
  call->Disarm();
  call->Release();
  return true;
}

bool TimerHandle::pending() const {
  const std::shared_ptr<Call> call = call_.lock();
  return call != nullptr && call->armed();
}

TimerHandle Hub::ScheduleCall(absl::Duration delay, absl::AnyInvocable<void()> call) {
  auto timer = std::make_shared<TimerHandle::Call>(*this, std::move(call));
  const Deadline deadline(delay);
  TimerHandle handle;
  handle.call_ = timer;
  if (deadline.never()) return handle;
  timers_.Arm(*timer, deadline.nanos());
  TimerHandle::Call* raw = timer.get();
  raw->self = std::move(timer);
  calls_.PushBack(raw);
  return handle;
}

void Hub::DropCalls() noexcept {
  while (internal::CallNode* call = calls_.front())
    static_cast<TimerHandle::Call*>(call)->Release();
}

}  // namespace verdant
