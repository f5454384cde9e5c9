// What the kernel takes ahead of being asked (green/socket.h), as whoever reads and writes sees it.

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "green/socket.h"
#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "hub/timeout.h"
#include "tests/green/socket_ahead_testing.h"
#include "tests/green/stream_testing.h"
#include "tests/hub/poller_testing.h"

namespace verdant::green {
namespace {

INSTANTIATE_TEST_SUITE_P(B8_8, SocketAhead, ::testing::ValuesIn(kPollers), PollerTestName);

// Bytes that the kernel still has.
int InKernel(const Socket& socket) {
  int bytes = -1;
  ioctl(socket.fd(), FIONREAD, &bytes);
  return bytes;
}

void CloseWithReset(Socket& socket) {
  const linger abort_on_close = {1, 0};
  setsockopt(socket.fd(), SOL_SOCKET, SO_LINGER, &abort_on_close, sizeof(linger));
  socket.Close();
}

TEST_P(SocketAhead, B8_8_TwoGreenThreadsPlayPingPong) {
  OnHub([] {
    Connection c = TcpAhead();
    PlayPingPong(c.client, c.server, 1000);
  });
}

TEST_P(SocketAhead, LargeTransfersPassWholeBothWays) {
  OnHub([] {
    const std::string data = Pattern(5 << 20);
    const auto exchange = [&](Socket& a, Socket& b) {
      std::vector<AnyGreenThread> threads;
      for (Socket* end : {&a, &b}) {
        threads.push_back(Spawn([end, &data] {
          EXPECT_TRUE(end->SendAll(data).ok());
          EXPECT_TRUE(end->ShutdownSend().ok());
        }));
        threads.push_back(Spawn([end, &data] { EXPECT_TRUE(RecvAll(*end) == data); }));
      }
      EXPECT_TRUE(JoinAll(threads, kPatience)) << Hub::Current().DumpListeners();
    };
    Connection tcp = TcpAhead();
    exchange(tcp.client, tcp.server);
    auto pair = UnixAhead();
    exchange(pair.first, pair.second);
  });
}

TEST_P(SocketAhead, WhatHasComeIsInTheSocketWhereItWorks) {
  OnHub([] {
    auto [a, b] = UnixAhead();
    ASSERT_TRUE(a.SendAll("hello").ok());
    if (!Works()) {
      EXPECT_FALSE(b.HoldsAhead());
      EXPECT_EQ(InKernel(b), 5);
    } else {
      LetItCome(b);
      EXPECT_EQ(InKernel(b), 0);
    }
    EXPECT_TRUE(b.WaitReadable(Deadline(absl::ZeroDuration()), "a test of ").ok());
    std::array<char, 3> buffer;
    EXPECT_EQ(*b.Recv(buffer, absl::ZeroDuration()), 3u);
    const absl::StatusOr<Socket::Datagram> rest = b.RecvFrom(buffer, absl::ZeroDuration());
    ASSERT_TRUE(rest.ok()) << rest.status();
    EXPECT_EQ(rest->size, 2u);
    EXPECT_EQ(buffer[1], 'o');
    EXPECT_FALSE(b.HoldsAhead());
    EXPECT_EQ(b.TryRecv(buffer), -EAGAIN);
    EXPECT_EQ(b.Recv(buffer, absl::Milliseconds(1)).status().code(),
              absl::StatusCode::kDeadlineExceeded);
  });
}

TEST_P(SocketAhead, TheEndComesAfterTheDataAgainAndAgain) {
  OnHub([] {
    Connection c = TcpAhead();
    ASSERT_TRUE(c.client.SendAll("last").ok());
    c.client.Close();
    Sleep(absl::Milliseconds(1));
    EXPECT_EQ(RecvText(c.server, 4), "last");
    std::array<char, 8> buffer;
    for (int i = 0; i < 3; ++i) EXPECT_EQ(*c.server.Recv(buffer), 0u);
    c.server.StopAhead();
    for (int i = 0; i < 3; ++i) EXPECT_EQ(*c.server.Recv(buffer), 0u);
    EXPECT_TRUE(c.server.ShutdownSend().ok());
  });
}

TEST_P(SocketAhead, AResetComesAfterTheDataAndOnce) {
  OnHub([] {
    Connection c = TcpAhead();
    ASSERT_TRUE(c.client.SendAll("last").ok());
    Sleep(absl::Milliseconds(1));
    CloseWithReset(c.client);
    Sleep(absl::Milliseconds(1));
    EXPECT_EQ(RecvText(c.server, 4), "last");
    std::array<char, 8> buffer;
    EXPECT_EQ(ErrnoOf(c.server.Recv(buffer).status()), ECONNRESET);
    EXPECT_EQ(*c.server.Recv(buffer), 0u);
  });
}

TEST_P(SocketAhead, AWriterThatWaitsGoesOnThoughReadingChanges) {
  OnHub([] {
    const std::string data = Pattern(8 << 20);
    // Waiting before, and from after it began.
    for (const bool before : {true, false}) {
      auto [a, b] = *Socket::Pair(SOCK_STREAM);
      if (!before) a.ReceiveAhead();
      auto writer = Spawn([&a = a, &data] { return a.SendAll(data, kPatience).ok(); });
      Sleep();
      Sleep();
      if (before) a.ReceiveAhead();
      Sleep();
      a.StopAhead();
      Sleep();
      a.ReceiveAhead();
      ASSERT_TRUE(b.SendAll("up").ok());
      EXPECT_EQ(RecvText(a, 2), "up");
      EXPECT_TRUE(RecvText(b, data.size()) == data);
      EXPECT_TRUE(writer.Wait());
    }
  });
}

TEST_P(SocketAhead, AKilledOrTimedOutReaderLosesNothing) {
  OnHub([] {
    auto [a, b] = UnixAhead();
    std::array<char, 2> buffer;
    EXPECT_FALSE(WithTimeout(absl::Milliseconds(1), [&, &b = b] { (void)b.Recv(buffer); }));
    auto reader = Spawn([&, &b = b] { (void)b.Recv(buffer); });
    Sleep();
    ASSERT_TRUE(a.SendAll("ok").ok());
    reader.Kill();
    reader.Join();
    EXPECT_EQ(RecvText(b, 2), "ok");
  });
}

TEST_P(SocketAhead, B9_3_ASecondReaderIsAnErrorThatNamesBoth) {
  OnHub([] {
    auto [a, b] = UnixAhead();
    auto first = Spawn([&b = b] {
      std::array<char, 1> buffer;
      (void)b.Recv(buffer);
    });
    first.SetName("first reader");
    Sleep(absl::Milliseconds(1));
    std::array<char, 1> buffer;
    try {
      (void)b.Recv(buffer);
      ADD_FAILURE() << "a second reader was let in";
    } catch (const std::logic_error& error) {
      EXPECT_NE(std::string(error.what()).find("first reader"), std::string::npos) << error.what();
    }
    ASSERT_TRUE(a.SendAll("x").ok());
    first.Wait();
    Hub::Current().SetPreventMultipleWaiters(false);
    std::vector<AnyGreenThread> readers;
    for (int i = 0; i < 2; ++i) readers.push_back(Spawn([&b = b] { RecvText(b, 1); }));
    Sleep(absl::Milliseconds(1));
    ASSERT_TRUE(a.SendAll("yz").ok());
    EXPECT_TRUE(JoinAll(readers, kPatience));
  });
}

TEST_P(SocketAhead, APeerCanFillOnlySoMuchOfASocketThatNobodyReads) {
  OnHub([] {
    const auto fill = [](Socket& to) {
      std::size_t sent = 0;
      const std::string data(16 << 20, 'x');
      EXPECT_EQ(to.SendAll(data, absl::Milliseconds(50), &sent).code(),
                absl::StatusCode::kDeadlineExceeded);
      return sent;
    };
    auto plain = *Socket::Pair(SOCK_STREAM);
    const std::size_t kernels = fill(plain.first);
    auto [a, b] = UnixAhead();
    const std::size_t sent = fill(a);
    EXPECT_LE(sent, kernels + (64 << 10) + (4 << 20));
    a.Close();
    EXPECT_EQ(RecvAll(b).size(), sent);
  });
}

TEST_P(SocketAhead, OneThatIsFloodedStarvesNoOther) {
  OnHub([] {
    auto [flood, flooded] = UnixAhead();
    auto [a, b] = UnixAhead();
    auto flooding = Spawn([&flood = flood] {
      const std::string data(1 << 20, 'x');
      while (flood.SendAll(data).ok()) {
      }
    });
    auto reading = Spawn([&flooded = flooded] {
      std::array<char, 100> buffer;
      while (flooded.Recv(buffer).ok()) Sleep();
    });
    for (int i = 0; i < 100; ++i) {
      ASSERT_TRUE(a.SendAll("ball").ok());
      ASSERT_EQ(RecvText(b, 4), "ball");
      ASSERT_TRUE(b.SendAll("back").ok());
      ASSERT_EQ(RecvText(a, 4), "back");
    }
    flooding.Kill();
    reading.Kill();
  });
}

TEST_P(SocketAhead, OfManyAtOnceNoneIsLost) {
  OnHub([&] {
    // More than there are buffers, and than fit into any queue of the kernel's.
    const OpenFiles files(12000);
    const std::size_t pairs =
        IsSelect() ? 400 : std::min<std::size_t>(5000, (files.allowed() - 100) / 2);
    std::vector<std::pair<Socket, Socket>> open;
    for (std::size_t i = 0; i < pairs; ++i) {
      open.push_back(*Socket::Pair(SOCK_STREAM));
      open.back().second.ReceiveAhead();
      if (i % 2 == 0) {
        ASSERT_TRUE(open.back().first.SendAll(std::to_string(i)).ok());
      }
    }
    Sleep(absl::Milliseconds(1));
    std::vector<GreenThread<std::string>> readers;
    for (auto& pair : open) {
      readers.push_back(Spawn([&pair] { return RecvAll(pair.second); }));
    }
    Sleep();
    for (std::size_t i = 0; i < pairs; ++i) {
      if (i % 2 != 0) {
        ASSERT_TRUE(open[i].first.SendAll(std::to_string(i)).ok());
      }
      open[i].first.Close();
    }
    for (std::size_t i = 0; i < pairs; ++i) ASSERT_EQ(readers[i].Wait(), std::to_string(i));
  });
}

TEST_P(SocketAhead, WhatCannotDoItIsToldSoWhateverThePoller) {
  OnHub([] {
    auto [a, b] = *Socket::Pair(SOCK_STREAM);
    EXPECT_THROW(a.AcceptAhead(), std::logic_error);
    Socket datagrams = *Socket::BindDatagram(Address::LoopbackV4(0));
    EXPECT_THROW(datagrams.ReceiveAhead(), std::logic_error);
    EXPECT_THROW(datagrams.AcceptAhead(), std::logic_error);
    Socket closed;
    EXPECT_FALSE(closed.ReceiveAhead());
    EXPECT_FALSE(closed.AcceptAhead());
    closed.StopAhead();
    a.StopAhead();
    EXPECT_FALSE(closed.HoldsAhead() || a.HoldsAhead());
  });
}

}  // namespace
}  // namespace verdant::green
