#ifndef VERDANT_POOL_INTERNAL_DEADLINE_HERE_H_
#define VERDANT_POOL_INTERNAL_DEADLINE_HERE_H_

#include <concepts>
#include <utility>

#include "greenlet/source_location.h"
#include "hub/clock.h"

namespace verdant::internal {

// A Deadline, made where it is passed, and the place of that: for calls whose arguments, any number
// of them, leave no room for a default one.
struct DeadlineHere {
  template <std::convertible_to<Deadline> D>
  DeadlineHere(D&& d,  // NOLINT(google-explicit-constructor)
               SourceLocation here = SourceLocation::current())
      : deadline(std::forward<D>(d)), site(here) {}

  Deadline deadline;
  SourceLocation site;
};

}  // namespace verdant::internal

#endif  // VERDANT_POOL_INTERNAL_DEADLINE_HERE_H_
