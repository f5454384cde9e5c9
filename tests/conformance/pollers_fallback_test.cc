// Machines that have no io_uring, made by a filter of system calls.

#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <thread>

#include "green/socket.h"
#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "hub/io.h"
#include "tests/hub/io_testing.h"
#include "tests/testing/forbidden_call.h"

namespace verdant {
namespace {

constexpr int kNoFilters = 77;

// A hub that asked for io_uring does its work with epoll.
bool Works() {
  if (Hub::Configure({.poller = "io_uring"}).poller() != "epoll") return false;
  Pair pair;
  IoDescriptor reader = MustRegister(pair.fd[0]);
  reader.ReadWouldBlock();
  auto writer = Spawn([&] { return write(pair.fd[1], "x", 1); });
  return reader.WaitReadable() == IoWait::kReady && writer.Wait() == 1;
}

struct Outcome {
  int status = -1;
  std::string err;
};

Outcome InChild(unsigned error) {
  std::array<int, 2> err;
  Outcome outcome;
  if (pipe(err.data()) != 0) return outcome;
  const pid_t child = fork();
  if (child == 0) {
    dup2(err[1], STDERR_FILENO);
    if (!ForbidCall(SYS_io_uring_setup, error)) _exit(kNoFilters);
    bool first = false, second = false;
    std::thread([&] { first = Works(); }).join();
    std::thread([&] { second = Works(); }).join();
    _exit(first && second ? 0 : 1);
  }
  close(err[1]);
  std::array<char, 1024> buffer;
  for (ssize_t n; (n = read(err[0], buffer.data(), buffer.size())) > 0;) {
    outcome.err.append(buffer.data(), static_cast<std::size_t>(n));
  }
  close(err[0]);
  int status = -1;
  waitpid(child, &status, 0);
  outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

TEST(UringFallback, A12_2_B8_8_AHubThatMayNotHaveItTakesEpollAndSaysWhyInOneLine) {
  for (const unsigned error : {ENOSYS, EPERM}) {
    const Outcome outcome = InChild(error);
    if (outcome.status == kNoFilters) GTEST_SKIP() << "no filters of system calls here";
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    EXPECT_EQ(outcome.err.find("verdant: no io_uring (io_uring_setup"), 0u) << outcome.err;
    EXPECT_NE(outcome.err.find(error == ENOSYS ? "not implemented" : "not permitted"),
              std::string::npos)
        << outcome.err;
    EXPECT_NE(outcome.err.find("using epoll"), std::string::npos) << outcome.err;
  }
}

TEST(UringFallback, AHubThatMayNotHaveBuffersThereReceivesWhenAsked) {
  const pid_t child = fork();
  if (child == 0) {
    if (Hub::Configure({.poller = "io_uring"}).poller() != "io_uring") _exit(kNoFilters);
    if (!ForbidCall(SYS_io_uring_register, EPERM)) _exit(kNoFilters);
    auto pair = *green::Socket::Pair(SOCK_STREAM);
    if (pair.first.ReceiveAhead()) _exit(1);
    auto sender = Spawn([&] { return pair.second.SendAll("works").ok(); });
    std::array<char, 5> buffer;
    _exit(pair.first.RecvExactly(buffer).ok() && sender.Wait() ? 0 : 2);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kNoFilters) GTEST_SKIP() << "no io_uring or no filters here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace verdant
