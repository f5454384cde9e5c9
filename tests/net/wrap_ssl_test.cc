#include "net/wrap_ssl.h"

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "green/ssl.h"
#include "gtest/gtest.h"
#include "tests/green/ssl_testing.h"
#include "tests/net/http_server_testing.h"

namespace verdant::net {
namespace {

const green::TestCertificate& Certificate() {
  static const green::TestCertificate made =
      green::MakeTestCertificate("x", nullptr, {.names = {"IP:127.0.0.1"}, .is_ca = true});
  return made;
}

StreamWrapper Wrapper() {
  return WrapSsl(*green::TlsContext::Server(
      {.certificate_pem = Certificate().certificate, .key_pem = Certificate().key}));
}

green::TlsSocket Dial(RunningServer& server) {
  const green::TlsContext context =
      *green::TlsContext::Client({.ca_pem = Certificate().certificate});
  return *green::TlsSocket::Connect("127.0.0.1", server.listener.local()->port(), context);
}

TEST(WrapSsl, A11_4_TheHttpServerServesOverTls) {
  const std::string large(100000, 'x');
  RunningServer server(
      [&](HttpRequest& request, HttpResponse& response) {
        (void)response.Write(request.path());
        if (request.path() == "/2") (void)response.Write(large);
      },
      {.wrap = Wrapper()});
  green::TlsSocket client = Dial(server);
  ASSERT_TRUE(client
                  .SendAll("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n"
                           "GET /2 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
                  .ok());
  // RunningServer::RecvAll() would tell if close_notify were missing.
  EXPECT_EQ(
      Plain(RunningServer::RecvAll(client)),
      absl::StrCat(
          "HTTP/1.1 200 OK\nContent-Length: 2\n\n/1HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n"
          "Connection: close\n\n186a2\n/2",
          large, "\n0\n\n"));
  client.Close();
}

TEST(WrapSsl, A16_11_AFailedHandshakeEndsThatConnectionOnly) {
  RunningServer server([](HttpRequest&, HttpResponse& response) { (void)response.Write("fine"); },
                       {.header_timeout = absl::Milliseconds(20), .wrap = Wrapper()});
  server.Ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  green::Socket silent = server.Dial();
  EXPECT_EQ(RunningServer::RunningServer::RecvAll(silent), "");
  EXPECT_EQ(server.server.counts().requests, 0u);
  EXPECT_TRUE(server.reports.empty());
  green::TlsSocket client = Dial(server);
  ASSERT_TRUE(client.SendAll("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").ok());
  EXPECT_TRUE(RunningServer::RecvAll(client).ends_with("fine"));
}

TEST(WrapSsl, StoppingEndsIdleConnections) {
  RunningServer server([](HttpRequest&, HttpResponse&) {}, {.wrap = Wrapper()});
  green::TlsSocket client = Dial(server);
  ASSERT_TRUE(client.SendAll("GET / HTTP/1.1\r\nHost: h\r\n\r\n").ok());
  std::array<char, 1> byte;
  ASSERT_TRUE(client.Recv(byte).ok());
  server.server.Stop();
  EXPECT_TRUE(RunningServer::RecvAll(client).ends_with("\r\n\r\n"));
}

TEST(WrapSsl, AClientsContextIsMisuse) {
  EXPECT_THROW(WrapSsl(green::TlsContext()), std::logic_error);
  EXPECT_THROW(WrapSsl(*green::TlsContext::Client({.verify = false})), std::logic_error);
}

}  // namespace
}  // namespace verdant::net
