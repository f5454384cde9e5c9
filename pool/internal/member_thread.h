#ifndef VERDANT_POOL_INTERNAL_MEMBER_THREAD_H_
#define VERDANT_POOL_INTERNAL_MEMBER_THREAD_H_

#include <cstdint>
#include <exception>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "hub/green_thread.h"

namespace verdant::internal {

// A handle on a green thread that something looks after without being interested in its result.
class MemberThread : public AnyGreenThread {
 public:
  MemberThread() = default;
  explicit MemberThread(AnyGreenThread thread) : AnyGreenThread(std::move(thread)) {}

  // Link() by somebody who will not look at its error: that is still reported if nobody else does.
  // For one that has not ended.
  std::uint64_t LinkWithoutLooking(absl::AnyInvocable<void()> link) const {
    return AddLink(std::move(link), /*sees_error=*/false);
  }
  // Has `exception` thrown in it, before anything else runs, without waiting for that.
  void TellToEnd(const std::exception_ptr& exception) const { Doom(exception, /*first=*/true); }
  // Not so after a fork in the child, nor for one whose hub has ended with its thread.
  bool OfThisHub() const { return Checked()->hub == current_hub; }
  // What it is recognised by, for as long as there is a handle.
  const Task* identity() const { return Checked(); }
};

// The identity of the running green thread; null, which is nobody's, in a hub callback.
inline const Task* CurrentIdentity() {
  Hub& hub = Hub::Current();
  return hub.OnHubStack() ? nullptr : hub.CurrentTask();
}

}  // namespace verdant::internal

#endif  // VERDANT_POOL_INTERNAL_MEMBER_THREAD_H_
