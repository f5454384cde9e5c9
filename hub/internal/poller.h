#ifndef VERDANT_HUB_INTERNAL_POLLER_H_
#define VERDANT_HUB_INTERNAL_POLLER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace verdant::internal {

class Completions;

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
//
// Not every one sees a hangup: select(2) reports only the read or write that would not block. A
// descriptor watched for edges may be reported more often than it has edges, but never in a
// direction that EdgeMemory says is known to be ready.
class Poller {
 public:
  struct Ready {
    std::uint64_t key;
    std::uint32_t events;
  };

  virtual ~Poller() = default;
  // One of those that PollerName() knows.
  virtual std::string_view name() const = 0;
  // Watches `fd`, or changes how it is watched; `key` comes back with its events. Fails for what is
  // always ready, such as regular files, and what this kind cannot watch.
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
  // See hub/internal/intake.h; null where there are none.
  virtual Completions* completions() { return nullptr; }

  // How many system calls all of these have made.
  std::uint64_t system_calls() const { return system_calls_; }

 protected:
  void CountSystemCall() { ++system_calls_; }

 private:
  std::uint64_t system_calls_ = 0;
};

// What is remembered of descriptors watched for edges. Pollers that know only levels ask, before
// each wait, instead of being told.
class EdgeMemory {
 public:
  virtual ~EdgeMemory() = default;
  // The directions in which `fd` is not known to be ready: the next edge in these counts.
  virtual std::uint32_t AwaitedEdges(int fd) const = 0;
};

std::unique_ptr<Poller> MakeEpollPoller();
// Changes go to the kernel with the wait that follows them, except what is taken back. Fails where
// io_uring is missing, forbidden or too old.
absl::StatusOr<std::unique_ptr<Poller>> MakeUringPoller(std::size_t left_out = 0);
// It is set up in the best of so many ways that the kernel knows; for tests, the first `left_out`
// of them can be left out.
std::size_t UringWays();
// References for the same contract, and for descriptors that epoll refuses. Each wait costs as much
// as there are descriptors. `memory` must outlive the poller.
std::unique_ptr<Poller> MakePollPoller(const EdgeMemory& memory);
// Below FD_SETSIZE (1024) only.
std::unique_ptr<Poller> MakeSelectPoller(const EdgeMemory& memory);

// "epoll", "io_uring", "poll" or "select" for one of these or an old name of it ("epolls",
// "selects"); null: as $VERDANT_HUB says, or epoll if that is not set. Throws std::invalid_argument
// that lists the names for any other, a blank one included (row A12.2).
std::string_view PollerName(const char* name);
// Of a name that PollerName() gave. Where io_uring cannot be had: epoll, and one line on stderr,
// once in a process, that says why.
std::unique_ptr<Poller> MakePoller(std::string_view name, const EdgeMemory& memory);

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_POLLER_H_
