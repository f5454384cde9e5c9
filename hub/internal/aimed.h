#ifndef VERDANT_HUB_INTERNAL_AIMED_H_
#define VERDANT_HUB_INTERNAL_AIMED_H_

#include <exception>

#include "hub/internal/task_extras.h"

namespace verdant::internal {

// Notes, while it exists, what is thrown in a task from outside: by a Kill(), or by a Timeout or
// Scope that was there before. For who runs a call on somebody else's stack and must tell that from
// what the call throws of its own accord, its own Timeouts and Scopes included.
class Aimed {
 public:
  explicit Aimed(TaskExtras& caller)
      : caller_(caller), call_{caller.inline_call, caller.inline_calls() + 1, nullptr} {
    caller.inline_call = &call_;
  }
  Aimed(const Aimed&) = delete;
  Aimed& operator=(const Aimed&) = delete;
  ~Aimed() { caller_.inline_call = call_.outer; }
  // The last of it; null: nothing.
  const std::exception_ptr& error() const { return call_.aimed; }

 private:
  TaskExtras& caller_;
  InlineCall call_;
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_AIMED_H_
