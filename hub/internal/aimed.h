#ifndef VERDANT_HUB_INTERNAL_AIMED_H_
#define VERDANT_HUB_INTERNAL_AIMED_H_

#include <exception>

#include "hub/internal/task_extras.h"

namespace verdant::internal {

// Notes what is thrown in a task from outside while this exists, by a Kill() or a Timeout: for who
// runs a call on somebody else's stack and must tell that from what the call throws of its own
// accord. Calls within calls included.
class Aimed {
 public:
  explicit Aimed(TaskExtras& caller) : caller_(caller), outer_(caller.aimed) {
    caller.aimed = &error_;
  }
  Aimed(const Aimed&) = delete;
  Aimed& operator=(const Aimed&) = delete;
  ~Aimed() {
    caller_.aimed = outer_;
    if (outer_ != nullptr && error_ != nullptr) *outer_ = error_;
  }
  const std::exception_ptr& error() const { return error_; }

 private:
  TaskExtras& caller_;
  std::exception_ptr* const outer_;
  std::exception_ptr error_;
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_AIMED_H_
