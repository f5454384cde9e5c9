// The contract of hub/internal/poller.h, kept by each of them.

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <set>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "hub/internal/poller.h"
#include "tests/hub/io_testing.h"
#include "tests/hub/poller_testing.h"

namespace verdant {
namespace {

using internal::kIoHangup;
using internal::kIoNone;
using internal::kIoRead;
using internal::kIoWrite;
using internal::Trigger;

INSTANTIATE_TEST_SUITE_P(B8_8, PollerTest, ::testing::ValuesIn(kPollers), PollerTestName);

std::int64_t Now() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1000000000 + now.tv_nsec;
}

TEST_P(PollerTest, B8_8_AnEdgeComesAgainAfterEachDrain) {
  Pair pair;
  memory_.awaited = kIoRead;
  ASSERT_TRUE(poller_->Watch(pair.fd[0], kIoRead | kIoWrite, Trigger::kEdge, 3, false).ok());
  Look(*poller_);
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(write(pair.fd[1], "x", 1), 1);
    const Found found = Look(*poller_, -1);
    ASSERT_FALSE(found.empty());
    ASSERT_EQ(found[0].first, 3u);
    ASSERT_NE(found[0].second & kIoRead, 0u);
    char byte;
    ASSERT_EQ(read(pair.fd[0], &byte, 1), 1);
  }
  memory_.awaited = kIoNone;
  EXPECT_EQ(Look(*poller_), Found{});
}

TEST_P(PollerTest, RoomAfterAFullBufferIsAnEdge) {
  Pair pair;
  ASSERT_TRUE(poller_->Watch(pair.fd[0], kIoRead | kIoWrite, Trigger::kEdge, 3, false).ok());
  std::array<char, 65536> chunk = {};
  while (write(pair.fd[0], chunk.data(), chunk.size()) > 0) {
  }
  Look(*poller_);  // that there was room once
  EXPECT_EQ(Look(*poller_), Found{});
  while (read(pair.fd[1], chunk.data(), chunk.size()) > 0) {
  }
  const Found found = Look(*poller_, -1);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_NE(found[0].second & kIoWrite, 0u);
}

TEST_P(PollerTest, AHangupIsAnEdgeInBothDirections) {
  Pair pair;
  ASSERT_TRUE(poller_->Watch(pair.fd[0], kIoRead | kIoWrite, Trigger::kEdge, 4, false).ok());
  memory_.awaited = kIoRead;
  Look(*poller_);
  pair.Close(1);
  const Found found = Look(*poller_, -1);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_NE(found[0].second & kIoRead, 0u);
  EXPECT_EQ((found[0].second & kIoHangup) != 0, !IsSelect());
}

TEST_P(PollerTest, A12_4_WhatANumberWasReadyForIsNotReportedOfTheNextToHaveIt) {
  for (const Trigger trigger : {Trigger::kEdge, Trigger::kLevel}) {
    for (const bool told : {true, false}) {
      int number = -1;
      for (std::uint64_t key = 1; key <= 200; ++key) {
        Pair pair;
        if (number < 0) number = pair.fd[0];
        ASSERT_EQ(pair.fd[0], number);
        ASSERT_TRUE(poller_->Watch(number, kIoRead, trigger, key, !told && key != 1).ok());
        if (key % 3 != 0) {  // the kernel has heard of it
          ASSERT_EQ(Look(*poller_), Found{}) << key;
        }
        ASSERT_EQ(write(pair.fd[1], "x", 1), 1);
        if (key % 2 != 0) {
          ASSERT_EQ(Look(*poller_), (Found{{key, kIoRead}}));
        }
        if (told) poller_->Unwatch(number);
      }
      poller_->Unwatch(number);
    }
  }
}

TEST_P(PollerTest, WhatIsTakenBackIsSilentThoughItWasReady) {
  Pair pair, other;
  for (const Trigger trigger : {Trigger::kEdge, Trigger::kLevel}) {
    ASSERT_TRUE(poller_->Watch(pair.fd[0], kIoRead, trigger, 1, false).ok());
    ASSERT_TRUE(poller_->Watch(other.fd[0], kIoRead, Trigger::kLevel, 2, false).ok());
    Look(*poller_);
    ASSERT_EQ(write(pair.fd[1], "x", 1), 1);
    poller_->Unwatch(pair.fd[0]);
    EXPECT_EQ(Look(*poller_), Found{});
    ASSERT_EQ(write(other.fd[1], "x", 1), 1);
    EXPECT_EQ(Look(*poller_), (Found{{2, kIoRead}}));
    poller_->Unwatch(other.fd[0]);
    char byte;
    ASSERT_EQ(read(pair.fd[0], &byte, 1), 1);
    ASSERT_EQ(read(other.fd[0], &byte, 1), 1);
  }
}

