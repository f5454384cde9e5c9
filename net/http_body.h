#ifndef VERDANT_NET_HTTP_BODY_H_
#define VERDANT_NET_HTTP_BODY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "net/http_parser.h"

namespace verdant::net {

// Takes the framing off a message's body: a Content-Length, or chunks with their sizes, extensions
// and trailers, which are checked and dropped (rows A16.4, B10.10; RFC 9112, section 7.1). Strict
// like HttpRequestParser; takes input torn anywhere and does no input or output. A failed decoder
// stays so.
class HttpBodyDecoder {
 public:
  // No body.
  HttpBodyDecoder() = default;
  HttpBodyDecoder(HttpFraming framing, std::uint64_t content_length, const HttpLimits& limits);

  // Takes from the front of `input` what belongs to the body, sets *data to the part of it that is
  // content, at most `max_data` bytes (which must not be 0), and returns how much it took. One call
  // gives one piece: to be called until it takes nothing.
  std::size_t Decode(std::string_view input, std::string_view* data,
                     std::size_t max_data = std::string_view::npos);

  bool done() const { return state_ == State::kDone; }
  bool failed() const { return state_ == State::kFailed; }
  const HttpParseError& error() const { return error_; }
  // Bytes of content that are certain to come next, with nothing between them.
  std::uint64_t remaining_in_piece() const { return state_ == State::kData ? remaining_ : 0; }

 private:
  enum class State { kData, kChunkSize, kChunkEnd, kTrailer, kDone, kFailed };

  void Fail(int status, std::string_view detail);
  void TakeLine();
  void TakeChunkSize(std::string_view line);

  State state_ = State::kDone;
  bool chunked_ = false;
  HttpLimits limits_;
  std::uint64_t remaining_ = 0;  // of the content or the chunk
  std::uint64_t total_ = 0;      // announced by chunks so far
  std::size_t trailer_bytes_ = 0;
  std::string line_;
  HttpParseError error_;
};

}  // namespace verdant::net

#endif  // VERDANT_NET_HTTP_BODY_H_
