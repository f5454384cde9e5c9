#ifndef VERDANT_GREEN_HTTP_H_
#define VERDANT_GREEN_HTTP_H_

#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace verdant::green::http {

struct Header {
  std::string name;
  std::string value;
};

// Why a transfer failed, coarser than a message and finer than a status code: what a crawler counts
// by.
enum class Failure {
  kNone,
  kBadUrl,     // not a URL, or neither http nor https
  kDns,        // the host's name could not be resolved
  kBlocked,    // ClientOptions::address_filter refused every address
  kConnect,    // refused, unreachable
  kTls,        // handshake or certificate
  kTimeout,    // took too long, or too slow
  kReset,      // the connection ended before the response did
  kProtocol,   // not HTTP, or an HTTP/2 error
  kEncoding,   // a Content-Encoding that cannot be decoded
  kTooLarge,   // headers or body beyond their limit
  kRedirects,  // more redirects than allowed
  kStopped,    // on_headers or on_body returned an error
  kOther,
};
std::string_view FailureName(Failure failure);
// What kind of failure a status returned by this module stands for; kNone for OK, kOther for one
// from elsewhere.
Failure FailureOf(const absl::Status& status);

struct Response {
  int status = 0;               // 0: no response line was received
  std::string url;              // where the response came from, after redirects
  std::vector<Header> headers;  // of the last response, in order; trailers included
  std::string body;             // decoded; empty with Request::on_body
  std::int64_t body_bytes = 0;  // decoded, whether kept or handed to on_body
  std::int64_t wire_bytes = 0;  // body bytes as received
  int redirects = 0;
  int http_version = 0;  // 10, 11, 20
  std::string peer_ip;
  absl::Duration elapsed;

  // The first header of that name, in any case; empty if there is none.
  std::string_view Get(std::string_view name) const;
};

struct Request {
  std::string url = {};
  std::string method = "GET";
  std::vector<Header> headers = {};
  std::string body = {};

  // From the start to the last byte, redirects included.
  absl::Duration timeout = absl::Seconds(60);
  // For resolving the name and establishing the connection, TLS included.
  absl::Duration connect_timeout = absl::Seconds(20);
  // Fails with kTimeout when fewer bytes a second arrive for so long (in whole seconds); 0 switches
  // it off.
  std::int64_t min_bytes_per_second = 0;
  absl::Duration slow_for = absl::Seconds(30);

  std::int64_t max_body_bytes = std::int64_t{1} << 30;  // decoded
  std::int64_t max_header_bytes = 256 * 1024;           // of one response; of one line 100 KiB
  int max_redirects = 10;  // 0: a redirect is a response like any other

  // Called once per final response, before its body; not OK ends the transfer with that status.
  std::function<absl::Status(const Response&)> on_headers = {};
  // Takes the body piece by piece, decoded, instead of Response::body; not OK ends the transfer
  // with that status. Runs on the hub's stack and must not block.
  std::function<absl::Status(std::string_view)> on_body = {};
};

struct ClientOptions {
  std::string user_agent = "verdant/0.1";
  // PEM certificates to trust instead of the system's: a file, or the text itself.
  std::string ca_file = {};
  std::string ca_pem = {};
  // Off: any certificate does. Only for tests.
  bool verify_tls = true;
  // Looked at for every address before it is connected to, after name resolution and so past every
  // trick with names: a status that is not OK refuses it. Does not see addresses behind a proxy.
  std::function<absl::Status(const sockaddr*, socklen_t)> address_filter = {};
  long max_connections_per_host = 0;  // further transfers wait; 0: no limit
  long max_connections = 0;           // in all
  long max_idle_connections = 256;    // kept for reuse
  bool http2 = true;                  // offered by ALPN; never assumed without TLS
  std::string proxy = {};             // empty: the environment's (http_proxy and so on)
};

// HTTP and HTTPS by libcurl, driven by the hub: Fetch() reads as if it blocked, while other green
// threads run. Connections, name lookups and TLS sessions are kept and shared by all transfers of a
// client. Decodes gzip, deflate, br and zstd.
//
// Belongs to the thread that made it, and must outlive its transfers.
class Client {
 public:
  explicit Client(ClientOptions options = {});
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  // The calling thread's client with default options.
  static Client& Current();

  // Performs the request. Any status line received is a success, 404 and 500 too. On failure the
  // status names method, URL and cause, FailureOf() its kind, and `response` holds what had
  // arrived. A Kill() or Timeout of the calling green thread ends the transfer and closes its
  // connection.
  absl::Status Fetch(const Request& request, Response& response);
  absl::StatusOr<Response> Fetch(const Request& request);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Client::Current().Fetch() of a GET.
absl::StatusOr<Response> Get(std::string_view url);

}  // namespace verdant::green::http

#endif  // VERDANT_GREEN_HTTP_H_
