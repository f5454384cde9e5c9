#ifndef VERDANT_HUB_SLEEP_H_
#define VERDANT_HUB_SLEEP_H_

#include "absl/time/time.h"
#include "hub/hub.h"

namespace verdant {

// Suspends the caller for `duration`; zero or less lets everything runnable run first and comes
// back (row A1.1). Those who never do more than that starve neither timers nor I/O: the hub looks
// at both at the end of each of its turns (row B1.19). Throws std::logic_error in a hub callback.
void Sleep(absl::Duration duration);
VERDANT_INLINE_SWITCHING inline void Sleep() { Hub::Current().Yield(); }

// Sleep() of one that only works in the background: Hub::Join() does not wait for it, and if
// nothing else can happen any more there is a LoopExit although it would wake (row B1.17).
void BackgroundSleep(absl::Duration duration);

// Suspends the caller until the hub has nothing else to do: nothing is runnable, no timer is due,
// no descriptor ready. Of several that wait so, one at a time runs, the one with the greatest
// `priority` first, equal ones in the order they came. Row B1.18.
void Idle(int priority = 0);

}  // namespace verdant

#endif  // VERDANT_HUB_SLEEP_H_
