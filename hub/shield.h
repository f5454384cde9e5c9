#ifndef VERDANT_HUB_SHIELD_H_
#define VERDANT_HUB_SHIELD_H_

#include <optional>

#include "greenlet/context.h"
#include "hub/clock.h"
#include "hub/hub.h"

namespace verdant {

// While it exists, what is aimed at the green thread from outside does not reach it: Kill(), the
// end of a Scope, Timeouts that were set before. It is kept, and thrown by the first call that
// waits once the shield is gone. For what must not be left half done, such as taking leave of a
// peer on the way out:
//
//   try {
//     Talk(connection);
//   } catch (const GreenletExit&) {
//     Shield shield;
//     WithTimeout(absl::Seconds(2), [&] { connection.SayGoodbye(); });
//     throw;
//   }
//
// Timeouts and Scopes that begin under a shield work under it as ever, which is what limits how
// long it may last; so do deadlines of calls, a LoopExit, and a Kill() of oneself.
// CurrentDeadline() starts again with never. What is spawned under a shield does not stand under
// it. Shields nest. Throws std::logic_error in a hub callback.
//
// Threading: for the green thread that makes it, as a local variable.
class Shield {
 public:
  Shield();
  Shield(const Shield&) = delete;
  Shield& operator=(const Shield&) = delete;
  ~Shield();

  // Something has been kept away: a reason to hurry.
  bool Hit() const;

 private:
  internal::Task* const task_;
  std::optional<ContextVar<Deadline>::Scope> no_deadline_;  // of the scopes around
};

}  // namespace verdant

#endif  // VERDANT_HUB_SHIELD_H_
