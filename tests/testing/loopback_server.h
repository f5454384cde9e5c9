#ifndef VERDANT_TESTS_TESTING_LOOPBACK_SERVER_H_
#define VERDANT_TESTS_TESTING_LOOPBACK_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "green/socket.h"
#include "hub/green_thread.h"
#include "net/http_server.h"
#include "net/serve.h"

namespace verdant::testing {

// A server of bytes on a loopback port, in the test's own process: `handler` has each connection in
// a green thread of its own, and is killed with this object. For what a proper server would not do.
class RawServer {
 public:
  explicit RawServer(net::ConnectionHandler handler);
  ~RawServer();

  std::uint16_t port() const { return port_; }
  // "http://127.0.0.1:PORT" and `path`, which begins with a slash.
  std::string Url(std::string_view path) const;
  std::size_t connections() const { return connections_; }

 private:
  std::size_t connections_ = 0;
  green::Socket listener_;
  std::uint16_t port_ = 0;
  GreenThread<absl::Status> serving_;
};

// A proper HTTP/1.1 server likewise.
class WebServer {
 public:
  explicit WebServer(net::HttpServer::Handler handler, net::HttpServerOptions options = {});
  ~WebServer();

  std::uint16_t port() const { return port_; }
  std::string Url(std::string_view path) const;
  const net::HttpServer::Counts& counts() const { return server_.counts(); }

 private:
  net::HttpServer server_;
  green::Socket listener_;
  std::uint16_t port_ = 0;
  GreenThread<absl::Status> serving_;
};

// Receives up to the blank line that ends a request's head; what came by then if the client stops.
std::string ReceiveHead(green::Socket& connection);
// Receives until the client has gone.
void AwaitEnd(green::Socket& connection);
// Closes with a RST.
void Reset(green::Socket& connection);

// A loopback port that refuses connections.
std::uint16_t RefusingPort();

}  // namespace verdant::testing

#endif  // VERDANT_TESTS_TESTING_LOOPBACK_SERVER_H_
