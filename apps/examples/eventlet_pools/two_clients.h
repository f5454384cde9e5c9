#ifndef VERDANT_APPS_EXAMPLES_EVENTLET_POOLS_TWO_CLIENTS_H_
#define VERDANT_APPS_EXAMPLES_EVENTLET_POOLS_TWO_CLIENTS_H_

#include <cstdint>

#include "absl/time/time.h"

namespace verdant::examples {

// Two clients of a web server on a loopback port. The slow one comes first, sends half a request
// and the rest when the quick one has its answer, or after `patience`. Prints who has an answer, in
// the order in which they get it.
void AskSlowlyAndQuickly(std::uint16_t port, absl::Duration patience);

}  // namespace verdant::examples

#endif  // VERDANT_APPS_EXAMPLES_EVENTLET_POOLS_TWO_CLIENTS_H_
