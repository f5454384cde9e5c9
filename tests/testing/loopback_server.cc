#include "tests/testing/loopback_server.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "net/listen.h"

namespace verdant::testing {
namespace {

std::string LoopbackUrl(std::uint16_t port, std::string_view path) {
  return absl::StrCat("http://127.0.0.1:", port, path);
}

}  // namespace

RawServer::RawServer(net::ConnectionHandler handler)
    : listener_(*net::Listen("127.0.0.1:0")), port_(listener_.local()->port()) {
  serving_ = Spawn([this, handler = std::move(handler)] {
    return net::Serve(listener_, [this, &handler](green::Socket& connection) {
      ++connections_;
      handler(connection);
    });
  });
}

RawServer::~RawServer() { serving_.Kill(); }

std::string RawServer::Url(std::string_view path) const { return LoopbackUrl(port_, path); }

WebServer::WebServer(net::HttpServer::Handler handler, net::HttpServerOptions options)
    : server_(std::move(handler), std::move(options)),
      listener_(*net::Listen("127.0.0.1:0")),
      port_(listener_.local()->port()) {
  serving_ = Spawn([this] { return server_.Serve(listener_); });
}

WebServer::~WebServer() { serving_.Kill(); }

std::string WebServer::Url(std::string_view path) const { return LoopbackUrl(port_, path); }

std::string ReceiveHead(green::Socket& connection) {
  std::string head;
  std::array<char, 4096> buffer;
  while (!absl::StrContains(head, "\r\n\r\n")) {
    const absl::StatusOr<std::size_t> got = connection.Recv(buffer);
    if (!got.ok() || *got == 0) break;
    head.append(buffer.data(), *got);
  }
  return head;
}

void AwaitEnd(green::Socket& connection) {
  std::array<char, 4096> buffer;
  for (;;) {
    const absl::StatusOr<std::size_t> got = connection.Recv(buffer);
    if (!got.ok() || *got == 0) return;
  }
}

void Reset(green::Socket& connection) {
  const linger at_once = {.l_onoff = 1, .l_linger = 0};
  setsockopt(connection.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  connection.Close();
}

std::uint16_t RefusingPort() {
  // Bound by nobody from here on, and not given out by the kernel soon.
  return net::Listen("127.0.0.1:0")->local()->port();
}

}  // namespace verdant::testing
