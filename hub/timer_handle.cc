#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hub/hub.h"
#include "hub/internal/task_timers.h"

namespace verdant {

struct TimerHandle::Call : internal::TimerNode, internal::CallNode {
  Call(Hub& h, absl::AnyInvocable<void()> f, SourceLocation s)
      : TimerNode(&Call::OnFire), hub(h), site(s), function(std::move(f)) {}
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
  const SourceLocation site;
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

TimerHandle Hub::ScheduleCall(absl::Duration delay, absl::AnyInvocable<void()> call,
                              SourceLocation site) {
  if (call == nullptr) throw std::logic_error("Hub::ScheduleCall of an empty function");
  auto timer = std::make_shared<TimerHandle::Call>(*this, std::move(call), site);
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

TimerHandle Hub::ScheduleCallLocal(absl::Duration delay, absl::AnyInvocable<void()> call,
                                   SourceLocation site) {
  if (call == nullptr) throw std::logic_error("Hub::ScheduleCallLocal of an empty function");
  if (OnHubStack()) return ScheduleCall(delay, std::move(call), site);
  // Not a reference to the green thread, which would keep its result and hide its error.
  auto unless_ended = [ended = CurrentTask()->Extras().Ended(), call = std::move(call)]() mutable {
    if (!*ended) call();
  };
  return ScheduleCall(delay, std::move(unless_ended), site);
}

std::string Hub::DumpTimers() const {
  using internal::ParkTimer;
  using internal::TimeoutTimer;
  std::string text;
  const std::int64_t now = clock_->NowNanos();
  for (const internal::TimerNode* node : timers_.Pending()) {
    absl::StrAppend(&text, "  in ", absl::FormatDuration(absl::Nanoseconds(node->deadline() - now)),
                    ": ");
    if (node->fire() == &TimerHandle::Call::OnFire) {
      const SourceLocation site = static_cast<const TimerHandle::Call*>(node)->site;
      absl::StrAppend(&text, "a call scheduled at ", site.file_name(), ":", site.line());
    } else if (node->fire() == &ParkTimer::OnFire) {
      const internal::Task* task = static_cast<const ParkTimer*>(node)->task;
      absl::StrAppend(&text, Describe(task), ": the deadline of ", task->operation);
    } else if (node->fire() == &TimeoutTimer::OnFire) {
      const auto* timeout = static_cast<const TimeoutTimer*>(node);
      absl::StrAppend(&text, Describe(timeout->task), ": a Timeout");
      if (timeout->doing != nullptr) absl::StrAppend(&text, " (", timeout->doing, ")");
    } else {
      absl::StrAppend(&text, "a watcher, or a library");
    }
    text += "\n";
  }
  return text;
}

void Hub::DropCalls() noexcept {
  while (internal::CallNode* call = calls_.front())
    static_cast<TimerHandle::Call*>(call)->Release();
}

}  // namespace verdant
