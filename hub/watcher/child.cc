#include "hub/watcher/child.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"

namespace verdant {
namespace {

int OpenPidfd(pid_t pid) {
#if defined(SYS_pidfd_open)
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
#else
  const int fd = -1;
  errno = ENOSYS;
#endif
  if (fd >= 0) return fd;
  const std::string text = absl::StrCat("ChildWatcher of process ", pid, ": ", strerror(errno));
  if (errno == ESRCH || errno == EINVAL) throw std::logic_error(text);
  throw std::runtime_error(text);
}

}  // namespace

ChildWatcher::ChildWatcher(pid_t pid, Callback callback)
    : Watcher("a child watcher's callback", std::move(callback)),
      FdWatcher(/*counts=*/false),
      pid_(pid),
      pidfd_(OpenPidfd(pid)) {}

ChildWatcher::~ChildWatcher() {
  StopForGood();
  close(pidfd_);
}

void ChildWatcher::Arm() { hub().fds().SetWatcher(pidfd_, this, internal::kIoRead); }

void ChildWatcher::Disarm() noexcept {
  if (OnItsHub()) hub().fds().ForgetWatcher(pidfd_, this);
}

std::string ChildWatcher::Describe() const {
  return absl::StrCat("a watcher of child process ", pid_);
}

void ChildWatcher::OnReady(std::uint32_t) noexcept {
  if (!reaped_) {
    int status = -1;
    pid_t reaped;
    do {
      reaped = waitpid(pid_, &status, WNOHANG);
    } while (reaped < 0 && errno == EINTR);
    if (reaped == 0) return;
    reaped_ = true;
    status_ = reaped == pid_ ? status : -1;
  }
  Disarm();
  Ended();
  Call();
}

}  // namespace verdant
