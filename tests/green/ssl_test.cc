#include "green/ssl.h"

#include <errno.h>

#include <array>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "green/socket_error.h"
#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "tests/green/ssl_pair_testing.h"
#include "tests/green/stream_testing.h"

namespace verdant::green {
namespace {

struct TlsConnection {
  TlsSocket client;
  TlsSocket server;
};

TlsConnection Connected() {
  Ends ends = Shake(ClientContext(), ServerContext());
  return {*std::move(ends.client), *std::move(ends.server)};
}

TEST(TlsSocket, TwoGreenThreadsTalk) {
  TlsConnection c = Connected();
  PlayPingPong(c.client, c.server, 200);
}

TEST(TlsSocket, LargeTransfersPassWholeBothWaysAtATime) {
  TlsConnection c = Connected();
  std::string data(6 << 20, '\0');
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i % 253);
  const auto send = [&](TlsSocket& from) {
    std::size_t sent = 0;
    EXPECT_TRUE(from.SendAll(data, Deadline::Never(), &sent).ok());
    EXPECT_EQ(sent, data.size());
    EXPECT_TRUE(from.ShutdownSend().ok());
  };
  auto a = Spawn([&] { send(c.client); });
  auto b = Spawn([&] { send(c.server); });
  auto read = Spawn([&] { EXPECT_TRUE(RecvAll(c.server) == data); });
  EXPECT_TRUE(RecvAll(c.client) == data);
  a.Wait();
  b.Wait();
  read.Wait();
}

TEST(TlsSocket, ManyPiecesPassInOrder) {
  TlsConnection c = Connected();
  std::vector<std::string> owned;
  std::string expected;
  for (std::size_t i = 0; i < 300; ++i) {
    owned.push_back(std::string(i % 3 == 0 ? 0 : i * i / 2, static_cast<char>('a' + i % 26)));
    expected += owned.back();
  }
  const std::vector<std::string_view> pieces(owned.begin(), owned.end());
  auto sender = Spawn([&] {
    EXPECT_TRUE(c.client.SendAll(pieces).ok());
    c.client.Close();
  });
  EXPECT_TRUE(RecvAll(c.server) == expected);
  sender.Wait();
  EXPECT_EQ(*c.server.Recv({}), 0u);
}

TEST(TlsSocket, DataDecryptedAlreadyIsReturnedWithoutAWait) {
  TlsConnection c = Connected();
  ASSERT_TRUE(c.client.SendAll("0123456789").ok());
  EXPECT_EQ(RecvText(c.server, 4), "0123");
  std::array<char, 100> buffer;
  EXPECT_EQ(*c.server.Recv(buffer, absl::ZeroDuration()), 6u);
}

TEST(TlsSocket, HalfCloseLeavesTheOtherDirectionOpen) {
  TlsConnection c = Connected();
  auto server = Spawn([&] {
    EXPECT_EQ(RecvAll(c.server), "request");
    EXPECT_TRUE(c.server.SendAll("answer").ok());
    c.server.Close();
  });
  ASSERT_TRUE(c.client.SendAll("request").ok());
  ASSERT_TRUE(c.client.ShutdownSend().ok());
  EXPECT_EQ(RecvAll(c.client), "answer");
  server.Wait();
}

TEST(TlsSocket, AnEndWithoutCloseNotifyIsNoEnd) {
  TlsConnection c = Connected();
  ASSERT_TRUE(c.client.SendAll("cut").ok());
  c.client.socket().Close();
  EXPECT_EQ(RecvText(c.server, 3), "cut");
  std::array<char, 1> buffer;
  const absl::Status status = c.server.Recv(buffer).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(status.message(), "recv from " + c.server.peer().ToString() +
                                  ": the connection ended without close_notify");
}

TEST(TlsSocket, DeadlinesAreKept) {
  TlsConnection c = Connected();
  std::array<char, 4> buffer;
  absl::Status status = c.client.Recv(buffer, absl::Milliseconds(1)).status();
  EXPECT_EQ(status.message(), "recv from " + c.client.peer().ToString() + ": timed out");
  ASSERT_TRUE(c.server.SendAll("late").ok());
  EXPECT_EQ(RecvText(c.client, 4), "late");
}

TEST(TlsSocket, ASendThatTimedOutCanGoOn) {
  TlsConnection c = Connected();
  const std::string data(24 << 20, 'x');
  std::size_t sent = 0;
  const absl::Status status = c.client.SendAll(data, absl::Milliseconds(50), &sent);
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(status.message(), "send to " + c.client.peer().ToString() + ": timed out");
  EXPECT_GT(sent, 0u);
  EXPECT_LT(sent, data.size());
  auto rest = Spawn([&] {
    EXPECT_TRUE(c.client.SendAll(std::string_view(data).substr(sent)).ok());
    c.client.Close();
  });
  EXPECT_TRUE(RecvAll(c.server) == data);
  rest.Wait();
}

TEST(TlsSocket, B9_2_CloseWakesWhoeverWaits) {
  TlsConnection c = Connected();
  auto reader = Spawn([&] {
    std::array<char, 1> buffer;
    return c.server.Recv(buffer).status();
  });
  auto writer = Spawn([&] { return c.server.SendAll(std::string(24 << 20, 'x')); });
  Sleep();  // both run until they wait
  ASSERT_FALSE(reader.Ready() || writer.Ready());
  c.server.Close();
  EXPECT_TRUE(c.server.closed());
  EXPECT_EQ(ErrnoOf(reader.Wait()), EBADF);
  EXPECT_EQ(ErrnoOf(writer.Wait()), EBADF);
  std::array<char, 1> buffer;
  EXPECT_EQ(ErrnoOf(c.server.Recv(buffer).status()), EBADF);
  EXPECT_EQ(ErrnoOf(c.server.SendAll("x")), EBADF);
  EXPECT_EQ(ErrnoOf(c.server.ShutdownSend()), EBADF);
}

TEST(TlsSocket, AnEmptyOneIsClosed) {
  TlsSocket none;
  EXPECT_TRUE(none.closed());
  EXPECT_EQ(ErrnoOf(none.SendAll("x")), EBADF);
  EXPECT_EQ(
      none.alpn() + none.version() + none.cipher() + none.server_name() + none.peer_certificate(),
      "");
  EXPECT_FALSE(none.resumed());
  EXPECT_THROW(none.socket(), std::logic_error);
  none.Close();
}

}  // namespace
}  // namespace verdant::green
