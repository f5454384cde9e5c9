// What a poller may offer beyond readiness (hub/internal/intake.h), at its own level.

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "hub/internal/intake.h"
#include "hub/internal/poller.h"
#include "tests/hub/io_testing.h"
#include "tests/hub/poller_testing.h"

namespace verdant {
namespace {

using internal::Completions;
using internal::Intake;
using internal::kIoRead;
using internal::kIoWrite;
using internal::Poller;
using internal::Trigger;

void MustWatch(Poller& poller, int fd, std::uint64_t key) {
  ASSERT_TRUE(poller.Watch(fd, kIoRead | kIoWrite, Trigger::kEdge, key, false).ok());
}

std::string Take(Intake& intake) {
  std::array<char, 100> buffer;
  const ssize_t got = intake.TakeBytes(buffer);
  return got < 0 ? "" : std::string(buffer.data(), static_cast<std::size_t>(got));
}

INSTANTIATE_TEST_SUITE_P(B8_8, PollerTest, ::testing::ValuesIn(kPollers), PollerTestName);

TEST_P(PollerTest, OnlyIoUringOffersIt) {
  if (std::string_view(GetParam()) != "io_uring") {
    EXPECT_EQ(poller_->completions(), nullptr);
  }
}

// Older kernels know only some of the ways.
class UringAhead : public ::testing::TestWithParam<std::size_t> {
 protected:
  void SetUp() override {
    absl::StatusOr<std::unique_ptr<Poller>> made = internal::MakeUringPoller(GetParam());
    if (!made.ok()) GTEST_SKIP() << made.status();
    poller_ = *std::move(made);
    completions_ = poller_->completions();
    if (completions_ == nullptr) GTEST_SKIP() << "this kernel does not know how";
  }

