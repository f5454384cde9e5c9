#include "hub/internal/level_poller.h"

#include <errno.h>
#include <sys/stat.h>

#include "absl/strings/str_cat.h"

namespace verdant::internal {

absl::Status LevelPoller::Watch(int fd, std::uint32_t events, Trigger trigger, std::uint64_t key,
                                bool) {
  struct stat what;
  if (fstat(fd, &what) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("file descriptor ", fd));
  }
  // Always ready, which epoll refuses to say; all pollers are to agree on that.
  if (S_ISREG(what.st_mode) || S_ISDIR(what.st_mode)) {
    return absl::ErrnoToStatus(EPERM, absl::StrCat("watching file descriptor ", fd));
  }
  watched_[fd] = {events, trigger, key};
  return absl::OkStatus();
}

const std::vector<LevelPoller::Wanted>& LevelPoller::Collect() {
  wanted_.clear();
  for (const auto& [fd, watched] : watched_) {
    std::uint32_t events = watched.events;
    if (watched.trigger == Trigger::kEdge) events &= memory_.AwaitedEdges(fd);
    if (events != kIoNone) wanted_.push_back({fd, events, watched.key});
  }
  return wanted_;
}

void LevelPoller::Drop(const Wanted& closed) {
  watched_.erase(closed.fd);
  Report(closed.key, kIoRead | kIoWrite | kIoHangup);
}

}  // namespace verdant::internal
