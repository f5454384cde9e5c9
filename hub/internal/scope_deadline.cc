#include "hub/internal/scope_deadline.h"

namespace verdant::internal {

const ContextVar<Deadline>& ScopeDeadline() {
  // Never destroyed: threads may outlive the end of main().
  static const auto& deadline =
      *new ContextVar<Deadline>("the scopes' deadline", Deadline::Never());
  return deadline;
}

}  // namespace verdant::internal
