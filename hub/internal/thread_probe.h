#ifndef VERDANT_HUB_INTERNAL_THREAD_PROBE_H_
#define VERDANT_HUB_INTERNAL_THREAD_PROBE_H_

#include <sys/types.h>

#include "absl/functional/function_ref.h"

namespace verdant::internal {

// Has another thread call a function between two of its instructions, by a signal that does nothing
// to who does not know of it (SIGURG): only there can what it runs be read without a race.
class ThreadProbe {
 public:
  // Called in a signal handler on that thread, in the midst of anything, with the handler's third
  // argument: may neither allocate nor lock.
  using Look = absl::FunctionRef<void(const void* context)>;

  // Installs the handler, once, which hands on what is not for it to the one before. Call() does
  // so as well; before it, it can be done where it may take time.
  static void Install();

  // True when the thread of that number has called `look` and returned from it; false when no
  // signal has reached it for so many seconds, and then it never will call it. A system call that
  // it waits in may end early (EINTR). Any thread, also several at once.
  static bool Call(pid_t thread, int seconds, Look look);
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_THREAD_PROBE_H_
