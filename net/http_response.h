#ifndef VERDANT_NET_HTTP_RESPONSE_H_
#define VERDANT_NET_HTTP_RESPONSE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "green/stream.h"
#include "net/http_headers.h"

namespace verdant::net {

namespace internal {
class HttpConnection;
}  // namespace internal

// What a handler answers. Until anything is sent, status and headers may change; the body is
// written in pieces. Small ones gather, so that a short response leaves with its headers in one
// packet and a Content-Length; a longer one without a Content-Length of the handler's goes in
// chunks, or to an HTTP/1.0 client until the connection closes. The response ends when the handler
// returns. For HEAD the body is counted and dropped. Row A16.6.
//
// Misuse throws std::logic_error: headers after the start, a body with 204 or 304, more than the
// Content-Length promised, a Transfer-Encoding of one's own. Lives for the handler's call only, in
// its green thread.
class HttpResponse {
 public:
  HttpResponse(const HttpResponse&) = delete;
  HttpResponse& operator=(const HttpResponse&) = delete;

  int status() const { return status_; }
  // From 200 to 599; throws std::invalid_argument otherwise, and if a line break hides in `reason`.
  // Without one the usual phrase of the status is sent.
  void SetStatus(int status, std::string_view reason = {});
  // Date is added unless it is set; Connection and the framing of the body are this class' own.
  HttpHeaders& headers();

  // Appends to the body, waiting while the client takes nothing. The Status names the client and
  // the cause when it has gone away, or took nothing for the server's io_timeout; it stays, and
  // nothing more is sent.
  absl::Status Write(std::string_view data);
  // Sends what has been written, headers included.
  absl::Status Flush();
  // An error page in place of whatever was set and written so far; throws std::logic_error once
  // started().
  void Fail(int status, std::string_view detail = {});

  // The headers have been sent.
  bool started() const { return started_; }
  // Of the body, as written.
  std::uint64_t body_bytes() const { return total_; }
  // The connection takes no further request after this one.
  void CloseConnection() { keep_alive_ = false; }

 private:
  friend class internal::HttpConnection;
  enum class Framing { kUnknown, kNone, kLength, kChunked, kUntilClose };

  HttpResponse(green::Stream& stream, bool head_request, int version_minor, bool keep_alive,
               absl::Duration keep_alive_timeout, absl::Duration io_timeout);

  bool untouched() const { return !started_ && total_ == 0 && status_ == 200 && headers_.empty(); }
  bool keep_alive() const { return keep_alive_; }
  bool BodyAllowed() const { return status_ != 204 && status_ != 304; }
  std::string MakeHead(bool complete);
  void ChooseFraming(bool complete);
  absl::Status SendBody(std::string_view data, bool complete);
  absl::Status SendPieces(std::span<const std::string_view> pieces);
  absl::Status Finish();

  green::Stream& stream_;
  const bool head_request_;
  const int version_minor_;
  bool keep_alive_;
  const absl::Duration keep_alive_timeout_;
  const absl::Duration io_timeout_;

  int status_ = 200;
  std::string reason_;
  HttpHeaders headers_;
  bool started_ = false;
  Framing framing_ = Framing::kUnknown;
  std::optional<std::uint64_t> declared_;  // Content-Length
  std::uint64_t total_ = 0;
  std::string buffer_;
  absl::Status failure_;
};

}  // namespace verdant::net

#endif  // VERDANT_NET_HTTP_RESPONSE_H_
