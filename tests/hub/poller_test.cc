// What every poller must do, and the hub on top of each.

#include "hub/internal/poller.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "hub/io.h"
#include "tests/hub/io_testing.h"
#include "tests/hub/manual_clock.h"
#include "tests/hub/poller_testing.h"

namespace verdant {
namespace {

using internal::kIoHangup;
using internal::kIoRead;
using internal::kIoWrite;
using internal::PollerName;
using internal::Trigger;

INSTANTIATE_TEST_SUITE_P(B8_8, PollerTest, ::testing::ValuesIn(kPollers), PollerTestName);

TEST_P(PollerTest, NothingWatchedIsNothingReady) { EXPECT_EQ(Look(*poller_), Found{}); }

TEST_P(PollerTest, B8_8_ALevelIsReportedForAsLongAsItLasts) {
  Pair pair;
  ASSERT_TRUE(poller_->Watch(pair.fd[0], kIoRead, Trigger::kLevel, 7, false).ok());
  EXPECT_EQ(Look(*poller_), Found{});
  ASSERT_EQ(write(pair.fd[1], "x", 1), 1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Look(*poller_), (Found{{7, kIoRead}}));
  char byte;
  ASSERT_EQ(read(pair.fd[0], &byte, 1), 1);
  EXPECT_EQ(Look(*poller_), Found{});
}

TEST_P(PollerTest, WhatIsWatchedForMayChangeWithItsKey) {
  Pair pair;
  ASSERT_TRUE(poller_->Watch(pair.fd[0], kIoRead, Trigger::kLevel, 1, false).ok());
  ASSERT_TRUE(poller_->Watch(pair.fd[0], kIoWrite, Trigger::kLevel, 2, true).ok());
  EXPECT_EQ(Look(*poller_), (Found{{2, kIoWrite}}));
  poller_->Unwatch(pair.fd[0]);
  poller_->Unwatch(pair.fd[0]);
  EXPECT_EQ(Look(*poller_), Found{});
}

TEST_P(PollerTest, AnEdgeIsReportedInADirectionThatIsAwaited) {
  Pair pair;
  ASSERT_TRUE(poller_->Watch(pair.fd[0], kIoRead | kIoWrite, Trigger::kEdge, 3, false).ok());
  ASSERT_EQ(write(pair.fd[1], "x", 1), 1);
  EXPECT_EQ(Look(*poller_), (Found{{3, kIoRead | kIoWrite}}));
  memory_.awaited = internal::kIoNone;  // both are known now
  EXPECT_EQ(Look(*poller_), Found{});
  char byte;
  ASSERT_EQ(read(pair.fd[0], &byte, 1), 1);
  memory_.awaited = kIoRead;  // learned from the read after that
  EXPECT_EQ(Look(*poller_), Found{});
  ASSERT_EQ(write(pair.fd[1], "y", 1), 1);
  const Found found = Look(*poller_);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_NE(found[0].second & kIoRead, 0u);
}

TEST_P(PollerTest, AHangupMakesAReaderReady) {
  Pair pair;
  ASSERT_TRUE(poller_->Watch(pair.fd[0], kIoRead, Trigger::kLevel, 4, false).ok());
  pair.Close(1);
  const Found found = Look(*poller_);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_NE(found[0].second & kIoRead, 0u);
  EXPECT_EQ((found[0].second & kIoHangup) != 0, !IsSelect());
}

TEST_P(PollerTest, ARegularFileAndAClosedNumberAreRefused) {
  const int file = OpenRegularFile();
  EXPECT_FALSE(poller_->Watch(file, kIoRead, Trigger::kLevel, 5, false).ok());
  close(file);
  EXPECT_FALSE(poller_->Watch(file, kIoRead, Trigger::kLevel, 5, false).ok());
  EXPECT_EQ(Look(*poller_), Found{});
}

TEST_P(PollerTest, ANumberClosedWhileWatchedDisturbsNoOther) {
  Pair closed, other;
  ASSERT_TRUE(poller_->Watch(closed.fd[0], kIoRead, Trigger::kLevel, 1, false).ok());
  ASSERT_TRUE(poller_->Watch(other.fd[0], kIoRead, Trigger::kLevel, 2, false).ok());
  closed.Close(0);
  ASSERT_EQ(write(other.fd[1], "x", 1), 1);
  Look(*poller_);  // which may tell of the closed one, once
  EXPECT_EQ(Look(*poller_), (Found{{2, kIoRead}}));
}

TEST_P(PollerTest, SelectAloneRefusesLargeNumbers) {
  const OpenFiles files(1100);
  if (files.allowed() < 1100) GTEST_SKIP() << "not so many descriptors here";
  Pair pair;
  const int large = fcntl(pair.fd[0], F_DUPFD_CLOEXEC, 1050);
  ASSERT_GE(large, 1050);
  const absl::Status status = poller_->Watch(large, kIoWrite, Trigger::kLevel, 9, false);
  if (IsSelect()) {
    EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange) << status;
  } else {
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(Look(*poller_), (Found{{9, kIoWrite}}));
  }
  close(large);
}

TEST_P(PollerTest, A12_2_TheHubSaysWhichItHas) {
  OnHub([&] { EXPECT_EQ(Hub::Current().poller(), GetParam()); });
}

// Sends `bytes` through a socket pair in both directions at once, and counts what arrives.
TEST_P(PollerTest, GreenThreadsReadAndWriteAtOnce) {
  OnHub([] {
    constexpr std::size_t kBytes = 1 << 20;
    Pair pair;
    IoDescriptor a = MustRegister(pair.fd[0]);
    IoDescriptor b = MustRegister(pair.fd[1]);
    const auto send = [](IoDescriptor& to) {
      const std::string chunk(50000, 'x');
      for (std::size_t sent = 0; sent < kBytes;) {
        ASSERT_EQ(to.WaitWritable(), IoWait::kReady);
        const ssize_t n =
            write(to.fd(), chunk.data(), std::min<std::size_t>(chunk.size(), kBytes - sent));
        if (n < 0) {
          ASSERT_EQ(errno, EAGAIN);
          to.WriteWouldBlock();
        } else {
          sent += static_cast<std::size_t>(n);
        }
      }
    };
    const auto receive = [](IoDescriptor& from) {
      std::string buffer(30000, '\0');
      std::size_t received = 0;
      while (received < kBytes) {
        EXPECT_EQ(from.WaitReadable(), IoWait::kReady);
        const ssize_t n = read(from.fd(), buffer.data(), buffer.size());
        if (n > 0) received += static_cast<std::size_t>(n);
        if (n < 0) from.ReadWouldBlock();
        if (n == 0) break;
      }
      return received;
    };
    auto sender_a = Spawn([&] { send(a); });
    auto sender_b = Spawn([&] { send(b); });
    auto receiver_a = Spawn([&] { return receive(a); });
    auto receiver_b = Spawn([&] { return receive(b); });
    EXPECT_EQ(receiver_a.Wait(), kBytes);
    EXPECT_EQ(receiver_b.Wait(), kBytes);
    JoinAll({sender_a, sender_b});
    EXPECT_EQ(Hub::Current().counts().waiting_for_io, 0u);
  });
}

TEST_P(PollerTest, A12_6_CloseWakesAWaiter) {
  OnHub([] {
    Pair pair;
    IoDescriptor reader = MustRegister(pair.fd[0]);
    reader.ReadWouldBlock();
    IoWait outcome = IoWait::kReady;
    auto waiter = Spawn([&] { outcome = reader.WaitReadable(); });
    Sleep(absl::Milliseconds(1));
    reader.Unregister();
    waiter.Wait();
    EXPECT_EQ(outcome, IoWait::kClosed);
  });
}

TEST_P(PollerTest, TheEndOfThePeerIsReadWithoutAnotherEdge) {
  OnHub([] {
    Pair pair;
    IoDescriptor reader = MustRegister(pair.fd[0]);
    reader.ReadWouldBlock();
    auto waiter = Spawn([&] {
      EXPECT_EQ(reader.WaitReadable(), IoWait::kReady);
      char buffer[8];
      EXPECT_EQ(read(pair.fd[0], buffer, sizeof(buffer)), 1);
      reader.ReadExhausted();
      EXPECT_EQ(reader.WaitReadable(), IoWait::kReady);
      EXPECT_EQ(read(pair.fd[0], buffer, sizeof(buffer)), 0);
    });
    Sleep();
    ASSERT_EQ(write(pair.fd[1], "x", 1), 1);
    pair.Close(1);
    waiter.Wait();
  });
}

TEST_P(PollerTest, AListenerHearsForAsLongAsItIsInterested) {
  OnHub([] {
    Pair pair;
    Event<std::uint32_t> got;
    FdListener listener(pair.fd[0], [&](std::uint32_t events) {
      if (!got.Ready()) got.Send(events);
    });
    listener.SetInterest(kIoRead);
    ASSERT_EQ(write(pair.fd[1], "x", 1), 1);
    EXPECT_EQ(got.Wait(), kIoRead);
    got.Reset();
    listener.SetInterest(internal::kIoNone);
    EXPECT_THROW(got.Wait(), LoopExit);
    listener.SetInterest(kIoWrite);
    EXPECT_EQ(got.Wait(), kIoWrite);
  });
}

TEST_P(PollerTest, AnotherThreadWakesASleepingHub) {
  if (StopsOtherThreads()) GTEST_SKIP() << "the other thread would not run";
  OnHub([] {
    Event<int> event;
    const Hub::Remote remote(Hub::Current());
    const Hub::Keepalive keepalive(Hub::Current());
    std::jthread poster([&] { remote.Post([&] { event.Send(3); }); });
    EXPECT_EQ(event.Wait(), 3);
    poster.join();
  });
}

TEST_P(PollerTest, TimersFireAndNothingIsReportedThatNobodyWaitsFor) {
  OnHub([] {
    Pair pair;  // writable all the time
    IoDescriptor idle = MustRegister(pair.fd[0]);
    auto reader = Spawn([&] {
      idle.ReadWouldBlock();
      return idle.WaitReadable(absl::Milliseconds(30));
    });
    Sleep(absl::Milliseconds(1));
    const std::uint64_t before = Hub::Current().counts().turns;
    EXPECT_EQ(reader.Wait(), IoWait::kTimedOut);
    EXPECT_LT(Hub::Current().counts().turns - before, 20u);  // it slept
  });
}

TEST_P(PollerTest, A12_16_ASignalDoesNotDisturbASleepingHub) {
  if (StopsOtherThreads()) GTEST_SKIP() << "the thread that sends the signals would not run";
  struct sigaction action = {}, before;
  action.sa_handler = [](int) {};
  sigaction(SIGUSR2, &action, &before);  // without SA_RESTART: every wait is interrupted
  OnHub([] {
    const pthread_t self = pthread_self();
    Event<> done;
    const Hub::Keepalive keepalive(Hub::Current());
    const Hub::Remote remote(Hub::Current());
    std::jthread sender([&] {
      for (int i = 0; i < 50; ++i) {
        pthread_kill(self, SIGUSR2);
        std::this_thread::yield();
      }
      remote.Post([&] { done.Send(); });
    });
    done.Wait();
    sender.join();
    Sleep(absl::Milliseconds(1));
  });
  sigaction(SIGUSR2, &before, nullptr);
}

TEST_P(PollerTest, A12_16_AProcessStoppedAndContinuedGoesOn) {
  Pair ready;
  const pid_t child = fork();
  if (child == 0) {
    int result = 1;
    std::thread([&] {
      Hub::Configure({.poller = GetParam()});
      auto sleeper = Spawn([] { Sleep(absl::Milliseconds(5)); });
      if (write(ready.fd[1], "x", 1) != 1) _exit(2);
      sleeper.Wait();
      result = 0;
    }).join();
    _exit(result);
  }
  fcntl(ready.fd[0], F_SETFL, 0);
  char byte;
  ASSERT_EQ(read(ready.fd[0], &byte, 1), 1);
  kill(child, SIGSTOP);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, WUNTRACED), child);
  if (WIFSTOPPED(status)) {
    kill(child, SIGCONT);
    ASSERT_EQ(waitpid(child, &status, 0), child);
  }
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(PollerName, A12_2_OldNamesAndTheEnvironmentAreUnderstood) {
  EXPECT_EQ(PollerName("epolls"), "epoll");
  EXPECT_EQ(PollerName("io_uring"), "io_uring");
  EXPECT_EQ(PollerName("poll"), "poll");
  EXPECT_EQ(PollerName("selects"), "select");
  unsetenv("VERDANT_HUB");
  EXPECT_EQ(PollerName(nullptr), "epoll");
  setenv("VERDANT_HUB", "selects", 1);
  EXPECT_EQ(PollerName(nullptr), "select");
  EXPECT_EQ(PollerName("poll"), "poll");
  unsetenv("VERDANT_HUB");
}

TEST(PollerName, A18_TheEnvironmentChoosesTheHubsPoller) {
  setenv("VERDANT_HUB", "poll", 1);
  OnFreshThread([] { EXPECT_EQ(Hub::Current().poller(), "poll"); });
  setenv("VERDANT_HUB", "kqueue", 1);
  OnFreshThread([] { EXPECT_THROW(Hub::Current(), std::invalid_argument); });
  unsetenv("VERDANT_HUB");
}

TEST(PollerName, A12_2_AnUnknownOrBlankNameIsRefusedWithTheListOfNames) {
  for (const char* name : {"", " ", "kqueue"}) {
    try {
      PollerName(name);
      ADD_FAILURE() << name;
    } catch (const std::logic_error& e) {
      EXPECT_NE(std::string(e.what()).find("epoll, io_uring, poll and select"), std::string::npos);
    }
  }
  OnFreshThread([] {
    EXPECT_THROW(Hub::Configure({.poller = "kqueue"}), std::invalid_argument);
    EXPECT_EQ(Spawn([] { return 1; }).Wait(), 1);  // with the default instead
  });
}

}  // namespace
}  // namespace verdant
