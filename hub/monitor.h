#ifndef VERDANT_HUB_MONITOR_H_
#define VERDANT_HUB_MONITOR_H_

#include <cstddef>
#include <cstdint>
#include <functional>

#include "absl/time/time.h"
#include "hub/hub.h"

namespace verdant {

// Calls `call` every `period` on a thread beside the hub, as long as it exists, whatever the hub is
// doing: to look after a process that may hang. It is the thread that Hub::Options::
// blocking_threshold has, started now if need be, so whoever is called must be quick, must not
// throw, and may use nothing of the hub but Hub::Remote. Row B13.2 (add_monitoring_function).
//
// Throws std::logic_error for a period that is not above zero or an empty function.
//
// Threading: for the thread of the hub. The destructor waits for a call that is under way. With its
// hub it ends; in the child of a fork it does nothing.
class MonitoringFunction {
 public:
  MonitoringFunction(absl::Duration period, std::function<void()> call);
  MonitoringFunction(const MonitoringFunction&) = delete;
  MonitoringFunction& operator=(const MonitoringFunction&) = delete;
  ~MonitoringFunction();

 private:
  Hub* const hub_;
  std::uint64_t number_;
};

// What a MemoryMonitor tells, in bytes.
struct MemoryEvent {
  std::size_t used;
  std::size_t limit;
  bool exceeded;  // false: it is back below the limit
};

// Tells when the process takes more memory than it should, again when it has grown since, and when
// that is over: a MonitoringFunction. Row B13.3.
class MemoryMonitor {
 public:
  struct Options {
    std::size_t limit;                                 // bytes
    std::function<void(const MemoryEvent&)> on_event;  // on the monitor's thread
    absl::Duration period = absl::Seconds(5);
    // What is used now; empty: what the process has resident, as /proc/self/statm says.
    std::function<std::size_t()> used = {};
  };

  // Throws std::logic_error as MonitoringFunction does.
  explicit MemoryMonitor(Options options);

 private:
  MonitoringFunction function_;
};

}  // namespace verdant

#endif  // VERDANT_HUB_MONITOR_H_