  std::unique_ptr<Poller> poller_;
  Completions* completions_ = nullptr;
};

INSTANTIATE_TEST_SUITE_P(B8_8, UringAhead, ::testing::Range(std::size_t{0}, internal::UringWays()));

TEST_P(UringAhead, B8_8_BytesComeWithoutBeingAskedForUntilItEnds) {
  Pair pair;
  MustWatch(*poller_, pair.fd[0], 7);
  Intake intake(Intake::Kind::kBytes);
  ASSERT_TRUE(completions_->Begin(pair.fd[0], intake));
  EXPECT_EQ(Look(*poller_), Found{});
  EXPECT_EQ(intake.TakeBytes({}), -EAGAIN);
  for (int i = 0; i < 300; ++i) {  // more than there are buffers
    // While it sleeps, as a rule.
    std::jthread writer([&] { EXPECT_EQ(write(pair.fd[1], "x", 1), 1); });
    if (kUringStopsOtherThreads) writer.join();
    EXPECT_EQ(Look(*poller_, -1), (Found{{7, kIoRead}}));
    ASSERT_EQ(Take(intake), "x");
  }
  ASSERT_EQ(write(pair.fd[1], "ahead", 5), 5);
  completions_->End(intake);
  EXPECT_FALSE(intake.running());
  // What came just before is there or still in the kernel, what comes from now on in the kernel.
  std::string got = Take(intake);
  ASSERT_EQ(write(pair.fd[1], " and after", 10), 10);
  Look(*poller_);
  EXPECT_FALSE(intake.holds());
  std::array<char, 100> buffer;
  const ssize_t rest = read(pair.fd[0], buffer.data(), buffer.size());
  ASSERT_GE(rest, 10);
  got.append(buffer.data(), static_cast<std::size_t>(rest));
  EXPECT_EQ(got, "ahead and after");
}

// Of the Unix family, with a name of the kernel's choice.
struct Listener {
  Listener() {
    sockaddr name = {.sa_family = AF_UNIX, .sa_data = {}};
    EXPECT_EQ(bind(fd, &name, sizeof(name.sa_family)), 0);
    EXPECT_EQ(listen(fd, 100), 0);
    EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() { Close(); }
  void Close() {
    if (fd >= 0) close(std::exchange(fd, -1));
  }
  int Connect() const {
    const int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(connect(client, reinterpret_cast<const sockaddr*>(&address), size), 0);
    return client;
  }

  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_storage address = {};
  socklen_t size = sizeof(address);
};

TEST_P(UringAhead, ConnectionsComeWithoutBeingAskedFor) {
  const Listener listener;
  MustWatch(*poller_, listener.fd, 8);
  Intake intake(Intake::Kind::kConnections);
  ASSERT_TRUE(completions_->Begin(listener.fd, intake));
  for (int i = 0; i < 10; ++i) {
    const int client = listener.Connect();
    EXPECT_EQ(Look(*poller_, -1), (Found{{8, kIoRead}}));
    const int accepted = intake.TakeConnection();
    ASSERT_GE(accepted, 0);
    close(accepted);
    close(client);
    EXPECT_EQ(intake.TakeConnection(), -EAGAIN);
  }
}

TEST_P(UringAhead, AConnectionThatNobodyTakesIsClosedHoweverFarItHasCome) {
  for (const bool seen : {true, false}) {
    Listener listener;
    MustWatch(*poller_, listener.fd, 9);
    Intake intake(Intake::Kind::kConnections);
    ASSERT_TRUE(completions_->Begin(listener.fd, intake));
    Look(*poller_);
    const int client = listener.Connect();
    if (seen) Look(*poller_);
    poller_->Unwatch(listener.fd);
    listener.Close();
    char byte;
    const ssize_t got = recv(client, &byte, 1, MSG_DONTWAIT);
    EXPECT_TRUE(got == 0 || (got < 0 && errno == ECONNRESET)) << got << " " << errno;
    close(client);
  }
}

TEST_P(UringAhead, WhatANumberBroughtIsNotTheNextOnes) {
  for (int i = 0; i < 300; ++i) {
    Pair pair;
    MustWatch(*poller_, pair.fd[0], 1);
    Intake intake(Intake::Kind::kBytes);
    ASSERT_TRUE(completions_->Begin(pair.fd[0], intake));
    if (i % 2 == 0) Look(*poller_);
    ASSERT_EQ(write(pair.fd[1], "x", 1), 1);
    if (i % 3 == 0) Look(*poller_);
    poller_->Unwatch(pair.fd[0]);
    EXPECT_FALSE(intake.running());
    EXPECT_FALSE(intake.holds());
  }
  EXPECT_EQ(Look(*poller_), Found{});
}

TEST_P(UringAhead, EndsWithThePoller) {
  Pair pair;
  MustWatch(*poller_, pair.fd[0], 1);
  Intake intake(Intake::Kind::kBytes);
  ASSERT_TRUE(completions_->Begin(pair.fd[0], intake));
  Look(*poller_);
  poller_.reset();
  EXPECT_FALSE(intake.running());
  pair.Close(0);
  char byte;
  EXPECT_EQ(read(pair.fd[1], &byte, 1), 0);
}

// Closes what the process has of io_uring.
void CloseRings() {
  for (int fd = 3; fd < 100; ++fd) {
    std::array<char, 64> target = {};
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    if (readlink(link.c_str(), target.data(), target.size() - 1) > 0 &&
        std::string_view(target.data()) == "anon_inode:[io_uring]") {
      close(fd);
    }
  }
}

TEST_P(UringAhead, AKernelThatDoesNotAnswerAnyMoreIsNotWaitedForForEver) {
  Pair pair;
  MustWatch(*poller_, pair.fd[0], 7);
  Intake intake(Intake::Kind::kBytes);
  ASSERT_TRUE(completions_->Begin(pair.fd[0], intake));
  ASSERT_EQ(write(pair.fd[1], "x", 1), 1);
  EXPECT_EQ(Look(*poller_, -1), (Found{{7, kIoRead}}));
  CloseRings();
  EXPECT_FALSE(completions_->End(intake));
  EXPECT_TRUE(intake.running());
  EXPECT_EQ(Take(intake), "x");
}

}  // namespace
}  // namespace verdant
