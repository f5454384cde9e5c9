#ifndef VERDANT_HUB_BLOCKING_H_
#define VERDANT_HUB_BLOCKING_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "greenlet/internal/fiber.h"
#include "greenlet/source_location.h"

namespace verdant {

// What Hub::Options::blocking_threshold is if a program does not say. 25 ms in debug builds, that
// is when this library is compiled without NDEBUG; infinite, which means off, in optimised ones,
// under AddressSanitizer, ThreadSanitizer and Valgrind, which make everything slow. The environment
// goes before that: VERDANT_STALL_MS is a number of milliseconds, or "off".
absl::Duration DefaultBlockingThreshold();

// Where a hub was kept from turning, and how often (rows A10.2, B13.1).
struct BlockingSite {
  // The innermost function of the program on the culprit's stack, or failing that the system call
  // or the address.
  std::string function;
  SourceLocation spawned_at;  // line 0: not in a green thread
  std::uint64_t count = 0;
  absl::Duration total = absl::ZeroDuration();  // as seen up to now
  absl::Duration longest = absl::ZeroDuration();
};

// While it exists, the green thread that made it may keep its hub from turning without being
// reported or counted: for what is known to take long, at a start for instance (row B13.2).
//
// Threading: for the green thread that makes it, as a local variable; no effect on others. Nests.
class IgnoreBlocking {
 public:
  IgnoreBlocking() : fiber_(*internal::CurrentFiber()), before_(fiber_.flags & kFlag) {
    fiber_.flags |= kFlag;
  }
  IgnoreBlocking(const IgnoreBlocking&) = delete;
  IgnoreBlocking& operator=(const IgnoreBlocking&) = delete;
  ~IgnoreBlocking() { fiber_.flags = (fiber_.flags & ~kFlag) | before_; }

 private:
  static constexpr std::uint32_t kFlag = internal::Fiber::kIgnoresBlocking;

  internal::Fiber& fiber_;
  const std::uint32_t before_;
};

}  // namespace verdant

#endif  // VERDANT_HUB_BLOCKING_H_
