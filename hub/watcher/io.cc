#include "hub/watcher/io.h"

#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"

namespace verdant {

IoWatcher::IoWatcher(int fd, std::uint32_t events, Callback callback)
    : Watcher("an io watcher's callback", std::move(callback)),
      FdWatcher(/*counts=*/false),
      fd_(fd),
      events_(events),
      identity_(fd) {
  if (fd < 0) throw std::logic_error(absl::StrCat("IoWatcher: there is no file descriptor ", fd));
  if (events == kIoNone || (events & ~(kIoRead | kIoWrite)) != 0) {
    throw std::logic_error(absl::StrCat("IoWatcher: ", events, " is no reading or writing"));
  }
}

void IoWatcher::Arm() {
  identity_ = internal::FileIdentity(fd_);
  hub().fds().SetWatcher(fd_, this, events_);
}

void IoWatcher::Disarm() noexcept {
  if (OnItsHub()) hub().fds().ClearWatcher(fd_, this);
}

void IoWatcher::OnReady(std::uint32_t events) noexcept {
  ready_ = events;
  Call();
}

}  // namespace verdant
