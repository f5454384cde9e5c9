#include "green/ssl.h"

#include <errno.h>
#include <sys/socket.h>

#include <array>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "green/socket_error.h"
#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "hub/timeout.h"
#include "tests/green/ssl_testing.h"

namespace verdant::green {
namespace {

const TestCertificate& Authority() {
  static const TestCertificate made = MakeTestCertificate("Test CA", nullptr, {.is_ca = true});
  return made;
}

// For example.test, *.wild.test and 127.0.0.1.
const TestCertificate& Leaf() {
  static const TestCertificate made = MakeTestCertificate(
      "leaf", &Authority(), {.names = {"DNS:example.test", "DNS:*.wild.test", "IP:127.0.0.1"}});
  return made;
}

TlsContext ServerContext(const TestCertificate& certificate = Leaf(),
                         std::vector<std::string> alpn = {}) {
  return *TlsContext::Server({.certificate_pem = certificate.certificate,
                              .key_pem = certificate.key,
                              .alpn = std::move(alpn)});
}

TlsContext ClientContext(std::vector<std::string> alpn = {}) {
  return *TlsContext::Client({.ca_pem = Authority().certificate, .alpn = std::move(alpn)});
}

struct SocketPair {
  Socket client;
  Socket server;
};

SocketPair TcpPair() {
  Socket listener = *Socket::Listen(Address::LoopbackV4(0));
  Socket client = *Socket::Connect(*listener.local());
  return {std::move(client), *listener.Accept()};
}

struct Ends {
  absl::StatusOr<TlsSocket> client = absl::UnknownError("");
  absl::StatusOr<TlsSocket> server = absl::UnknownError("");
};

Ends Shake(const TlsContext& client, const TlsContext& server, std::string host = "example.test") {
  SocketPair pair = TcpPair();
  auto accepted = Spawn([&] { return TlsSocket::Server(std::move(pair.server), server); });
  Ends ends;
  ends.client = TlsSocket::Client(std::move(pair.client), client, host);
  ends.server = std::move(accepted).Wait();
  return ends;
}

struct Connection {
  TlsSocket client;
  TlsSocket server;
};

Connection Connected() {
  Ends ends = Shake(ClientContext(), ServerContext());
  return {*std::move(ends.client), *std::move(ends.server)};
}

std::string RecvAll(Stream& stream) {
  std::string all;
  std::array<char, 4096> buffer;
  for (;;) {
    const absl::StatusOr<std::size_t> got = stream.Recv(buffer, absl::Seconds(20));
    EXPECT_TRUE(got.ok()) << got.status();
    if (!got.ok() || *got == 0) return all;
    all.append(buffer.data(), *got);
  }
}

std::string RecvText(Stream& stream, std::size_t size) {
  std::string text(size, '\0');
  const absl::Status status = stream.RecvExactly(text, absl::Seconds(20));
  EXPECT_TRUE(status.ok()) << status;
  return text;
}

TEST(TlsSocket, TwoGreenThreadsTalk) {
  Connection c = Connected();
  auto echo = Spawn([&] {
    std::array<char, 4> ball;
    while (c.server.RecvExactly(ball).ok()) ASSERT_TRUE(c.server.SendAll({ball.data(), 4}).ok());
  });
  for (int i = 0; i < 200; ++i) {
    const std::string ball = {'b', static_cast<char>(i), '\0', '.'};
    ASSERT_TRUE(c.client.SendAll(ball).ok());
    ASSERT_EQ(RecvText(c.client, 4), ball);
  }
  c.client.Close();
  echo.Wait();
}

TEST(TlsSocket, KnowsWhatWasAgreedOn) {
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

TEST(TlsSocket, WithoutACommonProtocolNothingIsAgreedOn) {
  Ends none = Shake(ClientContext(), ServerContext(Leaf(), {"h2"}));
  ASSERT_TRUE(none.client.ok()) << none.client.status();
  EXPECT_EQ(none.client->alpn(), "");
  Ends differ = Shake(ClientContext({"spdy"}), ServerContext(Leaf(), {"h2"}));
  EXPECT_FALSE(differ.server.ok());
  EXPECT_NE(differ.client.status().message().find("NO_APPLICATION_PROTOCOL"), std::string::npos)
      << differ.client.status();
}

TEST(TlsSocket, AddressesAndWildcardsAreChecked) {
  for (const char* host :
       {"example.test", "EXAMPLE.test", "example.test.", "a.wild.test", "127.0.0.1"}) {
    const Ends ends = Shake(ClientContext(), ServerContext(), host);
    EXPECT_TRUE(ends.client.ok()) << host << ends.client.status();
  }
}

TEST(TlsSocket, AnAddressIsNoServerName) {
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

TEST(TlsSocket, ACertificateThatDoesNotFitIsRefusedWithTheReason) {
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

TEST(TlsSocket, ChecksCanBeSwitchedOff) {
  const TlsContext trusting = *TlsContext::Client({.verify = false});
  const TestCertificate self_signed = MakeTestCertificate("x", nullptr, {});
  const Ends ends = Shake(trusting, ServerContext(self_signed), "whatever.test");
  EXPECT_TRUE(ends.client.ok()) << ends.client.status();
}

TEST(TlsSocket, AChainIsShownWhole) {
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

TEST(TlsSocket, SessionsAreTakenUpAgainForTheSameServerOnly) {
  const TlsContext client = ClientContext();
  const TlsContext server = ServerContext();
  Socket listener = *Socket::Listen(Address::LoopbackV4(0));
  Socket other = *Socket::Listen(Address::LoopbackV4(0));
  EXPECT_FALSE(Resumes(client, server, listener));
  EXPECT_TRUE(Resumes(client, server, listener));
  EXPECT_TRUE(Resumes(client, server, listener));
  EXPECT_FALSE(Resumes(client, server, other));
}

TEST(TlsSocket, BeyondTheLimitTheSessionOfTheServerLeastRecentlyUsedGoesFirst) {
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

TEST(TlsSocket, LargeTransfersPassWholeBothWaysAtATime) {
  Connection c = Connected();
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
  Connection c = Connected();
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
  Connection c = Connected();
  ASSERT_TRUE(c.client.SendAll("0123456789").ok());
  EXPECT_EQ(RecvText(c.server, 4), "0123");
  std::array<char, 100> buffer;
  EXPECT_EQ(*c.server.Recv(buffer, absl::ZeroDuration()), 6u);
}

TEST(TlsSocket, HalfCloseLeavesTheOtherDirectionOpen) {
  Connection c = Connected();
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
  Connection c = Connected();
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
  Connection c = Connected();
  std::array<char, 4> buffer;
  absl::Status status = c.client.Recv(buffer, absl::Milliseconds(1)).status();
  EXPECT_EQ(status.message(), "recv from " + c.client.peer().ToString() + ": timed out");
  ASSERT_TRUE(c.server.SendAll("late").ok());
  EXPECT_EQ(RecvText(c.client, 4), "late");
}

TEST(TlsSocket, ASendThatTimedOutCanGoOn) {
  Connection c = Connected();
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
  Connection c = Connected();
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

TEST(TlsHandshake, HasADeadline) {
  SocketPair pair = TcpPair();
  const std::string peer = pair.client.peer().ToString();
  const absl::Status status = TlsSocket::Client(std::move(pair.client), ClientContext(),
                                                "example.test", absl::Milliseconds(5))
                                  .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(status.message(), "TLS handshake with " + peer + ": timed out");
}

TEST(TlsHandshake, CanBeKilledAndTimedOut) {
  SocketPair pair = TcpPair();
  EXPECT_FALSE(WithTimeout(absl::Milliseconds(1), [&] {
    (void)TlsSocket::Server(std::move(pair.server), ServerContext());
  }));
  // The socket went with it.
  EXPECT_EQ(RecvAll(pair.client), "");
}

TEST(TlsHandshake, APeerThatGoesAwayIsNamed) {
  SocketPair pair = TcpPair();
  const std::string peer = pair.client.peer().ToString();
  pair.server.Close();
  const absl::Status status =
      TlsSocket::Client(std::move(pair.client), ClientContext(), "example.test").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_TRUE(status.message().starts_with("TLS handshake with " + peer + ": ")) << status;
}

TEST(TlsHandshake, APeerThatSpeaksNoTlsIsAnError) {
  SocketPair pair = TcpPair();
  ASSERT_TRUE(pair.client.SendAll("GET / HTTP/1.1\r\nHost: h\r\n\r\n").ok());
  const absl::Status server = TlsSocket::Server(std::move(pair.server), ServerContext()).status();
  EXPECT_EQ(server.code(), absl::StatusCode::kInternal);
  EXPECT_NE(server.message().find("TLS: HTTP_REQUEST"), std::string::npos) << server;

  pair = TcpPair();
  ASSERT_TRUE(pair.server.SendAll("SSH-2.0-whatever, long enough for a header\r\n").ok());
  const absl::Status client =
      TlsSocket::Client(std::move(pair.client), ClientContext(), "example.test").status();
  EXPECT_EQ(client.code(), absl::StatusCode::kInternal);
  EXPECT_NE(client.message().find("WRONG_VERSION_NUMBER"), std::string::npos) << client;
}

TEST(TlsHandshake, OlderVersionsAreRefused) {
  SocketPair pair = TcpPair();
  // A ClientHello of TLS 1.0 without extensions.
  std::string hello = {0x16, 0x03, 0x01, 0x00, 0x2d, 0x01, 0x00, 0x00, 0x29, 0x03, 0x01};
  hello += std::string(32, 'r') + std::string("\0\0\x02\0\x2f\x01\0", 7);
  ASSERT_EQ(hello.size(), 50u);
  ASSERT_TRUE(pair.client.SendAll(hello).ok());
  const absl::Status status = TlsSocket::Server(std::move(pair.server), ServerContext()).status();
  EXPECT_NE(status.message().find("UNSUPPORTED_PROTOCOL"), std::string::npos) << status;
}

TEST(TlsHandshake, NamesThatCannotBeAreRefused) {
  SocketPair pair = TcpPair();
  EXPECT_EQ(TlsSocket::Client(std::move(pair.client), ClientContext(), "").status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(TlsHandshake, TheWrongKindOfContextIsMisuse) {
  SocketPair pair = TcpPair();
  EXPECT_THROW((void)TlsSocket::Client(std::move(pair.client), ServerContext(), "h"),
               std::logic_error);
  EXPECT_THROW((void)TlsSocket::Server(std::move(pair.server), TlsContext()), std::logic_error);
}

}  // namespace
}  // namespace verdant::green
