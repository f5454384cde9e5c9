#ifndef VERDANT_HUB_METRICS_H_
#define VERDANT_HUB_METRICS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "hub/clock.h"
#include "hub/duration_histogram.h"
#include "hub/hub.h"

// Numbers about hubs for a monitoring system. A hub counts what it does anyway, a few additions a
// turn and none a switch; the rest is found out when it is asked for.
//
//   std::cout << PrometheusText(CollectMetrics(absl::Seconds(1)));

namespace verdant {

// One hub at one moment.
struct HubMetrics {
  std::uint64_t hub = 0;  // its number: the first of the process is 1
  int thread = 0;         // the kernel's number of its thread, and that thread's name
  std::string thread_name;
  // It has said what follows. If not it was stuck for as long as it was waited for: a call blocks
  // its thread, or a green thread computes without end. Then nothing but the above is known.
  bool answered = false;
  Hub::Counts counts;
  Hub::States states;
  // Each time green threads ran, until the hub looked at timers and descriptors again: while it
  // lasts, whatever comes must wait.
  DurationHistogram turn_times;
  // Each time timers fired: how long after its deadline the earliest of them did. How late the hub
  // was, in other words, on its own clock.
  DurationHistogram timer_lag;
};

// The calling thread's hub. Looks at each green thread once, some nanoseconds each.
HubMetrics CollectOwnMetrics();

// All hubs of the process, in the order of their numbers; those asked of another thread answer at
// their next turn. Who has not by `deadline` is in the result without an answer; one that ended
// meanwhile is not. From any thread: a green thread (or main greenlet) parks meanwhile, a thread
// without a hub blocks, and in a hub callback, where nothing may wait, it throws std::logic_error.
std::vector<HubMetrics> CollectMetrics(Deadline deadline = absl::Seconds(1));

// In the text format of Prometheus, version 0.0.4: to be sent as "text/plain; version=0.0.4". Each
// sample has the labels hub and thread. See docs/tracing.md for the list.
std::string PrometheusText(const std::vector<HubMetrics>& hubs);

}  // namespace verdant

#endif  // VERDANT_HUB_METRICS_H_
