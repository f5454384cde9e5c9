#ifndef VERDANT_HUB_WATCHER_SIGNAL_H_
#define VERDANT_HUB_WATCHER_SIGNAL_H_

#include <string>

#include "hub/internal/fd_table.h"
#include "hub/watcher/watcher.h"

namespace verdant {

// Calls on the hub when the process receives a signal: between green threads, never inside one, so
// that the callback may do anything a hub callback may (wake, spawn, kill) and destroy its watcher.
// Deliveries that come faster than the hub turns are merged, as the kernel's are. Unlike the other
// watchers it is active from the start, and by itself no reason for the hub to believe that
// something can still happen, until Ref(). Rows B8.5, B11.4.
//
// The handler that was installed before comes back while it is not active. One active watcher per
// signal and process: a second throws std::logic_error.
class SignalWatcher final : public Watcher, private internal::FdWatcher {
 public:
  // Throws std::logic_error for what is no signal or cannot be caught, std::runtime_error if there
  // is no descriptor left; as does Start().
  SignalWatcher(int signal_number, Callback callback);
  ~SignalWatcher() override { StopForGood(); }

  int signal_number() const { return signal_number_; }
  bool pending() const override;

 private:
  void Arm() override;
  void Disarm() noexcept override;
  void OnReady(std::uint32_t events) noexcept override;
  std::string Describe() const override { return "a signal watcher"; }

  const int signal_number_;
  int wake_fd_ = -1;  // not owned
};

}  // namespace verdant

#endif  // VERDANT_HUB_WATCHER_SIGNAL_H_
