#include "net/http_body.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace verdant::net {
namespace {

constexpr std::size_t kMaxSizeDigits = 16;

std::string_view TakeToken(std::string_view& text) {
  std::size_t size = 0;
  while (size < text.size() && IsHttpToken(text.substr(size, 1))) ++size;
  const std::string_view token = text.substr(0, size);
  text.remove_prefix(size);
  return token;
}

bool TakeQuotedString(std::string_view& text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return true;
    }
    if (text[i] == '\\') ++i;
  }
  return false;
}

// *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )
bool IsChunkExtension(std::string_view text) {
  if (!IsHttpFieldValue(text)) return false;
  if (text.empty()) return true;
  text = TrimHttpSpace(text);
  if (text.empty()) return false;  // space that belongs to nothing
  while (!text.empty()) {
    if (text[0] != ';') return false;
    text = TrimHttpSpace(text.substr(1));
    if (TakeToken(text).empty()) return false;
    text = TrimHttpSpace(text);
    if (text.empty() || text[0] != '=') continue;
    text = TrimHttpSpace(text.substr(1));
    const bool quoted = !text.empty() && text[0] == '"';
    if (quoted ? !TakeQuotedString(text) : TakeToken(text).empty()) return false;
    text = TrimHttpSpace(text);
  }
  return true;
}

bool IsTrailer(std::string_view line) {
  const std::size_t colon = line.find(':');
  return colon != std::string_view::npos && IsHttpToken(line.substr(0, colon)) &&
         IsHttpFieldValue(line.substr(colon + 1));
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = absl::ascii_tolower(static_cast<unsigned char>(c));
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

HttpBodyDecoder::HttpBodyDecoder(HttpFraming framing, std::uint64_t content_length,
                                 const HttpLimits& limits)
    : limits_(limits) {
  if (framing == HttpFraming::kChunked) {
    state_ = State::kChunkSize;
    chunked_ = true;
  } else if (framing == HttpFraming::kLength && content_length > 0) {
    state_ = State::kData;
    remaining_ = content_length;
  }
}

void HttpBodyDecoder::Fail(int status, std::string_view detail) {
  state_ = State::kFailed;
  error_ = {status, "", std::string(detail)};
}

std::size_t HttpBodyDecoder::Decode(std::string_view input, std::string_view* data,
                                    std::size_t max_data) {
  *data = {};
  std::size_t taken = 0;
  while (taken < input.size() && !done() && !failed()) {
    if (state_ == State::kData) {
      const auto size = static_cast<std::size_t>(
          std::min<std::uint64_t>(remaining_, std::min(input.size() - taken, max_data)));
      *data = input.substr(taken, size);
      remaining_ -= size;
      if (remaining_ == 0) state_ = chunked_ ? State::kChunkEnd : State::kDone;
      return taken + size;
    }
    const char c = input[taken++];
    line_.push_back(c);
    if (c == '\n') {
      TakeLine();
      continue;
    }
    const std::size_t limit = state_ == State::kChunkSize
                                  ? kMaxSizeDigits + limits_.chunk_extension + 1
                              : state_ == State::kChunkEnd ? 1
                                                           : limits_.trailers - trailer_bytes_ + 1;
    if (line_.size() > limit) {
      Fail(400, state_ == State::kChunkSize  ? "a chunk's extension is too long"
                : state_ == State::kChunkEnd ? "a chunk is longer than it said"
                                             : "the trailers are too large");
    }
  }
  return taken;
}

void HttpBodyDecoder::TakeLine() {
  const std::string whole = std::exchange(line_, {});
  if (whole.size() < 2 || whole[whole.size() - 2] != '\r') {
    return Fail(400, "a line of a chunked body does not end in CR LF");
  }
  const std::string_view line = std::string_view(whole).substr(0, whole.size() - 2);
  switch (state_) {
    case State::kChunkSize:
      return TakeChunkSize(line);
    case State::kChunkEnd:
      if (!line.empty()) return Fail(400, "a chunk is longer than it said");
      state_ = State::kChunkSize;
      return;
    default:
      break;
  }
  if (line.empty()) {
    state_ = State::kDone;
    return;
  }
  trailer_bytes_ += whole.size();
  if (trailer_bytes_ > limits_.trailers) return Fail(400, "the trailers are too large");
  if (!IsTrailer(line)) Fail(400, "malformed trailer");
}

void HttpBodyDecoder::TakeChunkSize(std::string_view line) {
  std::size_t digits = 0;
  std::uint64_t size = 0;
  while (digits < line.size() && HexDigit(line[digits]) >= 0) {
    if (digits == kMaxSizeDigits) return Fail(400, "malformed chunk size");
    size = size << 4 | static_cast<std::uint64_t>(HexDigit(line[digits]));
    ++digits;
  }
  const std::string_view extension = line.substr(digits);
  if (digits == 0) return Fail(400, "malformed chunk size");
  if (extension.size() > limits_.chunk_extension)
    return Fail(400, "a chunk's extension is too long");
  if (!IsChunkExtension(extension)) return Fail(400, "malformed chunk size or extension");
  if (size > limits_.body || total_ > limits_.body - size) {
    return Fail(413, "the request body is too large");
  }
  total_ += size;
  remaining_ = size;
  state_ = size == 0 ? State::kTrailer : State::kData;
}

}  // namespace verdant::net
