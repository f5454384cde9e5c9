#include <errno.h>
#include <fcntl.h>
#include <sys/select.h>
#include <time.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "hub/internal/level_poller.h"

namespace verdant::internal {
namespace {

class SelectPoller final : public LevelPoller {
 public:
  using LevelPoller::LevelPoller;

  std::string_view name() const override { return "select"; }

  absl::Status Watch(int fd, std::uint32_t events, Trigger trigger, std::uint64_t key,
                     bool already_watched) override {
    if (fd >= FD_SETSIZE) {
      return absl::OutOfRangeError(
          absl::StrCat("file descriptor ", fd, " is too large for select, which takes those below ",
                       FD_SETSIZE));
    }
    return LevelPoller::Watch(fd, events, trigger, key, already_watched);
  }

  std::span<const Ready> Wait(std::int64_t timeout_nanos) override {
    BeginReports();
    const std::vector<Wanted>& wanted = Collect();
    fd_set readable, writable;
    FD_ZERO(&readable);
    FD_ZERO(&writable);
    int largest = -1;
    for (const Wanted& one : wanted) {
      if ((one.events & kIoRead) != 0) FD_SET(one.fd, &readable);
      if ((one.events & kIoWrite) != 0) FD_SET(one.fd, &writable);
      largest = std::max(largest, one.fd);
    }
    const timespec timeout = {static_cast<time_t>(timeout_nanos / 1000000000),
                              static_cast<long>(timeout_nanos % 1000000000)};
    CountSystemCall();
    const int count = pselect(largest + 1, &readable, &writable, nullptr,
                              timeout_nanos < 0 ? nullptr : &timeout, nullptr);
    if (count < 0 && errno == EBADF) return DropClosed(wanted);
    if (count <= 0) return {};
    for (const Wanted& one : wanted) {
      std::uint32_t events = kIoNone;
      if (FD_ISSET(one.fd, &readable)) events |= kIoRead;
      if (FD_ISSET(one.fd, &writable)) events |= kIoWrite;
      if (events != kIoNone) Report(one.key, events);
    }
    return reports();
  }

 private:
  // The call fails as a whole and does not say for which.
  std::span<const Ready> DropClosed(const std::vector<Wanted>& wanted) {
    for (const Wanted& one : wanted) {
      if (fcntl(one.fd, F_GETFD) < 0) Drop(one);
    }
    return reports();
  }
};

}  // namespace

std::unique_ptr<Poller> MakeSelectPoller(const EdgeMemory& memory) {
  return std::make_unique<SelectPoller>(memory);
}

}  // namespace verdant::internal
