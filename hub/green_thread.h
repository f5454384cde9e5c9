#ifndef VERDANT_HUB_GREEN_THREAD_H_
#define VERDANT_HUB_GREEN_THREAD_H_

// Green threads: starting them (Spawn() and its kin), the handles that wait for, link and kill
// them, Sleep(), and what is done with many at once.

#include "hub/handle.h"  // IWYU pragma: export
#include "hub/join.h"    // IWYU pragma: export
#include "hub/sleep.h"   // IWYU pragma: export
#include "hub/spawn.h"   // IWYU pragma: export

#endif  // VERDANT_HUB_GREEN_THREAD_H_
