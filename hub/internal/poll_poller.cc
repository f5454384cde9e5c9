#include <poll.h>
#include <time.h>

#include "hub/internal/level_poller.h"

namespace verdant::internal {
namespace {

class PollPoller final : public LevelPoller {
 public:
  using LevelPoller::LevelPoller;

  std::string_view name() const override { return "poll"; }

  std::span<const Ready> Wait(std::int64_t timeout_nanos) override {
    BeginReports();
    const std::vector<Wanted>& wanted = Collect();
    asked_.clear();
    for (const Wanted& one : wanted) {
      short events = 0;
      if ((one.events & kIoRead) != 0) events |= POLLIN | POLLRDHUP;
      if ((one.events & kIoWrite) != 0) events |= POLLOUT;
      asked_.push_back({one.fd, events, 0});
    }
    const timespec timeout = {static_cast<time_t>(timeout_nanos / 1000000000),
                              static_cast<long>(timeout_nanos % 1000000000)};
    CountSystemCall();
    const int count =
        ppoll(asked_.data(), asked_.size(), timeout_nanos < 0 ? nullptr : &timeout, nullptr);
    if (count <= 0) return {};
    for (std::size_t i = 0; i < asked_.size(); ++i) {
      const short got = asked_[i].revents;
      if (got == 0) continue;
      if ((got & POLLNVAL) != 0) {
        Drop(wanted[i]);
        continue;
      }
      std::uint32_t events = kIoNone;
      if ((got & POLLIN) != 0) events |= kIoRead;
      if ((got & POLLOUT) != 0) events |= kIoWrite;
      if ((got & POLLRDHUP) != 0) events |= kIoRead | kIoReadHangup;
      if ((got & (POLLHUP | POLLERR)) != 0) events |= kIoHangup;
      Report(wanted[i].key, events);
    }
    return reports();
  }

 private:
  std::vector<pollfd> asked_;
};

}  // namespace

std::unique_ptr<Poller> MakePollPoller(const EdgeMemory& memory) {
  return std::make_unique<PollPoller>(memory);
}

}  // namespace verdant::internal
