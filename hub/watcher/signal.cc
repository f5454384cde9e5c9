#include "hub/watcher/signal.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace verdant {
namespace {

// What the asynchronous half, which may only store and write, shares with the hub's half. The
// descriptor is made once for each signal and never closed: a handler that still runs on another
// thread must not write into a number used again.
struct Slot {
  std::atomic<const SignalWatcher*> watcher{nullptr};
  std::atomic<int> wake_fd{-1};
  struct sigaction previous = {};
};
std::array<Slot, NSIG> slots;

void OnSignal(int number) {
  const int saved = errno;
  const Slot& slot = slots[static_cast<std::size_t>(number)];
  if (const int fd = slot.wake_fd.load(); slot.watcher.load() != nullptr && fd >= 0) {
    const std::uint64_t one = 1;
    const ssize_t ignored = write(fd, &one, sizeof(one));
    (void)ignored;
  }
  errno = saved;
}

// A signal to a forked child is not one to its parent, whose descriptors these are.
void RestoreInForkedChild() {
  for (std::size_t i = 1; i < slots.size(); ++i) {
    Slot& slot = slots[i];
    if (slot.watcher.exchange(nullptr) != nullptr)
      sigaction(static_cast<int>(i), &slot.previous, nullptr);
    if (const int fd = slot.wake_fd.exchange(-1); fd >= 0) close(fd);
  }
}

int WakeFdOf(Slot& slot) {
  if (const int fd = slot.wake_fd.load(); fd >= 0) {
    eventfd_t leftover;
    eventfd_read(fd, &leftover);
    return fd;
  }
  const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) throw std::runtime_error(absl::StrCat("SignalWatcher: eventfd: ", strerror(errno)));
  slot.wake_fd.store(fd);
  return fd;
}

}  // namespace

SignalWatcher::SignalWatcher(int signal_number, Callback callback)
    : Watcher("a signal's callback", std::move(callback), /*ref=*/false),
      FdWatcher(/*counts=*/false),
      signal_number_(signal_number) {
  Start();
}

void SignalWatcher::Arm() {
  const auto index = static_cast<std::size_t>(signal_number_);
  if (signal_number_ <= 0 || index >= slots.size()) {
    throw std::logic_error(absl::StrCat("SignalWatcher: there is no signal ", signal_number_));
  }
  static std::once_flag once;
  std::call_once(once, [] { pthread_atfork(nullptr, nullptr, &RestoreInForkedChild); });
  Slot& slot = slots[index];
  const SignalWatcher* other = nullptr;
  if (!slot.watcher.compare_exchange_strong(other, this)) {
    throw std::logic_error(
        absl::StrCat("SignalWatcher: signal ", signal_number_, " is watched already"));
  }
  try {
    wake_fd_ = WakeFdOf(slot);
    // It wakes the hub without counting as something that is waited for: ref() says that.
    hub().fds().SetWatcher(wake_fd_, this, internal::kIoRead);
    struct sigaction action = {};
    action.sa_handler = &OnSignal;
    // On the alternate stack if there is one: the interrupted green thread's may be nearly full.
    action.sa_flags = SA_RESTART | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    if (sigaction(signal_number_, &action, &slot.previous) != 0) {
      hub().fds().ForgetWatcher(wake_fd_, this);
      throw std::logic_error(
          absl::StrCat("SignalWatcher: signal ", signal_number_, ": ", strerror(errno)));
    }
  } catch (...) {
    slot.watcher.store(nullptr);
    throw;
  }
}

void SignalWatcher::Disarm() noexcept {
  if (OnItsHub()) hub().fds().ForgetWatcher(wake_fd_, this);
  Slot& slot = slots[static_cast<std::size_t>(signal_number_)];
  if (slot.watcher.load() != this) return;  // made before a fork, in the parent
  sigaction(signal_number_, &slot.previous, nullptr);
  slot.watcher.store(nullptr);
}

bool SignalWatcher::pending() const {
  if (Watcher::pending()) return true;
  pollfd arrived = {.fd = wake_fd_, .events = POLLIN, .revents = 0};
  return active() && poll(&arrived, 1, 0) == 1;
}

void SignalWatcher::OnReady(std::uint32_t /*events*/) noexcept {
  eventfd_t count;
  if (eventfd_read(wake_fd_, &count) == 0) Call();
}

}  // namespace verdant
