#ifndef VERDANT_TESTS_POOL_SETTLE_H_
#define VERDANT_TESTS_POOL_SETTLE_H_

#include <cstdint>

#include "hub/green_thread.h"
#include "hub/hub.h"

namespace verdant {

// Lets everything runnable come to rest.
inline void Settle() {
  for (int i = 0; i < 20; ++i) Sleep();
}

// How often a green thread was resumed so far.
inline std::uint64_t Switches() { return Hub::Current().counts().switches; }

}  // namespace verdant

#endif  // VERDANT_TESTS_POOL_SETTLE_H_
