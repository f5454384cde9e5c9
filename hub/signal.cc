#include "hub/signal.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hub/internal/fd_table.h"

namespace verdant {
namespace internal {

// The hub's half: an eventfd that wakes the hub without counting as something it waits for.
class SignalReceiver final : public FdWatcher {
 public:
  SignalReceiver(Hub& hub, int fd, absl::AnyInvocable<void()> on_signal)
      : hub_(hub),
        fd_(fd),
        on_signal_(std::make_shared<absl::AnyInvocable<void()>>(std::move(on_signal))) {
    hub_.fds().SetWatcher(fd_, this, kIoRead, /*counts=*/false);
  }
  ~SignalReceiver() override {
    if (current_hub == &hub_) hub_.fds().ForgetWatcher(fd_, this);
  }
  std::string Describe() const override { return "a signal watcher"; }
  void OnReady(std::uint32_t) noexcept override {
    eventfd_t count;
    eventfd_read(fd_, &count);
    // The call may end this object.
    const auto on_signal = on_signal_;
    Hub& hub = hub_;
    try {
      (*on_signal)();
    } catch (...) {
      hub.ReportUncaught("a signal's callback", std::current_exception());
    }
  }

 private:
  Hub& hub_;
  const int fd_;
  std::shared_ptr<absl::AnyInvocable<void()>> on_signal_;
};

}  // namespace internal

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

SignalWatcher::SignalWatcher(int signal_number, absl::AnyInvocable<void()> on_signal)
    : signal_number_(signal_number) {
  const auto index = static_cast<std::size_t>(signal_number);
  if (signal_number <= 0 || index >= slots.size()) {
    throw std::logic_error(absl::StrCat("SignalWatcher: there is no signal ", signal_number));
  }
  static std::once_flag once;
  std::call_once(once, [] { pthread_atfork(nullptr, nullptr, &RestoreInForkedChild); });
  Slot& slot = slots[index];
  const SignalWatcher* other = nullptr;
  if (!slot.watcher.compare_exchange_strong(other, this)) {
    throw std::logic_error(
        absl::StrCat("SignalWatcher: signal ", signal_number, " is watched already"));
  }
  try {
    receiver_ = std::make_unique<internal::SignalReceiver>(Hub::Current(), WakeFdOf(slot),
                                                           std::move(on_signal));
    struct sigaction action = {};
    action.sa_handler = &OnSignal;
    // On the alternate stack if there is one: the interrupted green thread's may be nearly full.
    action.sa_flags = SA_RESTART | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    if (sigaction(signal_number, &action, &slot.previous) != 0) {
      throw std::logic_error(
          absl::StrCat("SignalWatcher: signal ", signal_number, ": ", strerror(errno)));
    }
  } catch (...) {
    receiver_ = nullptr;
    slot.watcher.store(nullptr);
    throw;
  }
}

SignalWatcher::~SignalWatcher() {
  Slot& slot = slots[static_cast<std::size_t>(signal_number_)];
  receiver_ = nullptr;
  if (slot.watcher.load() != this) return;  // made before a fork, in the parent
  sigaction(signal_number_, &slot.previous, nullptr);
  slot.watcher.store(nullptr);
}

}  // namespace verdant
