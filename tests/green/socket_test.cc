#include "green/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "hub/timeout.h"
#include "tests/green/stream_testing.h"

namespace verdant::green {
namespace {

TEST(Socket, TwoGreenThreadsPlayPingPong) {
  Connection c = TcpConnection();
  PlayPingPong(c.client, c.server, 1000);
}

TEST(Socket, LargeTransfersPassWhole) {
  Connection c = TcpConnection();
  const std::string data = Pattern(5 << 20);
  std::size_t sent = 0;
  auto sender = Spawn([&] {
    ASSERT_TRUE(c.client.SendAll(data, Deadline::Never(), &sent).ok());
    ASSERT_TRUE(c.client.ShutdownSend().ok());
  });
  EXPECT_TRUE(RecvAll(c.server) == data);
  sender.Wait();
  EXPECT_EQ(sent, data.size());
}

TEST(Socket, ManyPiecesPassInOrder) {
  Connection c = TcpConnection();
  std::vector<std::string> owned;
  std::string expected;
  for (std::size_t i = 0; i < 500; ++i) {
    owned.push_back(i % 3 == 0 ? "" : Pattern(i * 20));
    expected += owned.back();
  }
  std::vector<std::string_view> pieces(owned.begin(), owned.end());
  std::size_t sent = 0;
  auto sender = Spawn([&] {
    ASSERT_TRUE(c.client.SendAll(pieces, Deadline::Never(), &sent).ok());
    c.client.Close();
  });
  EXPECT_TRUE(RecvAll(c.server) == expected);
  sender.Wait();
  EXPECT_EQ(sent, expected.size());
}

TEST(Socket, B9_4_SendingNothingIsNoOperation) {
  Connection c = TcpConnection();
  EXPECT_TRUE(c.client.SendAll("").ok());
  EXPECT_TRUE(c.client.SendAll(std::span<const std::string_view>()).ok());
  const std::vector<std::string_view> empties(100);
  EXPECT_TRUE(c.client.SendAll(empties).ok());
  EXPECT_EQ(*c.client.Send(""), 0u);
  EXPECT_EQ(*c.client.Recv({}), 0u);
}

TEST(Socket, RecvTakesWhatHasCome) {
  Connection c = TcpConnection();
  ASSERT_TRUE(c.client.SendAll("abc").ok());
  std::array<char, 100> buffer;
  EXPECT_EQ(*c.server.Recv(buffer), 3u);
  ASSERT_TRUE(c.client.SendAll("defgh").ok());
  EXPECT_EQ(*c.server.Recv({buffer.data(), 2}), 2u);
  EXPECT_EQ(*c.server.Recv(buffer), 3u);
  EXPECT_EQ(buffer[0], 'f');
}

TEST(Socket, TheEndOfTheStreamIsReadAgainAndAgain) {
  Connection c = TcpConnection();
  ASSERT_TRUE(c.client.SendAll("last").ok());
  c.client.Close();
  EXPECT_EQ(RecvText(c.server, 4), "last");
  std::array<char, 8> buffer;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(*c.server.Recv(buffer), 0u);
}

TEST(Socket, RecvExactlyTellsHowFarItCame) {
  Connection c = TcpConnection();
  ASSERT_TRUE(c.client.SendAll("abc").ok());
  std::array<char, 10> buffer;
  std::size_t received = 99;
  absl::Status status = c.server.RecvExactly(buffer, absl::Milliseconds(1), &received);
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(received, 3u);
  c.client.Close();
  status = c.server.RecvExactly(buffer, Deadline::Never(), &received);
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(status.message(),
            "recv from " + c.server.peer().ToString() + ": end of stream after 0 of 10 bytes");
}

TEST(Socket, RecvGivesUpAtTheDeadlineAndTheSocketStaysUsable) {
  Connection c = TcpConnection();
  std::array<char, 4> buffer;
  const absl::Status status = c.client.Recv(buffer, absl::Milliseconds(1)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(status.message(), "recv from " + c.client.peer().ToString() + ": timed out");
  ASSERT_TRUE(c.server.SendAll("late").ok());
  EXPECT_EQ(RecvText(c.client, 4), "late");
}

TEST(Socket, SendAllsDeadlineIsForAllOfIt) {
  Connection c = TcpConnection();
  const std::string data(32 << 20, 'x');
  std::size_t sent = 0;
  const absl::Status status = c.client.SendAll(data, absl::Milliseconds(20), &sent);
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(status.message(), "send to " + c.client.peer().ToString() + ": timed out");
  EXPECT_GT(sent, 0u);
  EXPECT_LT(sent, data.size());
  auto rest = Spawn([&] {
    ASSERT_TRUE(c.client.SendAll(std::string_view(data).substr(sent)).ok());
    c.client.Close();
  });
  EXPECT_TRUE(RecvAll(c.server) == data);
  rest.Wait();
}

TEST(Socket, ATimeoutUnwindsFromRecvAndNothingIsLost) {
  Connection c = TcpConnection();
  std::array<char, 2> buffer;
  EXPECT_FALSE(WithTimeout(absl::Milliseconds(1), [&] { (void)c.server.Recv(buffer); }));
  ASSERT_TRUE(c.client.SendAll("ok").ok());
  EXPECT_EQ(RecvText(c.server, 2), "ok");
}

TEST(Socket, B9_2_CloseWakesWhoeverWaitsWithEbadf) {
  Connection c = TcpConnection();
  const std::string peer = c.server.peer().ToString();
  auto reader = Spawn([&] {
    std::array<char, 1> buffer;
    return c.server.Recv(buffer).status();
  });
  auto writer = Spawn([&] { return c.server.SendAll(std::string(32 << 20, 'x')); });
  Sleep();  // both run until they wait
  ASSERT_FALSE(reader.Ready() || writer.Ready());
  c.server.Close();
  EXPECT_TRUE(c.server.closed());
  const absl::Status read = reader.Wait();
  EXPECT_EQ(ErrnoOf(read), EBADF);
  EXPECT_EQ(read.message(),
            "recv from " + peer + ": closed by another green thread: Bad file descriptor");
  EXPECT_EQ(ErrnoOf(writer.Wait()), EBADF);
}

TEST(Socket, CloseWinsOverDataThatCameJustBefore) {
  Connection c = TcpConnection();
  auto reader = Spawn([&] {
    std::array<char, 1> buffer;
    return c.server.Recv(buffer).status();
  });
  Sleep();
  // Another socket may get the closed one's number before the reader runs.
  ASSERT_TRUE(c.client.SendAll("x").ok());
  Hub::Current().Yield();
  if (!reader.Ready()) {
    c.server.Close();
    Connection other = TcpConnection();
    EXPECT_EQ(ErrnoOf(reader.Wait()), EBADF);
  }
}

TEST(Socket, AClosedSocketAnswersEveryCallWithEbadf) {
  Socket closed;
  std::array<char, 1> buffer;
  EXPECT_EQ(ErrnoOf(closed.Recv(buffer).status()), EBADF);
  EXPECT_EQ(closed.Recv(buffer).status().message(),
            "recv from a closed socket: Bad file descriptor");
  EXPECT_EQ(ErrnoOf(closed.Send("x").status()), EBADF);
  EXPECT_EQ(ErrnoOf(closed.SendAll("x")), EBADF);
  EXPECT_EQ(ErrnoOf(closed.ShutdownSend()), EBADF);
  EXPECT_EQ(ErrnoOf(closed.Accept().status()), EBADF);
  EXPECT_EQ(ErrnoOf(closed.RecvFrom(buffer).status()), EBADF);
  EXPECT_EQ(ErrnoOf(closed.SendTo("x", Address::LoopbackV4(1))), EBADF);
  EXPECT_EQ(ErrnoOf(closed.local().status()), EBADF);
  EXPECT_EQ(ErrnoOf(closed.SetNoDelay(true)), EBADF);
  EXPECT_EQ(closed.TryRecv(buffer), -EBADF);
  EXPECT_EQ(closed.TrySend("x"), -EBADF);
  closed.Close();
}

TEST(Socket, B9_3_ASecondReaderIsAnErrorThatNamesBoth) {
  Connection c = TcpConnection();
  auto first = Spawn([&] {
    std::array<char, 1> buffer;
    (void)c.server.Recv(buffer);
  });
  first.SetName("first reader");
  Sleep();
  std::array<char, 1> buffer;
  try {
    (void)c.server.Recv(buffer);
    ADD_FAILURE() << "a second reader was let in";
  } catch (const std::logic_error& error) {
    EXPECT_NE(std::string(error.what()).find("first reader"), std::string::npos) << error.what();
  }
  ASSERT_TRUE(c.client.SendAll("x").ok());
  first.Wait();
}

TEST(Socket, HalfCloseLeavesTheOtherDirectionOpen) {
  Connection c = TcpConnection();
  const std::string data = Pattern(8 << 20);
  auto server = Spawn([&] {
    EXPECT_EQ(RecvAll(c.server), "request");
    // More than the kernel buffers: the writer has to wait although the reader's side is over.
    EXPECT_TRUE(c.server.SendAll(data).ok());
    c.server.Close();
  });
  ASSERT_TRUE(c.client.SendAll("request").ok());
  ASSERT_TRUE(c.client.ShutdownSend().ok());
  EXPECT_TRUE(RecvAll(c.client) == data);
  server.Wait();
}

TEST(Socket, SendingToAHalfClosedPeerThatDoesNotReadLetsOthersRun) {
  Connection c = TcpConnection();
  ASSERT_TRUE(c.client.ShutdownSend().ok());
  EXPECT_EQ(RecvAll(c.server), "");
  EXPECT_EQ(c.server.SendAll(std::string(32 << 20, 'x'), absl::Milliseconds(20)).code(),
            absl::StatusCode::kDeadlineExceeded);
}

TEST(Socket, AResetIsReportedAsOne) {
  Connection c = TcpConnection();
  const linger abort_on_close = {1, 0};
  ASSERT_EQ(setsockopt(c.client.fd(), SOL_SOCKET, SO_LINGER, &abort_on_close, sizeof(linger)), 0);
  c.client.Close();
  std::array<char, 1> buffer;
  const absl::Status status = c.server.Recv(buffer).status();
  EXPECT_EQ(ErrnoOf(status), ECONNRESET);
  EXPECT_EQ(status.message(),
            "recv from " + c.server.peer().ToString() + ": Connection reset by peer");
}

TEST(Socket, SendingToAPeerThatHasGoneRaisesNoSignal) {
  Connection c = TcpConnection();
  c.client.Close();
  absl::Status status;
  while (status.ok()) status = c.server.SendAll("into the void");
  EXPECT_TRUE(ErrnoOf(status) == EPIPE || ErrnoOf(status) == ECONNRESET) << status;
  EXPECT_TRUE(c.server.ShutdownSend().ok());
}

TEST(Socket, ReleaseAndAdoptCarryAConnectionOver) {
  Connection c = TcpConnection();
  const Address peer = c.server.peer();
  const int fd = c.server.Release();
  EXPECT_TRUE(c.server.closed());
  Socket adopted = *Socket::Adopt(fd);
  EXPECT_EQ(adopted.fd(), fd);
  EXPECT_EQ(adopted.peer(), peer);
  ASSERT_TRUE(c.client.SendAll("hello").ok());
  EXPECT_EQ(RecvText(adopted, 5), "hello");
}

TEST(Socket, WhatIsNoSocketIsNotAdoptedAndStaysOpen) {
  const int fd = open("/dev/null", O_RDWR);
  EXPECT_EQ(ErrnoOf(Socket::Adopt(fd).status()), ENOTSOCK);
  EXPECT_EQ(close(fd), 0);
  EXPECT_EQ(ErrnoOf(Socket::Adopt(-1).status()), EBADF);
}

TEST(Socket, MovingLeavesAClosedSocketAndClosesTheTarget) {
  Connection a = TcpConnection();
  Connection b = TcpConnection();
  a.server = std::move(b.server);
  EXPECT_TRUE(b.server.closed());
  EXPECT_EQ(RecvAll(a.client), "");
  ASSERT_TRUE(b.client.SendAll("moved").ok());
  EXPECT_EQ(RecvText(a.server, 5), "moved");
}

TEST(Pair, StreamsAndDatagramsWork) {
  auto [a, b] = *Socket::Pair(SOCK_STREAM);
  const std::string data = Pattern(1 << 20);
  auto sender = Spawn([&a = a, &data] {
    ASSERT_TRUE(a.SendAll(data).ok());
    a.Close();
  });
  EXPECT_TRUE(RecvAll(b) == data);
  sender.Wait();
  auto [c, d] = *Socket::Pair(SOCK_DGRAM);
  ASSERT_TRUE(c.Send("one").ok());
  ASSERT_TRUE(c.Send("").ok());
  ASSERT_TRUE(c.Send("three").ok());
  std::array<char, 10> buffer;
  EXPECT_EQ(*d.Recv(buffer), 3u);
  EXPECT_EQ(*d.Recv(buffer), 0u);
  EXPECT_EQ(*d.Recv(buffer), 5u);
}

TEST(Datagram, TellsWhoSentItAndWhetherItWasCutOff) {
  Socket server = *Socket::BindDatagram(Address::LoopbackV4(0));
  Socket client = *Socket::BindDatagram(Address::LoopbackV4(0));
  auto serving = Spawn([&] {
    std::array<char, 4> buffer;
    for (int i = 0; i < 2; ++i) {
      const absl::StatusOr<Socket::Datagram> got = server.RecvFrom(buffer);
      ASSERT_TRUE(got.ok()) << got.status();
      EXPECT_EQ(got->from, *client.local());
      EXPECT_EQ(got->truncated, i == 1);
      ASSERT_TRUE(server.SendTo({buffer.data(), got->size}, got->from).ok());
    }
  });
  std::array<char, 100> buffer;
  ASSERT_TRUE(client.SendTo("abc", *server.local()).ok());
  EXPECT_EQ(client.RecvFrom(buffer)->size, 3u);
  ASSERT_TRUE(client.SendTo("too long", *server.local()).ok());
  EXPECT_EQ(client.RecvFrom(buffer)->size, 4u);
  serving.Wait();
}

TEST(Datagram, RecvFromHonoursDeadlineAndClose) {
  Socket server = *Socket::BindDatagram(Address::LoopbackV4(0));
  std::array<char, 4> buffer;
  EXPECT_EQ(server.RecvFrom(buffer, absl::Milliseconds(1)).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  auto waiting = Spawn([&] { return server.RecvFrom(buffer).status(); });
  Sleep();
  server.Close();
  EXPECT_EQ(ErrnoOf(waiting.Wait()), EBADF);
}

TEST(Datagram, AnUnreachablePortIsReportedOnceAndTheSocketStaysUsable) {
  Address nobody;
  {
    Socket gone = *Socket::BindDatagram(Address::LoopbackV4(0));
    nobody = *gone.local();
  }
  Socket client = *Socket::ConnectDatagram(nobody);
  ASSERT_TRUE(client.Send("anyone?").ok());
  std::array<char, 16> buffer;
  const absl::Status status = client.Recv(buffer).status();
  EXPECT_EQ(ErrnoOf(status), ECONNREFUSED) << status;
  EXPECT_EQ(client.Recv(buffer, absl::Milliseconds(5)).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  Socket back = *Socket::BindDatagram(nobody);
  ASSERT_TRUE(back.SendTo("here", *client.local()).ok());
  EXPECT_EQ(*client.Recv(buffer), 4u);
}

TEST(Socket, KeepAliveAndOptionsReachTheKernel) {
  Connection c = TcpConnection();
  ASSERT_TRUE(c.client.SetKeepAlive(absl::Seconds(30), absl::Seconds(5), 3).ok());
  EXPECT_EQ(*c.client.GetOption(SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_NE(c.client.SetOption(SOL_SOCKET, 9999, 1).message().find("setsockopt(1, 9999, 1)"),
            std::string::npos);
}

}  // namespace
}  // namespace verdant::green
