#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

#include "absl/strings/str_cat.h"
#include "hub/internal/poller.h"

namespace verdant::internal {
namespace {

constexpr int kBatch = 256;

class EpollPoller : public Poller {
 public:
  EpollPoller() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0) throw std::runtime_error(absl::StrCat("epoll_create1: ", strerror(errno)));
  }
  ~EpollPoller() override {
    if (epoll_ >= 0) close(epoll_);
  }

  std::string_view name() const override { return "epoll"; }

  void AbandonAfterFork() override {
    close(epoll_);
    epoll_ = -1;
  }

  absl::Status Watch(int fd, std::uint32_t events, Trigger trigger, std::uint64_t key,
                     bool already_watched) override {
    epoll_event event = {};
    event.data.u64 = key;
    if ((events & kIoRead) != 0) event.events |= EPOLLIN | EPOLLRDHUP;
    if ((events & kIoWrite) != 0) event.events |= EPOLLOUT;
    if (trigger == Trigger::kEdge) event.events |= EPOLLET;
    int operation = already_watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    CountSystemCall();
    if (epoll_ctl(epoll_, operation, fd, &event) == 0) return absl::OkStatus();
    // The number may have been closed and reused behind our back, either way round.
    if (errno == ENOENT || errno == EEXIST) {
      operation = errno == ENOENT ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
      CountSystemCall();
      if (epoll_ctl(epoll_, operation, fd, &event) == 0) return absl::OkStatus();
    }
    return absl::ErrnoToStatus(errno, absl::StrCat("epoll_ctl of file descriptor ", fd));
  }

  void Unwatch(int fd) override {
    CountSystemCall();
    epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  }

  std::span<const Ready> Wait(std::int64_t timeout_nanos) override {
    std::array<epoll_event, kBatch> events;
    CountSystemCall();
    const int count = WaitNanos(events.data(), timeout_nanos);
    std::size_t ready = 0;
    for (int i = 0; i < count; ++i) {
      const std::uint32_t got = events[static_cast<std::size_t>(i)].events;
      std::uint32_t mask = kIoNone;
      if ((got & EPOLLIN) != 0) mask |= kIoRead;
      if ((got & EPOLLOUT) != 0) mask |= kIoWrite;
      if ((got & EPOLLRDHUP) != 0) mask |= kIoRead | kIoReadHangup;
      if ((got & (EPOLLHUP | EPOLLERR)) != 0) mask |= kIoHangup;
      ready_[ready++] = {events[static_cast<std::size_t>(i)].data.u64, mask};
    }
    return {ready_.data(), ready};
  }

 private:
  int WaitNanos(epoll_event* events, std::int64_t timeout_nanos) {
    if (timeout_nanos <= 0) {
      return epoll_wait(epoll_, events, kBatch, timeout_nanos == 0 ? 0 : -1);
    }
#if defined(SYS_epoll_pwait2)
    if (have_pwait2_) {
      const timespec timeout = {static_cast<time_t>(timeout_nanos / 1000000000),
                                static_cast<long>(timeout_nanos % 1000000000)};
      const long count = syscall(SYS_epoll_pwait2, epoll_, events, kBatch, &timeout, nullptr, 0);
      // EPERM: what container filters say to a call they do not know.
      if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return static_cast<int>(count);
      have_pwait2_ = false;
      CountSystemCall();
    }
#endif
    // Rounded up: waking early would only mean another turn.
    const std::int64_t millis = (timeout_nanos + 999999) / 1000000;
    return epoll_wait(epoll_, events, kBatch,
                      static_cast<int>(std::min<std::int64_t>(millis, 3600000)));
  }

  int epoll_;
  bool have_pwait2_ = true;
  std::array<Ready, kBatch> ready_;
};

}  // namespace

std::unique_ptr<Poller> MakeEpollPoller() { return std::make_unique<EpollPoller>(); }

}  // namespace verdant::internal
