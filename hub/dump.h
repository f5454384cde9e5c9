#ifndef VERDANT_HUB_DUMP_H_
#define VERDANT_HUB_DUMP_H_

#include <cstddef>
#include <string>

#include "absl/time/time.h"

namespace verdant {

struct DumpOptions {
  // Each green thread below the one that spawned it (Hub::DumpTree()), rather than by age alone.
  bool as_tree = true;
  // Lines for each hub; then it says how many more green threads there are.
  std::size_t most = 1000;
  // Also what each hub's timers and listeners are (Hub::DumpTimers(), DumpListeners()).
  bool timers_and_listeners = false;
  // How long hubs of other threads are waited for, which answer at their next turn.
  absl::Duration patience = absl::Seconds(1);
};

// What all hubs of the process are doing, for people to read: for each a line with its thread, its
// poller and its counts, then a line for each green thread. A hub that does not turn in time is
// said to be stuck. Row B13.5: print_run_info, format_run_info.
//
// On any thread, with or without a hub. A green thread that calls it is parked until the others
// have answered; in a hub callback, where nothing can park, the thread is blocked instead.
std::string DumpAllHubs(const DumpOptions& options = {});

}  // namespace verdant

#endif  // VERDANT_HUB_DUMP_H_
