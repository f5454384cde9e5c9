#include "net/stop_signal.h"

namespace verdant::net {

void StopSignal::Stop() {
  if (stopped_) return;
  stopped_ = true;
  const std::shared_ptr<Calls> calls = calls_;
  while (!calls->by_order.empty()) {
    auto first = calls->by_order.extract(calls->by_order.begin());
    first.mapped()();
  }
}

StopSignal::Watch StopSignal::OnStop(absl::AnyInvocable<void()> call) {
  if (stopped_) {
    call();
    return Watch();
  }
  const std::uint64_t key = calls_->next++;
  calls_->by_order.emplace(key, std::move(call));
  return Watch(calls_, key);
}

}  // namespace verdant::net
