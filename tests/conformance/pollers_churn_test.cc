// The hub's public I/O over each poller: many connections that come and go, and none at all.

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "green/socket.h"
#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "hub/io.h"
#include "hub/timeout.h"
#include "tests/hub/io_testing.h"
#include "tests/hub/poller_testing.h"

namespace verdant {
namespace {

INSTANTIATE_TEST_SUITE_P(B8_8, PollerTest, ::testing::ValuesIn(kPollers), PollerTestName);

// A wake-up that is lost shows as this.
constexpr absl::Duration kPatience = absl::Minutes(3);

void Echo(green::Socket& socket) {
  std::array<char, 64> buffer;
  for (;;) {
    const absl::StatusOr<std::size_t> got = socket.Recv(buffer);
    if (!got.ok() || *got == 0) return;
    if (!socket.SendAll({buffer.data(), *got}).ok()) return;
  }
}

// True if each of several balls came back.
bool PingPong(green::Socket& socket, int number) {
  for (int i = 0; i < 3; ++i) {
    const std::string ball = std::to_string(number) + "/" + std::to_string(i);
    std::string back(ball.size(), '\0');
    if (!socket.SendAll(ball).ok() || !socket.RecvExactly(back).ok() || back != ball) return false;
  }
  return true;
}

// `ahead`: the sockets receive and accept ahead of being asked, where that works.
void TenThousandComeAndGo(bool ahead) {
  constexpr int kConnections = 10000;
  constexpr int kAtOnce = 200;  // so that select can have them too
  green::Socket listener = *green::Socket::Listen(green::Address::LoopbackV4(0));
  const green::Address address = *listener.local();
  if (ahead) listener.AcceptAhead();
  int served = 0, opened = 0, good = 0;
  auto server = Spawn([&] {
    for (;;) {
      absl::StatusOr<green::Socket> accepted = listener.Accept();
      if (!accepted.ok()) return;
      if (ahead) accepted->ReceiveAhead();
      SpawnN([&served, socket = *std::move(accepted)]() mutable {
        Echo(socket);
        ++served;
      });
    }
  });
  std::vector<AnyGreenThread> clients;
  for (int i = 0; i < kAtOnce; ++i) {
    clients.push_back(Spawn([&] {
      while (opened < kConnections) {
        const int number = ++opened;
        absl::StatusOr<green::Socket> socket = green::Socket::Connect(address);
        if (socket.ok() && ahead) socket->ReceiveAhead();
        if (socket.ok() && PingPong(*socket, number)) ++good;
      }
    }));
  }
  EXPECT_TRUE(JoinAll(clients, kPatience)) << Hub::Current().DumpListeners();
  EXPECT_EQ(good, kConnections);
  const Deadline deadline = kPatience;
  while (served < kConnections && !deadline.Passed()) Sleep(absl::Milliseconds(1));
  EXPECT_EQ(served, kConnections);
  listener.Close();
  EXPECT_TRUE(server.Join(kPatience));
  EXPECT_EQ(Hub::Current().counts().waiting_for_io, 0u);
}

TEST_P(PollerTest, B8_8_TenThousandConnectionsComeAndGoWithoutALostWakeup) {
  OnHub([] { TenThousandComeAndGo(/*ahead=*/false); });
}

class AheadTest : public PollerTest {};
// One that does nothing ahead, and the one that does.
INSTANTIATE_TEST_SUITE_P(B8_8, AheadTest, ::testing::Values("epoll", "io_uring"), PollerTestName);

TEST_P(AheadTest, B8_8_TenThousandThatAreReceivedAheadComeAndGoWithoutALostWakeup) {
  OnHub([] { TenThousandComeAndGo(/*ahead=*/true); });
}

void CutOffInMidWait(bool ahead) {
  // The peer sends while this end times out, is killed or closed; the numbers are used again at
  // once.
  for (int i = 0; i < 2000; ++i) {
    auto pair = *green::Socket::Pair(SOCK_STREAM);
    if (ahead) pair.first.ReceiveAhead();
    std::array<char, 8> buffer;
    bool intact = true;
    auto reader = Spawn([&] {
      const absl::StatusOr<std::size_t> got =
          pair.first.Recv(buffer, i % 3 == 0 ? Deadline(absl::Microseconds(i % 50)) : Deadline());
      intact = !got.ok() || (*got == 1 && buffer[0] == static_cast<char>(i));
    });
    if (i % 2 == 0) Sleep();
    const char byte = static_cast<char>(i);
    if (i % 5 != 0) {
      ASSERT_TRUE(pair.second.SendAll({&byte, 1}).ok());
    }
    if (i % 7 == 0) Sleep(absl::Microseconds(20));
    if (i % 3 == 1) reader.Kill();
    if (i % 3 == 2) pair.first.Close();
    reader.Join();
    ASSERT_TRUE(intact) << i;
  }
  EXPECT_EQ(Hub::Current().counts().waiting_for_io, 0u);
}

TEST_P(PollerTest, ConnectionsCutOffInMidWaitLeaveTheNextOfTheirNumberAlone) {
  OnHub([] { CutOffInMidWait(/*ahead=*/false); });
}

TEST_P(AheadTest, ThoseReceivedAheadLeaveTheNextOfTheirNumberAloneToo) {
  OnHub([] { CutOffInMidWait(/*ahead=*/true); });
}

std::int64_t ThreadCpuNanos() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::int64_t{now.tv_sec} * 1000000000 + now.tv_nsec;
}

TEST_P(PollerTest, AnIdleHubUsesNoCpu) {
  OnHub([] {
    std::vector<std::pair<green::Socket, green::Socket>> pairs;
    std::vector<AnyGreenThread> readers;
    for (int i = 0; i < 50; ++i) pairs.push_back(*green::Socket::Pair(SOCK_STREAM));
    for (auto& pair : pairs) {
      readers.push_back(Spawn([&pair] {
        std::array<char, 8> buffer;
        pair.first.Recv(buffer).IgnoreError();
      }));
    }
    Pair watched;
    FdListener listener(watched.fd[0], [](std::uint32_t) {});
    listener.SetInterest(internal::kIoRead);
    Sleep(absl::Milliseconds(1));
    const std::uint64_t turns = Hub::Current().counts().turns;
    const std::int64_t cpu = ThreadCpuNanos();
    Sleep(absl::Milliseconds(300));
    EXPECT_LE(Hub::Current().counts().turns - turns, 5u);
    // A hub that spins would have used all of it.
    EXPECT_LT(ThreadCpuNanos() - cpu, 150000000);
    KillAll(readers);
  });
}

TEST_P(PollerTest, A12_17_AForkedChildHasAHubOfItsOwnAndTheParentsConnectionsGoOn) {
  OnHub([] {
    auto ours = *green::Socket::Pair(SOCK_STREAM);
    auto childs = *green::Socket::Pair(SOCK_STREAM);
    auto reader = Spawn([&] {
      std::string text(4, '\0');
      EXPECT_TRUE(ours.first.RecvExactly(text).ok());
      return text;
    });
    Sleep();
    const pid_t child = fork();
    if (child == 0) {
      Hub& hub = Hub::Configure({.poller = GetParam()});
      if (hub.poller() != GetParam()) _exit(1);
      auto pair = *green::Socket::Pair(SOCK_STREAM);
      auto echo = Spawn([&] { Echo(pair.second); });
      if (!PingPong(pair.first, 1)) _exit(2);
      pair.first.Close();
      echo.Wait();
      // Inherited, and still good for the parent when this is closed.
      std::string text(4, '\0');
      if (!childs.first.RecvExactly(text).ok() || text != "work") _exit(3);
      ours.first.Close();
      ours.second.Close();
      if (!childs.first.SendAll("done").ok()) _exit(4);
      _exit(0);
    }
    ASSERT_TRUE(childs.second.SendAll("work").ok());
    std::string text(4, '\0');
    ASSERT_TRUE(childs.second.RecvExactly(text, absl::Seconds(60)).ok());
    EXPECT_EQ(text, "done");
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    ASSERT_TRUE(ours.second.SendAll("ping").ok());
    EXPECT_EQ(reader.Wait(), "ping");
  });
}

}  // namespace
}  // namespace verdant
