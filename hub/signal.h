#ifndef VERDANT_HUB_SIGNAL_H_
#define VERDANT_HUB_SIGNAL_H_

#include <memory>

#include "absl/functional/any_invocable.h"
#include "hub/hub.h"

namespace verdant {

namespace internal {
class SignalReceiver;
}  // namespace internal

// Calls back on the hub when the process receives a signal: between green threads, never inside
// one, so that the callback may do anything a hub callback may (wake, spawn, kill) and destroy its
// watcher. Deliveries that come faster than the hub turns are merged, as the kernel's are. Does not
// by itself keep the hub from finding that nothing can happen. Rows B8.5, B11.4.
//
// The handler that was installed before comes back when the watcher goes. One watcher per signal
// and process: a second throws std::logic_error.
class SignalWatcher {
 public:
  SignalWatcher(int signal_number, absl::AnyInvocable<void()> on_signal);
  SignalWatcher(const SignalWatcher&) = delete;
  SignalWatcher& operator=(const SignalWatcher&) = delete;
  ~SignalWatcher();

 private:
  const int signal_number_;
  std::unique_ptr<internal::SignalReceiver> receiver_;
};

}  // namespace verdant

#endif  // VERDANT_HUB_SIGNAL_H_