TEST_P(PollerTest, AFileIsLetGoOfBeforeItIsClosed) {
  for (const Trigger trigger : {Trigger::kEdge, Trigger::kLevel}) {
    Pair pair;
    ASSERT_TRUE(poller_->Watch(pair.fd[0], kIoRead | kIoWrite, trigger, 1, false).ok());
    Look(*poller_);
    Look(*poller_);
    poller_->Unwatch(pair.fd[0]);
    pair.Close(0);
    char byte;
    EXPECT_EQ(read(pair.fd[1], &byte, 1), 0);  // the peer knows at once
  }
}

TEST_P(PollerTest, AFileIsLetGoOfWithThePoller) {
  Pair pair;
  {
    const auto poller = internal::MakePoller(GetParam(), memory_);
    ASSERT_TRUE(poller->Watch(pair.fd[0], kIoRead, Trigger::kEdge, 1, false).ok());
    Look(*poller);
  }
  pair.Close(0);
  char byte;
  EXPECT_EQ(read(pair.fd[1], &byte, 1), 0);
}

TEST_P(PollerTest, OfManyEachIsReported) {
  // More than fit into any queue of the kernel's, where the number has no limit.
  const OpenFiles files(12000);
  const std::size_t pairs =
      std::min<std::size_t>(IsSelect() ? 400 : 5000, (files.allowed() - 100) / 2);
  std::vector<std::unique_ptr<Pair>> open;
  for (std::size_t i = 0; i < pairs; ++i) open.push_back(std::make_unique<Pair>());
  for (const Trigger trigger : {Trigger::kLevel, Trigger::kEdge}) {
    std::set<std::uint64_t> missing;
    for (const auto& pair : open) {
      for (const int fd : pair->fd) {
        const auto key = static_cast<std::uint64_t>(fd);
        ASSERT_TRUE(poller_->Watch(fd, kIoRead | kIoWrite, trigger, key, false).ok());
        missing.insert(key);
      }
    }
    while (!missing.empty()) {
      const Found found = Look(*poller_, -1);
      ASSERT_FALSE(found.empty());
      for (const auto& [key, events] : found) {
        EXPECT_NE(events & kIoWrite, 0u);
        missing.erase(key);
      }
    }
    // And the edges to come.
    for (int round = 0; round < 2; ++round) {
      for (const auto& pair : open) {
        ASSERT_EQ(write(pair->fd[1], "x", 1), 1);
        missing.insert(static_cast<std::uint64_t>(pair->fd[0]));
      }
      memory_.awaited = kIoRead;
      while (!missing.empty()) {
        const Found found = Look(*poller_, -1);
        ASSERT_FALSE(found.empty());
        for (const auto& [key, events] : found) {
          if ((events & kIoRead) != 0) missing.erase(key);
        }
      }
      for (const auto& pair : open) {
        char byte;
        ASSERT_EQ(read(pair->fd[0], &byte, 1), 1);
      }
    }
    memory_.awaited = kIoRead | kIoWrite;
    for (const auto& pair : open) {
      for (const int fd : pair->fd) poller_->Unwatch(fd);
    }
    EXPECT_EQ(Look(*poller_), Found{});
  }
}

TEST_P(PollerTest, PipesTimersAndCountersAreWatchedToo) {
  std::array<int, 2> pipe;
  ASSERT_EQ(pipe2(pipe.data(), O_NONBLOCK | O_CLOEXEC), 0);
  const int counter = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  ASSERT_TRUE(poller_->Watch(pipe[0], kIoRead, Trigger::kLevel, 1, false).ok());
  ASSERT_TRUE(poller_->Watch(counter, kIoRead, Trigger::kLevel, 2, false).ok());
  ASSERT_TRUE(poller_->Watch(timer, kIoRead, Trigger::kLevel, 3, false).ok());
  EXPECT_EQ(Look(*poller_), Found{});
  ASSERT_EQ(write(pipe[1], "x", 1), 1);
  ASSERT_EQ(eventfd_write(counter, 1), 0);
  EXPECT_EQ(Look(*poller_), (Found{{1, kIoRead}, {2, kIoRead}}));
  eventfd_t count;
  ASSERT_EQ(eventfd_read(counter, &count), 0);
  poller_->Unwatch(pipe[0]);
  const itimerspec soon = {{0, 0}, {0, 1000000}};
  ASSERT_EQ(timerfd_settime(timer, 0, &soon, nullptr), 0);
  EXPECT_EQ(Look(*poller_, -1), (Found{{3, kIoRead}}));
  for (const int fd : {pipe[0], pipe[1], counter, timer}) {
    poller_->Unwatch(fd);
    close(fd);
  }
}

TEST_P(PollerTest, ADirectoryIsRefused) {
  const int directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const absl::Status status = poller_->Watch(directory, kIoRead, Trigger::kEdge, 1, false);
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << status;
  EXPECT_EQ(Look(*poller_), Found{});
  close(directory);
}

