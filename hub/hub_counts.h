#ifndef VERDANT_HUB_HUB_COUNTS_H_
#define VERDANT_HUB_HUB_COUNTS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace verdant {

// What a hub counts, as Hub::Counts.
struct HubCounts {
  std::size_t green_threads = 0;  // not ended
  std::size_t runnable = 0;
  std::size_t timers = 0;  // calls to come, and waits that have a deadline
  std::size_t waiting_for_io = 0;
  std::size_t readers = 0;  // green threads that wait to read, listeners interested in it
  std::size_t writers = 0;
  std::uint64_t turns = 0;         // visits to the readiness queue
  std::uint64_t switches = 0;      // green threads resumed
  std::uint64_t spawned = 0;       // green threads and greenlets that the hub has known
  std::uint64_t posted_calls = 0;  // run
  std::uint64_t sleeps = 0;        // until something woke it
  std::uint64_t poller_calls = 0;  // system calls of the poller
};

// The green threads of a hub by what they do, as Hub::States.
struct HubStates {
  std::size_t not_started = 0;
  std::size_t runnable = 0;  // or running, or aside in a greenlet's Switch()
  std::size_t waiting = 0;
  std::map<std::string, std::size_t> waiting_in;  // by operation
};

}  // namespace verdant

#endif  // VERDANT_HUB_HUB_COUNTS_H_
