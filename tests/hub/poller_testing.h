#ifndef VERDANT_TESTS_HUB_POLLER_TESTING_H_
#define VERDANT_TESTS_HUB_POLLER_TESTING_H_

#include <sys/resource.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hub/hub.h"
#include "hub/internal/poller.h"
#include "tests/hub/manual_clock.h"

namespace verdant {

// Nothing is known of any descriptor but what the test says.
class PollerMemory final : public internal::EdgeMemory {
 public:
  std::uint32_t AwaitedEdges(int) const override { return awaited; }
  std::uint32_t awaited = internal::kIoRead | internal::kIoWrite;
};

// Keys and their events.
using Found = std::vector<std::pair<std::uint64_t, std::uint32_t>>;

inline Found Look(internal::Poller& poller, std::int64_t timeout_nanos = 0) {
  Found found;
  for (const internal::Poller::Ready& ready : poller.Wait(timeout_nanos)) {
    found.emplace_back(ready.key, ready.events);
  }
  return found;
}

// Valgrind runs one thread at a time, and does not know that io_uring_enter() may wait: while one
// does, all others of the process stand still.
#if defined(VERDANT_VALGRIND)
inline constexpr bool kUringStopsOtherThreads = true;
#else
inline constexpr bool kUringStopsOtherThreads = false;
#endif

// Runs over every poller; skips io_uring where the machine has none.
class PollerTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (poller_->name() != GetParam()) GTEST_SKIP() << "no " << GetParam() << " here";
  }
  // Runs `body` on a thread whose hub has this poller.
  template <typename Body>
  void OnHub(Body&& body) {
    OnFreshThread([&] {
      Hub::Configure({.poller = GetParam()});
      body();
    });
  }
  // Whether no other thread runs while this one waits.
  bool StopsOtherThreads() const {
    return kUringStopsOtherThreads && std::string_view(GetParam()) == "io_uring";
  }
  bool IsSelect() const { return std::string_view(GetParam()) == "select"; }

  PollerMemory memory_;
  const std::unique_ptr<internal::Poller> poller_ = internal::MakePoller(GetParam(), memory_);
};

inline std::string PollerTestName(const ::testing::TestParamInfo<const char*>& info) {
  return info.param;
}

inline constexpr const char* kPollers[] = {"epoll", "io_uring", "poll", "select"};

// Room for so many open files, as far as that is allowed, until the end of the test.
class OpenFiles {
 public:
  explicit OpenFiles(rlim_t wanted) {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit larger = before_;
    if (larger.rlim_cur < wanted) larger.rlim_cur = std::min(wanted, larger.rlim_max);
    setrlimit(RLIMIT_NOFILE, &larger);
    allowed_ = larger.rlim_cur;
  }
  OpenFiles(const OpenFiles&) = delete;
  OpenFiles& operator=(const OpenFiles&) = delete;
  ~OpenFiles() { setrlimit(RLIMIT_NOFILE, &before_); }
  std::size_t allowed() const { return allowed_; }

 private:
  rlimit before_;
  std::size_t allowed_;
};

}  // namespace verdant

#endif  // VERDANT_TESTS_HUB_POLLER_TESTING_H_
