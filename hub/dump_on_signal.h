#ifndef VERDANT_HUB_DUMP_ON_SIGNAL_H_
#define VERDANT_HUB_DUMP_ON_SIGNAL_H_

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>

#include "hub/dump.h"

namespace verdant {

struct DumpOnSignalOptions {
  int fd = STDERR_FILENO;  // where it is written: stays the caller's, who keeps it open
  DumpOptions dump = {};
};

// While it exists, the signal has DumpAllHubs() written, by a thread of its own; for a look at a
// process that is in trouble:  kill -QUIT PID.  Each hub describes itself at its next turn. Of one
// that does not turn in time it is told what keeps it from that: who runs, and the stack, as the
// thread itself sees it when interrupted by SIGURG.
//
//   int main() {
//     verdant::DumpOnSignal dump;
//     ...
//
// Deliveries that come while a dump is written lead to one more. The handler that was installed
// before comes back when the object goes. In a forked child it is without effect, and the signal
// has its former meaning.
//
// Threading: made and destroyed on any one thread. Throws std::logic_error if there is one already
// or the signal cannot be caught, std::runtime_error if no thread is to be had.
class [[nodiscard]] DumpOnSignal {
 public:
  explicit DumpOnSignal(int signal_number = SIGQUIT, const DumpOnSignalOptions& options = {});
  DumpOnSignal(const DumpOnSignal&) = delete;
  DumpOnSignal& operator=(const DumpOnSignal&) = delete;
  // Waits for a dump that is being written.
  ~DumpOnSignal();

 private:
  static void* Main(void* self);

  const int signal_number_;
  const DumpOnSignalOptions options_;
  std::atomic<bool> stop_{false};
  pthread_t thread_;  // a bare one: in a forked child it can be forgotten
};

}  // namespace verdant

#endif  // VERDANT_HUB_DUMP_ON_SIGNAL_H_