TEST_P(PollerTest, AWaitThatTimesOutFindsNothingAndIsNotEarly) {
  Pair pair;
  ASSERT_TRUE(poller_->Watch(pair.fd[0], kIoRead, Trigger::kEdge, 1, false).ok());
  for (const std::int64_t timeout : {1000, 1000000, 5000000}) {
    std::int64_t passed = 0;
    do {
      errno = 0;
      const std::int64_t before = Now();
      const Found found = Look(*poller_, timeout);
      passed = Now() - before;
      EXPECT_EQ(found, Found{});
      // The kernel interrupts what its thread waits in to clear away an earlier test's io_uring.
    } while (passed < timeout && errno == EINTR);
    EXPECT_GE(passed, timeout);
  }
}

TEST_P(PollerTest, A12_16_AnInterruptedWaitIsNothingReadyAndLosesNothing) {
  if (StopsOtherThreads()) GTEST_SKIP() << "the thread that sends the signals would not run";
  struct sigaction action = {}, before;
  action.sa_handler = [](int) {};
  sigaction(SIGUSR2, &action, &before);
  Pair pair;
  ASSERT_TRUE(poller_->Watch(pair.fd[0], kIoRead, Trigger::kEdge, 1, false).ok());
  std::atomic<bool> woken = false;
  const pthread_t self = pthread_self();
  std::jthread sender([&] {
    while (!woken) {
      pthread_kill(self, SIGUSR2);
      std::this_thread::yield();
    }
  });
  EXPECT_EQ(Look(*poller_, -1), Found{});
  woken = true;
  sender.join();
  ASSERT_EQ(write(pair.fd[1], "x", 1), 1);
  Found found;
  while (found.empty()) found = Look(*poller_, -1);
  EXPECT_EQ(found, (Found{{1, kIoRead}}));
  sigaction(SIGUSR2, &before, nullptr);
}

TEST_P(PollerTest, A12_17_AChildLetsGoOfItWithoutDisturbingItsParent) {
  Pair pair, back;
  ASSERT_TRUE(poller_->Watch(pair.fd[0], kIoRead, Trigger::kEdge, 1, false).ok());
  EXPECT_EQ(Look(*poller_), Found{});
  const pid_t child = fork();
  if (child == 0) {
    poller_->AbandonAfterFork();
    poller_->Unwatch(pair.fd[0]);
    const bool silent = poller_->Wait(0).empty();
    // A poller of its own tells it of what is its parent's as well.
    PollerMemory memory;
    const auto own = internal::MakePoller(GetParam(), memory);
    const bool watches =
        own->name() == GetParam() && own->Watch(pair.fd[0], kIoRead, Trigger::kEdge, 7, false).ok();
    if (write(back.fd[1], "x", 1) != 1) _exit(1);
    const std::span<const internal::Poller::Ready> ready = own->Wait(-1);
    _exit(silent && watches && ready.size() == 1 && ready[0].key == 7 ? 0 : 2);
  }
  fcntl(back.fd[0], F_SETFL, 0);
  char byte;
  ASSERT_EQ(read(back.fd[0], &byte, 1), 1);
  ASSERT_EQ(write(pair.fd[1], "x", 1), 1);
  EXPECT_EQ(Look(*poller_, -1), (Found{{1, kIoRead}}));
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

// Older kernels know only some.
TEST(UringPoller, B8_8_WorksHoweverItIsSetUp) {
  for (std::size_t left_out = 0; left_out < internal::UringWays(); ++left_out) {
    absl::StatusOr<std::unique_ptr<internal::Poller>> made = internal::MakeUringPoller(left_out);
    if (!made.ok()) GTEST_SKIP() << made.status();
    internal::Poller& poller = **made;
    EXPECT_EQ(Look(poller, 1000000), Found{});
    Pair level, edge;
    ASSERT_TRUE(poller.Watch(level.fd[0], kIoRead, Trigger::kLevel, 1, false).ok());
    ASSERT_TRUE(poller.Watch(edge.fd[0], kIoRead, Trigger::kEdge, 2, false).ok());
    EXPECT_EQ(Look(poller), Found{});
    char byte;
    for (int i = 0; i < 100; ++i) {
      // While it sleeps, as a rule.
      std::jthread writer([&] { EXPECT_EQ(write(edge.fd[1], "x", 1), 1); });
      if (kUringStopsOtherThreads) writer.join();
      EXPECT_EQ(Look(poller, -1), (Found{{2, kIoRead}}));
      ASSERT_EQ(read(edge.fd[0], &byte, 1), 1);
    }
    ASSERT_EQ(write(level.fd[1], "x", 1), 1);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(Look(poller, -1), (Found{{1, kIoRead}}));
    poller.Unwatch(level.fd[0]);
    poller.Unwatch(edge.fd[0]);
    level.Close(0);
    edge.Close(0);
    EXPECT_EQ(read(edge.fd[1], &byte, 1), 0);
    EXPECT_NE(read(level.fd[1], &byte, 1), 1);  // what is left unread makes it an error
    EXPECT_NE(errno, EAGAIN);
    EXPECT_EQ(Look(poller), Found{});
  }
}

}  // namespace
}  // namespace verdant
