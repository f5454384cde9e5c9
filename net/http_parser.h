#ifndef VERDANT_NET_HTTP_PARSER_H_
#define VERDANT_NET_HTTP_PARSER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "net/http_headers.h"

namespace verdant::net {

// How much of a request is put up with; in bytes, line ends included.
struct HttpLimits {
  std::size_t request_line = 8192;     // as long or longer: 414 (row A16.1)
  std::size_t header_line = 8192;      // as long or longer: 400 Header Line Too Long (row A16.2)
  std::size_t headers = 65536;         // more in all: 400 Headers Too Large (row A16.2)
  std::size_t header_count = 256;      // more fields: 400 Headers Too Large
  std::size_t chunk_extension = 8192;  // of one chunk; more: 400 (row B10.10)
  std::size_t trailers = 8192;         // after a chunked body, in all; more: 400
  std::uint64_t body = std::uint64_t{64} << 20;  // more: 413
};

// Why a request was refused, as it goes into the response: "400 Bad Request" and the detail.
struct HttpParseError {
  int status = 400;
  std::string reason;  // the reason phrase; empty: the usual one of the status
  std::string detail;
};

// How the body of a request is delimited (RFC 9112, section 6).
enum class HttpFraming { kNone, kLength, kChunked };

// A request up to its body.
class HttpRequestHead {
 public:
  std::string_view method() const { return View(method_); }
  // As sent: "/path?query", "http://host/path", "*", or "host:port" for CONNECT.
  std::string_view target() const { return View(target_); }
  // 0 or 1, of HTTP/1.x.
  int version_minor() const { return version_minor_; }
  const HttpHeaders& headers() const { return headers_; }

  // Of the target, without "?query"; "/" for "http://host". Not decoded.
  std::string_view path() const;
  // After the "?"; empty without one.
  std::string_view query() const;

  HttpFraming framing() const { return framing_; }
  // With framing kLength.
  std::uint64_t content_length() const { return content_length_; }
  // The client waits for "100 Continue" before it sends the body.
  bool expects_continue() const { return expects_continue_; }
  // The client means to send further requests on the connection.
  bool keep_alive() const { return keep_alive_; }

 private:
  friend class HttpRequestParser;
  struct Piece {
    std::uint32_t at = 0;
    std::uint32_t size = 0;
  };
  std::string_view View(Piece piece) const {
    return std::string_view(headers_.text_).substr(piece.at, piece.size);
  }

  HttpHeaders headers_;  // whose text is the whole head
  Piece method_;
  Piece target_;
  int version_minor_ = 1;
  HttpFraming framing_ = HttpFraming::kNone;
  std::uint64_t content_length_ = 0;
  bool expects_continue_ = false;
  bool keep_alive_ = true;
};

// Parses the heads of HTTP/1.0 and 1.1 requests from input torn anywhere, strictly, so that no
// other program on the way can read a message differently (request smuggling): lines end in CR LF,
// no space stands before a colon or begins a line, names are tokens, control characters are
// refused, there is one Host in HTTP/1.1, one valid Content-Length at most and never with
// Transfer-Encoding, which must be exactly "chunked" (anything else: 501) and not come with
// HTTP/1.0. RFC 9112; rows A16.1-A16.3, B10.9; decision 18. Does no input or output; a failed
// parser stays so.
class HttpRequestParser {
 public:
  explicit HttpRequestParser(const HttpLimits& limits = {}) : limits_(limits) {}

  // Takes from the front of `input` what belongs to the head, and returns how much: all of it
  // unless done() or failed().
  std::size_t Feed(std::string_view input);

  bool done() const { return state_ == State::kDone; }
  bool failed() const { return state_ == State::kFailed; }
  // Nothing of a request has come yet.
  bool idle() const { return state_ == State::kRequestLine && text().empty(); }
  const HttpParseError& error() const { return error_; }

  // The head, once done(); begins anew with the next.
  HttpRequestHead TakeHead();

 private:
  enum class State { kRequestLine, kHeaders, kDone, kFailed };

  std::string& text() { return head_.headers_.text_; }
  const std::string& text() const { return head_.headers_.text_; }
  void Fail(int status, std::string_view detail, std::string_view reason = {});
  void CheckSize();
  void TakeLine(std::size_t begin, std::size_t end);
  void TakeRequestLine(std::string_view line, std::size_t at);
  void TakeHeaderLine(std::string_view line, std::size_t at);
  bool TargetFits(std::string_view method, std::string_view target);
  void Finish();
  void FinishFraming();

  HttpLimits limits_;
  State state_ = State::kRequestLine;
  HttpRequestHead head_;
  std::size_t line_begin_ = 0;
  std::size_t headers_begin_ = 0;
  int empty_lines_ = 0;
  HttpParseError error_;
};

// A Content-Length: one or more digits, of a number below 2^63 (RFC 9110, section 8.6). None if it
// is anything else.
std::optional<std::uint64_t> ParseContentLength(std::string_view text);

}  // namespace verdant::net

#endif  // VERDANT_NET_HTTP_PARSER_H_
