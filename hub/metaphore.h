#ifndef VERDANT_HUB_METAPHORE_H_
#define VERDANT_HUB_METAPHORE_H_

#include <cstdint>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "hub/flag.h"
#include "hub/hub.h"

namespace verdant {

// A semaphore the other way round: counts what is under way, and green threads wait for it to be
// none. Row A6.8.
//
// Threading and destruction as for a Flag: belongs to the thread that makes it.
class Metaphore {
 public:
  Metaphore() : none_(true, "Metaphore::Wait") {}

  // Adds `by`. Throws std::logic_error unless it is positive.
  void Inc(std::int64_t by = 1);
  // Takes `by` away; at zero all who wait run at the hub's next turn. Throws std::logic_error, and
  // changes nothing, if it is not positive or more than there is.
  void Dec(std::int64_t by = 1);

  // Waits until the count is zero, at once if it is; false if `deadline` came first. A waiter that
  // has been let through stays so when the count rises again before it runs.
  bool Wait(Deadline deadline = Deadline::Never()) { return none_.Wait(deadline); }

  std::int64_t count() const { return count_; }
  // The count is zero.
  bool Ready() const { return none_.Ready(); }
  // As for a Flag that is set while the count is zero.
  std::uint64_t Link(absl::AnyInvocable<void()> link) { return none_.Link(std::move(link)); }
  bool Unlink(std::uint64_t link) { return none_.Unlink(link); }

 private:
  std::int64_t count_ = 0;
  Flag none_;
};

}  // namespace verdant

#endif  // VERDANT_HUB_METAPHORE_H_
