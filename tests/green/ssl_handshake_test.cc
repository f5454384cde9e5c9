// Who is let in, and what is agreed on.

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "green/ssl.h"
#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "hub/timeout.h"
#include "tests/green/ssl_pair_testing.h"
#include "tests/green/ssl_testing.h"
#include "tests/green/stream_testing.h"

namespace verdant::green {
namespace {

TEST(TlsHandshake, KnowsWhatWasAgreedOn) {
  Ends ends = Shake(ClientContext({"h2", "http/1.1"}), ServerContext(Leaf(), {"http/1.1", "h2"}));
  ASSERT_TRUE(ends.client.ok()) << ends.client.status();
  ASSERT_TRUE(ends.server.ok()) << ends.server.status();
  EXPECT_EQ(ends.client->alpn(), "http/1.1");
  EXPECT_EQ(ends.server->alpn(), "http/1.1");
  EXPECT_EQ(ends.server->server_name(), "example.test");
  EXPECT_EQ(ends.client->version(), "TLSv1.3");
  EXPECT_TRUE(ends.client->cipher().starts_with("TLS_")) << ends.client->cipher();
  EXPECT_FALSE(ends.client->resumed());
  EXPECT_GT(ends.client->peer_certificate().size(), 100u);
  EXPECT_EQ(ends.server->peer_certificate(), "");
  EXPECT_EQ(ends.client->peer(), *ends.server->socket().local());
}

TEST(TlsHandshake, WithoutACommonProtocolNothingIsAgreedOn) {
  Ends none = Shake(ClientContext(), ServerContext(Leaf(), {"h2"}));
  ASSERT_TRUE(none.client.ok()) << none.client.status();
  EXPECT_EQ(none.client->alpn(), "");
  Ends differ = Shake(ClientContext({"spdy"}), ServerContext(Leaf(), {"h2"}));
  EXPECT_FALSE(differ.server.ok());
  EXPECT_NE(differ.client.status().message().find("NO_APPLICATION_PROTOCOL"), std::string::npos)
      << differ.client.status();
}

TEST(TlsHandshake, AddressesAndWildcardsAreChecked) {
  for (const char* host :
       {"example.test", "EXAMPLE.test", "example.test.", "a.wild.test", "127.0.0.1"}) {
    const Ends ends = Shake(ClientContext(), ServerContext(), host);
    EXPECT_TRUE(ends.client.ok()) << host << ends.client.status();
  }
}

TEST(TlsHandshake, AnAddressIsNoServerName) {
  Ends ends = Shake(ClientContext(), ServerContext(), "127.0.0.1");
  ASSERT_TRUE(ends.server.ok());
  EXPECT_EQ(ends.server->server_name(), "");
}

struct Refused {
  std::string what;
  TestCertificate certificate;
  std::string host;
  std::string reason;
};

TEST(TlsHandshake, ACertificateThatDoesNotFitIsRefusedWithTheReason) {
  const TestCertificate other_authority = MakeTestCertificate("Other CA", nullptr, {.is_ca = true});
  const std::vector<std::string> names = {"DNS:example.test"};
  const std::vector<Refused> cases = {
      {"wrong host", Leaf(), "wrong.test", "Hostname mismatch"},
      {"two labels for a wildcard", Leaf(), "a.b.wild.test", "Hostname mismatch"},
      {"wrong address", Leaf(), "127.0.0.2", "IP address mismatch"},
      {"only a common name", MakeTestCertificate("example.test", &Authority(), {}), "example.test",
       "Hostname mismatch"},
      {"expired", MakeTestCertificate("x", &Authority(), {.names = names, .not_after = -60}),
       "example.test", "certificate has expired"},
      {"not yet valid", MakeTestCertificate("x", &Authority(), {.names = names, .not_before = 600}),
       "example.test", "certificate is not yet valid"},
      {"unknown authority", MakeTestCertificate("x", &other_authority, {.names = names}),
       "example.test", "unable to get local issuer certificate"},
      {"self-signed", MakeTestCertificate("x", nullptr, {.names = names}), "example.test",
       "self signed certificate"},
      {"issued by a leaf", MakeTestCertificate("x", &Leaf(), {.names = names}), "example.test",
       "unable to get local issuer certificate"},
  };
  for (const Refused& c : cases) {
    const Ends ends = Shake(ClientContext(), ServerContext(c.certificate), c.host);
    const absl::Status status = ends.client.status();
    EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated) << c.what << ": " << status;
    EXPECT_TRUE(status.message().starts_with("TLS handshake with 127.0.0.1:")) << status;
    EXPECT_NE(status.message().find(" (" + c.host + "): certificate not accepted: " + c.reason),
              std::string::npos)
        << c.what << ": " << status;
    // The server hears of it; not always before its own handshake is over.
    if (!ends.server.ok()) {
      EXPECT_NE(ends.server.status().message().find("ALERT"), std::string::npos)
          << ends.server.status();
    }
  }
}

TEST(TlsHandshake, ChecksCanBeSwitchedOff) {
  const TlsContext trusting = *TlsContext::Client({.verify = false});
  const TestCertificate self_signed = MakeTestCertificate("x", nullptr, {});
  const Ends ends = Shake(trusting, ServerContext(self_signed), "whatever.test");
  EXPECT_TRUE(ends.client.ok()) << ends.client.status();
}

TEST(TlsHandshake, AChainIsShownWhole) {
  const TestCertificate middle = MakeTestCertificate("Middle CA", &Authority(), {.is_ca = true});
  TestCertificate leaf = MakeTestCertificate("x", &middle, {.names = {"DNS:example.test"}});
  EXPECT_FALSE(Shake(ClientContext(), ServerContext(leaf)).client.ok());
  leaf.certificate += middle.certificate;
  const Ends ends = Shake(ClientContext(), ServerContext(leaf));
  EXPECT_TRUE(ends.client.ok()) << ends.client.status();
}

// Whether a connection to `listener` took up a session of an earlier one.
bool Resumes(const TlsContext& client, const TlsContext& server, Socket& listener) {
  auto accepted = Spawn([&] {
    TlsSocket end = *TlsSocket::Server(*listener.Accept(), server);
    EXPECT_TRUE(end.SendAll("x").ok());
    EXPECT_EQ(RecvAll(end), "");
  });
  TlsSocket end = *TlsSocket::Connect("127.0.0.1", listener.local()->port(), client);
  // TLS 1.3 tells of sessions behind the handshake.
  EXPECT_EQ(RecvText(end, 1), "x");
  end.Close();
  accepted.Wait();
  return end.resumed();
}

TEST(TlsHandshake, SessionsAreTakenUpAgainForTheSameServerOnly) {
  const TlsContext client = ClientContext();
  const TlsContext server = ServerContext();
  Socket listener = *Socket::Listen(Address::LoopbackV4(0));
  Socket other = *Socket::Listen(Address::LoopbackV4(0));
  EXPECT_FALSE(Resumes(client, server, listener));
  EXPECT_TRUE(Resumes(client, server, listener));
  EXPECT_TRUE(Resumes(client, server, listener));
  EXPECT_FALSE(Resumes(client, server, other));
}

TEST(TlsHandshake, BeyondTheLimitTheSessionOfTheServerLeastRecentlyUsedGoesFirst) {
  const TlsContext client =
      *TlsContext::Client({.ca_pem = Authority().certificate, .max_sessions = 2});
  const TlsContext server = ServerContext();
  Socket first = *Socket::Listen(Address::LoopbackV4(0));
  Socket second = *Socket::Listen(Address::LoopbackV4(0));
  Socket third = *Socket::Listen(Address::LoopbackV4(0));
  EXPECT_FALSE(Resumes(client, server, first));
  EXPECT_FALSE(Resumes(client, server, second));
  EXPECT_TRUE(Resumes(client, server, first));
  EXPECT_FALSE(Resumes(client, server, third));
  EXPECT_TRUE(Resumes(client, server, first));
  EXPECT_TRUE(Resumes(client, server, third));
  EXPECT_FALSE(Resumes(client, server, second));
}

TEST(TlsHandshake, HasADeadline) {
  Connection pair = TcpConnection();
  const std::string peer = pair.client.peer().ToString();
  const absl::Status status = TlsSocket::Client(std::move(pair.client), ClientContext(),
                                                "example.test", absl::Milliseconds(5))
                                  .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(status.message(), "TLS handshake with " + peer + ": timed out");
}

TEST(TlsHandshake, CanBeKilledAndTimedOut) {
  Connection pair = TcpConnection();
  EXPECT_FALSE(WithTimeout(absl::Milliseconds(1), [&] {
    (void)TlsSocket::Server(std::move(pair.server), ServerContext());
  }));
  // The socket went with it.
  EXPECT_EQ(RecvAll(pair.client), "");
}

TEST(TlsHandshake, APeerThatGoesAwayIsNamed) {
  Connection pair = TcpConnection();
  const std::string peer = pair.client.peer().ToString();
  pair.server.Close();
  const absl::Status status =
      TlsSocket::Client(std::move(pair.client), ClientContext(), "example.test").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_TRUE(status.message().starts_with("TLS handshake with " + peer + ": ")) << status;
}

TEST(TlsHandshake, APeerThatSpeaksNoTlsIsAnError) {
  Connection pair = TcpConnection();
  ASSERT_TRUE(pair.client.SendAll("GET / HTTP/1.1\r\nHost: h\r\n\r\n").ok());
  const absl::Status server = TlsSocket::Server(std::move(pair.server), ServerContext()).status();
  EXPECT_EQ(server.code(), absl::StatusCode::kInternal);
  EXPECT_NE(server.message().find("TLS: HTTP_REQUEST"), std::string::npos) << server;

  pair = TcpConnection();
  ASSERT_TRUE(pair.server.SendAll("SSH-2.0-whatever, long enough for a header\r\n").ok());
  const absl::Status client =
      TlsSocket::Client(std::move(pair.client), ClientContext(), "example.test").status();
  EXPECT_EQ(client.code(), absl::StatusCode::kInternal);
  EXPECT_NE(client.message().find("WRONG_VERSION_NUMBER"), std::string::npos) << client;
}

TEST(TlsHandshake, OlderVersionsAreRefused) {
  Connection pair = TcpConnection();
  // A ClientHello of TLS 1.0 without extensions.
  std::string hello = {0x16, 0x03, 0x01, 0x00, 0x2d, 0x01, 0x00, 0x00, 0x29, 0x03, 0x01};
  hello += std::string(32, 'r') + std::string("\0\0\x02\0\x2f\x01\0", 7);
  ASSERT_EQ(hello.size(), 50u);
  ASSERT_TRUE(pair.client.SendAll(hello).ok());
  const absl::Status status = TlsSocket::Server(std::move(pair.server), ServerContext()).status();
  EXPECT_NE(status.message().find("UNSUPPORTED_PROTOCOL"), std::string::npos) << status;
}

TEST(TlsHandshake, NamesThatCannotBeAreRefused) {
  Connection pair = TcpConnection();
  EXPECT_EQ(TlsSocket::Client(std::move(pair.client), ClientContext(), "").status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(TlsHandshake, TheWrongKindOfContextIsMisuse) {
  Connection pair = TcpConnection();
  EXPECT_THROW((void)TlsSocket::Client(std::move(pair.client), ServerContext(), "h"),
               std::logic_error);
  EXPECT_THROW((void)TlsSocket::Server(std::move(pair.server), TlsContext()), std::logic_error);
}

}  // namespace
}  // namespace verdant::green
