// TLS over sockets that receive ahead of being asked.

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "green/socket.h"
#include "green/ssl.h"
#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "tests/green/socket_ahead_testing.h"
#include "tests/green/ssl_testing.h"
#include "tests/hub/poller_testing.h"

namespace verdant::green {
namespace {

INSTANTIATE_TEST_SUITE_P(B9, SocketAhead, ::testing::ValuesIn(kPollers), PollerTestName);

struct Ends {
  absl::StatusOr<TlsSocket> client = absl::UnknownError("");
  absl::StatusOr<TlsSocket> server = absl::UnknownError("");
};

// Over sockets that receive ahead from before the handshake.
Ends Shake() {
  const TestCertificate authority = MakeTestCertificate("Test CA", nullptr, {.is_ca = true});
  const TestCertificate leaf =
      MakeTestCertificate("leaf", &authority, {.names = {"DNS:example.test"}});
  const TlsContext server =
      *TlsContext::Server({.certificate_pem = leaf.certificate, .key_pem = leaf.key});
  const TlsContext client = *TlsContext::Client({.ca_pem = authority.certificate});
  Connection sockets = TcpConnection();
  auto accepting = Spawn([&] { return TlsSocket::Server(std::move(sockets.server), server); });
  Ends ends;
  ends.client = TlsSocket::Client(std::move(sockets.client), client, "example.test");
  ends.server = std::move(accepting).Wait();
  return ends;
}

TEST_P(SocketAhead, TlsPassesLargeTransfersWholeBothWays) {
  OnHub([] {
    Ends ends = Shake();
    ASSERT_TRUE(ends.client.ok()) << ends.client.status();
    ASSERT_TRUE(ends.server.ok()) << ends.server.status();
    const std::string text = Pattern(1 << 20);
    auto there = Spawn([&] {
      const absl::Status sent = ends.client->SendAll(text, kPatience);
      return sent.ok() ? ends.client->ShutdownSend(kPatience) : sent;
    });
    auto back = Spawn([&] {
      const absl::Status sent = ends.server->SendAll(text, kPatience);
      return sent.ok() ? ends.server->ShutdownSend(kPatience) : sent;
    });
    auto received = Spawn([&] { return RecvAll(*ends.client); });
    EXPECT_EQ(RecvAll(*ends.server), text);
    EXPECT_EQ(received.Wait(), text);
    EXPECT_TRUE(there.Wait().ok());
    EXPECT_TRUE(back.Wait().ok());
  });
}

TEST_P(SocketAhead, TlsPlaysPingPong) {
  OnHub([] {
    Ends ends = Shake();
    ASSERT_TRUE(ends.client.ok() && ends.server.ok());
    for (int i = 0; i < 100; ++i) {
      const std::string ball = "ball " + std::to_string(100 + i);
      ASSERT_TRUE(ends.client->SendAll(ball).ok());
      ASSERT_EQ(RecvText(*ends.server, ball.size()), ball);
      ASSERT_TRUE(ends.server->SendAll(ball).ok());
      ASSERT_EQ(RecvText(*ends.client, ball.size()), ball);
    }
  });
}

}  // namespace
}  // namespace verdant::green
