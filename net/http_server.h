#ifndef VERDANT_NET_HTTP_SERVER_H_
#define VERDANT_NET_HTTP_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "green/address.h"
#include "green/socket.h"
#include "green/stream.h"
#include "hub/clock.h"
#include "net/http_parser.h"
#include "net/http_request.h"
#include "net/http_response.h"
#include "net/stop_signal.h"

namespace verdant::net {

// One line of an access log; views are good during the call.
struct HttpLogEntry {
  const green::Address& peer;
  std::string_view method;  // both empty for what could not be read as a request
  std::string_view target;
  int status;
  std::uint64_t body_bytes;  // of the response
  absl::Duration duration;   // from the whole head's arrival to the response's end
};

// Makes of an accepted connection one with another layer on it, such as TLS (see net/wrap_ssl.h),
// within the deadline; or only sets the socket up, such as by ReceiveAhead(), and returns it.
using StreamWrapper = std::function<absl::StatusOr<std::unique_ptr<green::Stream>>(
    green::Socket socket, Deadline deadline)>;

struct HttpServerOptions {
  HttpLimits limits = {};
  // Connections at a time; further clients wait to be accepted (row A16.10).
  std::size_t concurrency = 1000;
  // For the head of a request, from its first byte; for the first request from the connection's
  // begin. Later: 408.
  absl::Duration header_timeout = absl::Seconds(30);
  // How long a connection may stay idle between requests; zero: one request for each connection
  // (row A16.7).
  absl::Duration keep_alive_timeout = absl::Seconds(60);
  // For each wait for a piece of a body, either way (row A16.13).
  absl::Duration io_timeout = absl::Seconds(60);
  // Of a request body that the handler left unread: passed over if it is no more than this, else
  // the connection closes (row A16.7).
  std::uint64_t max_drain = std::uint64_t{256} << 10;
  // For the requests being answered when the server is stopped; then their handlers are killed.
  absl::Duration grace = absl::InfiniteDuration();
  // For each connection, in its green thread, within header_timeout; its failures end that
  // connection only, quietly (rows A13.5, A16.11). Empty: HTTP in the clear.
  StreamWrapper wrap = nullptr;
  // Called after each response, in its green thread; may be empty (row A16.14).
  std::function<void(const HttpLogEntry&)> log = nullptr;
};

// A server for HTTP/1.0 and 1.1 (RFC 9112): keep-alive, pipelining, chunked bodies both ways,
// "Expect: 100-continue", HEAD; HttpRequestParser tells what it refuses. Each connection has a
// green thread, in which `handler` runs for each request in turn. Rows A16, decisions 9 and 18.
//
// What leaves a handler as an exception goes to the hub's error handler; the client gets a 500, or,
// when the response has begun already, a connection that ends before the response does (row A16.8).
// StopServe answers what was written and stops the server. The options' times bound every wait for
// a client; a head must come whole in its time, while a body may trickle, which a Timeout in the
// handler can end.
//
// Threading: for green threads of one hub.
class HttpServer {
 public:
  using Handler = std::function<void(HttpRequest&, HttpResponse&)>;

  explicit HttpServer(Handler handler, HttpServerOptions options = {});
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Serves what `listener` accepts until Stop(), and until the last connection has ended; see
  // net::Serve() for results and for what happens when the calling green thread is killed. May run
  // for several listeners at a time. Once stopped it returns at once.
  absl::Status Serve(green::Socket& listener);

  // Accepts no more, closes idle connections, lets requests that are being answered finish, but no
  // next ones on their connections (row A16.12). Never waits; from a green thread of the hub or a
  // hub callback.
  void Stop() { stop_.Stop(); }
  StopSignal& stop_signal() { return stop_; }

  struct Counts {
    std::uint64_t connections = 0;  // accepted
    std::uint64_t requests = 0;     // answered, refused ones included
  };
  const Counts& counts() const { return counts_; }

 private:
  const Handler handler_;
  const HttpServerOptions options_;
  StopSignal stop_;
  Counts counts_;
};

}  // namespace verdant::net

#endif  // VERDANT_NET_HTTP_SERVER_H_
