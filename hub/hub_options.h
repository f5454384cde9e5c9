#ifndef VERDANT_HUB_HUB_OPTIONS_H_
#define VERDANT_HUB_HUB_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "hub/blocking.h"
#include "hub/clock.h"
#include "hub/stack_usage.h"

namespace verdant {

class Trace;

// What a hub is made with, as Hub::Options.
struct HubOptions {
  Clock* clock = nullptr;  // null: CLOCK_MONOTONIC
  // With a number, what is runnable runs in an order drawn from it rather than first in, first
  // out: another number, another interleaving, and the same number the same one again. Slower;
  // for tests, see hub/simulation.h.
  std::optional<std::uint64_t> order_seed = std::nullopt;
  std::size_t stack_size = 0;         // bytes for each green thread; 0: DefaultStackSize()
  bool report_stack_overflow = true;  // see InstallStackOverflowReporter()
  // 1 measures how deep each green thread uses its stack, N every Nth, 0 none: see
  // hub/stack_usage.h. Which ones is not random, so N should be prime to what a program repeats.
  std::size_t measure_stacks = DefaultStackMeasuring();
  // Decision 15: a second green thread that waits for the same direction of a file descriptor
  // gets a std::logic_error that names both. Without this both wait, and both wake.
  bool prevent_multiple_waiters = true;
  // "epoll", "io_uring", "poll" or "select" (rows A12.2, B8.8); null: as the environment's
  // VERDANT_HUB says, or epoll. Where the kernel is too old for io_uring, or forbids it, the hub
  // has epoll instead and a line on stderr says why. The last two scan all descriptors at every
  // look, and select takes only the first 1024.
  const char* poller = nullptr;
  // Tells of whatever keeps the hub from turning for longer while another green thread lives: a
  // call that blocks the thread, or computes without end; not what waits for a processor.
  // Infinite: off, and costs nothing. A thread of its own watches; a culprit in a system call is
  // not disturbed, one that computes is interrupted by SIGURG, to see where it is. Each place is
  // reported the first, second, fourth, eighth time (docs/health.md; rows A10.2, B13.1).
  absl::Duration blocking_threshold = DefaultBlockingThreshold();
  // Called on that thread with the report of several lines; empty: writes it to stderr. In a
  // HubGroup perhaps by several at once.
  std::function<void(const std::string&)> on_blocking = {};
  // Records the hub from its beginning; see hub/trace.h. Used when the hub is made, and may go.
  Trace* trace = nullptr;
};

}  // namespace verdant

#endif  // VERDANT_HUB_HUB_OPTIONS_H_
