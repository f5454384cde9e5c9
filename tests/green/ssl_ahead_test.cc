// TLS over sockets that receive ahead of being asked.

#include <string>

#include "absl/status/status.h"
#include "green/ssl.h"
#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "tests/green/socket_ahead_testing.h"
#include "tests/green/ssl_pair_testing.h"
#include "tests/green/stream_testing.h"
#include "tests/hub/poller_testing.h"

namespace verdant::green {
namespace {

INSTANTIATE_TEST_SUITE_P(B9, SocketAhead, ::testing::ValuesIn(kPollers), PollerTestName);

// Over sockets that receive ahead from before the handshake.
Ends ShakeAhead() { return Shake(ClientContext(), ServerContext(), "example.test", TcpAhead()); }

TEST_P(SocketAhead, TlsPassesLargeTransfersWholeBothWays) {
  OnHub([] {
    Ends ends = ShakeAhead();
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
    Ends ends = ShakeAhead();
    ASSERT_TRUE(ends.client.ok() && ends.server.ok());
    PlayPingPong(*ends.client, *ends.server, 100);
  });
}

}  // namespace
}  // namespace verdant::green
