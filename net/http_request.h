#ifndef VERDANT_NET_HTTP_REQUEST_H_
#define VERDANT_NET_HTTP_REQUEST_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "green/address.h"
#include "green/stream.h"
#include "hub/clock.h"
#include "net/http_body.h"
#include "net/http_headers.h"
#include "net/http_parser.h"

namespace verdant::net {

class HttpResponse;

namespace internal {
class HttpConnection;
class HttpInput;
}  // namespace internal

// A request as a handler sees it: the head has come, the body is read as it comes. Lives for the
// handler's call only, in its green thread. Row A16.
class HttpRequest {
 public:
  HttpRequest(const HttpRequest&) = delete;
  HttpRequest& operator=(const HttpRequest&) = delete;

  std::string_view method() const { return head_.method(); }
  // Path and query as sent; path() and query() are its parts, not decoded.
  std::string_view target() const { return head_.target(); }
  std::string_view path() const { return head_.path(); }
  std::string_view query() const { return head_.query(); }
  int version_minor() const { return head_.version_minor(); }
  const HttpHeaders& headers() const { return head_.headers(); }
  // The client; of a Unix socket usually without a name.
  const green::Address& peer() const { return stream_.peer(); }

  bool has_body() const { return head_.framing() != HttpFraming::kNone; }
  // Of the body, where the client told it: not with chunks.
  std::optional<std::uint64_t> content_length() const {
    if (head_.framing() == HttpFraming::kChunked) return std::nullopt;
    return head_.content_length();
  }

  // Waits for some of the body and takes as much as fits; 0 at its end. The first call lets a
  // client that expects it continue (row A16.5). Errors: InvalidArgument for malformed chunks,
  // ResourceExhausted past HttpLimits::body, DataLoss if the client goes away amid it,
  // DeadlineExceeded after `deadline` or after the server's io_timeout without a byte. They stay;
  // what the handler makes of them is its own affair, and if that is nothing the client gets a 400,
  // 413 or 408.
  absl::StatusOr<std::size_t> Read(std::span<char> buffer, Deadline deadline = Deadline::Never());
  // All that is left of the body. ResourceExhausted if it is more than `limit` bytes.
  absl::StatusOr<std::string> ReadAll(std::size_t limit, Deadline deadline = Deadline::Never());

 private:
  friend class internal::HttpConnection;

  HttpRequest(HttpRequestHead head, green::Stream& stream, internal::HttpInput& input,
              const HttpLimits& limits, absl::Duration io_timeout);

  bool body_done() const { return body_.done(); }
  absl::Status AllowToContinue(Deadline deadline);
  absl::Status BodyError();

  const HttpRequestHead head_;
  green::Stream& stream_;
  internal::HttpInput& input_;
  HttpBodyDecoder body_;
  const absl::Duration io_timeout_;
  const HttpResponse* response_ = nullptr;
  bool continue_pending_;
  absl::Status status_;
};

}  // namespace verdant::net

#endif  // VERDANT_NET_HTTP_REQUEST_H_
