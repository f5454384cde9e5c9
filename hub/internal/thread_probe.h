#ifndef VERDANT_HUB_INTERNAL_THREAD_PROBE_H_
#define VERDANT_HUB_INTERNAL_THREAD_PROBE_H_

#include <cstdint>
#include <string>

namespace verdant::internal {

// Asks other threads what they run at the moment, by a signal that does nothing to who does not
// know of it (SIGURG): only there can that be read without a race.
class ThreadProbe {
 public:
  // Installs the handler, once, which hands on what is not for it to the one before. Called before
  // Ask(), where it may take time.
  static void Install();
  // Who runs on the thread of that number and where, as lines of text that are indented; a thread
  // that no signal reaches is said not to answer, after a second. On any other thread, one call
  // after the other.
  static std::string Ask(std::int64_t thread_id);
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_THREAD_PROBE_H_
