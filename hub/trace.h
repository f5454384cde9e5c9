#ifndef VERDANT_HUB_TRACE_H_
#define VERDANT_HUB_TRACE_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "hub/hub.h"

namespace verdant {

namespace internal {
class TraceLog;
}  // namespace internal

// What hubs did last, for a picture of it: which green thread ran when and for how long, what it
// then waited for, who woke it, when the hub polled and slept. Each hub keeps its last so many
// events in a ring, so that a trace can be left on and be written when something has gone wrong.
//
//   Trace trace;
//   trace.Start();                    // this thread's hub; or Hub::Options::trace, for any
//   ...
//   const absl::Status written = trace.WriteTo("trace.json");  // to be opened by ui.perfetto.dev
//
// The file is in Chrome's Trace Event Format, JSON: a track for each hub; on it a slice for each
// run of a green thread, with its name, where it was spawned and by whom, how it stopped, and an
// arrow from whoever woke or spawned it; what the hub did in between; counters of what is runnable.
// Times are the machine's, also for a hub with a clock of its own.
//
// A hub that is not traced pays nothing for it; one that is, some 20 ns an event, of which a switch
// is one, a wake-up another. See docs/tracing.md.
//
// Threading: every function from any thread, but not two of Start() and Stop() at once.
class Trace {
 public:
  static constexpr std::size_t kDefaultEvents = std::size_t{1} << 16;

  // Of each hub its last `events_per_hub` events are kept, rounded up to a power of two, in 40
  // bytes each, which are taken as they are needed. The memory of hubs that have ended stays until
  // the trace is gone; beyond 256 hubs nothing is recorded.
  explicit Trace(std::size_t events_per_hub = kDefaultEvents);
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;
  ~Trace();

  // Records the calling thread's hub from now on; without effect on one that this does already.
  // False if it is one too many. Throws std::logic_error if another Trace records that hub,
  // std::bad_alloc when there is no memory for its events.
  bool Start();
  // Has another thread's hub do the same at its next turn, where failures go to its error handler;
  // false if it is gone. The trace may be gone by then.
  bool Start(const Hub::Remote& hub) const;
  // Ends it for all hubs: for the calling thread's at once, for others at their next turn. What was
  // recorded stays. Start() goes on from there.
  void Stop() noexcept;

  // Writes what is recorded, of all hubs, while they run on. Blocks the thread as writing blocks.
  // The error names the file, and what is wrong with it.
  absl::Status WriteTo(const std::string& path) const;
  absl::Status WriteTo(int fd) const;
  // The same for when no other function may be called: in a handler of SIGSEGV, SIGABRT or a signal
  // from outside, of whatever thread. Allocates by mmap() alone, takes no lock. 0, or the errno of
  // what failed. The trace must not go meanwhile.
  int WriteInSignalHandler(int fd) const noexcept;

 private:
  friend class Hub;
  const std::shared_ptr<internal::TraceLog> log_;
};

}  // namespace verdant

#endif  // VERDANT_HUB_TRACE_H_
