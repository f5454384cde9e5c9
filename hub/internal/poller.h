#ifndef VERDANT_HUB_INTERNAL_POLLER_H_
#define VERDANT_HUB_INTERNAL_POLLER_H_

#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/status.h"

namespace verdant::internal {

// What a file descriptor is ready for, or is watched for.
enum IoEvents : std::uint32_t {
  kIoNone = 0,
  kIoRead = 1,
  kIoWrite = 2,
  kIoHangup = 4,      // closed both ways, error: reported whether asked for or not
  kIoReadHangup = 8,  // the peer sends no more, though it may still read; comes with kIoRead
};

enum class Trigger { kEdge, kLevel };

// The kernel's readiness queue. One per hub, used by its thread only.
class Poller {
 public:
  struct Ready {
    std::uint64_t key;
    std::uint32_t events;
  };

  virtual ~Poller() = default;
  // Watches `fd`, or changes how it is watched; `key` comes back with its events.
  virtual absl::Status Watch(int fd, std::uint32_t events, Trigger trigger, std::uint64_t key,
                             bool already_watched) = 0;
  // Harmless when it is not watched.
  virtual void Unwatch(int fd) = 0;
  // Waits until something is ready, at most `timeout_nanos` (negative: without limit); an
  // interrupted wait counts as nothing ready. The span is valid until the next call.
  virtual std::span<const Ready> Wait(std::int64_t timeout_nanos) = 0;
  // In the child of a fork: lets go of what is shared with the parent; everything above does
  // nothing from now on.
  virtual void AbandonAfterFork() = 0;
};

std::unique_ptr<Poller> MakeEpollPoller();

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_POLLER_H_
