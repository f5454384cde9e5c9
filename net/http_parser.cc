#include "net/http_parser.h"

#include <algorithm>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace verdant::net {
namespace {

// RFC 9112, section 2.2, asks to pass over an empty line before a request; some clients send one
// after a body.
constexpr int kMaxEmptyLines = 2;

std::string Quoted(std::string_view text) {
  return absl::StrCat("'", absl::CHexEscape(text.substr(0, 80)), text.size() > 80 ? "...'" : "'");
}

// No controls and no space; bytes above 127 are passed on as they are.
bool IsTarget(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7f;
  });
}

// Of a Host field: name or address, and port. Empty is allowed.
bool IsHost(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           std::string_view("-._~%!$&'()*+;=:[]").find(c) != std::string_view::npos ||
           static_cast<unsigned char>(c) > 0x7f;
  });
}

}  // namespace

std::optional<std::uint64_t> ParseContentLength(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::uint64_t length = 0;
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return std::nullopt;
    constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (length > (kMax - digit) / 10) return std::nullopt;
    length = length * 10 + digit;
  }
  return length;
}

std::string_view HttpRequestHead::path() const {
  std::string_view path = target();
  if (!path.empty() && path[0] != '/') {
    const std::size_t authority = path.find("://");
    if (authority == std::string_view::npos) return path;
    path.remove_prefix(std::min(path.size(), path.find_first_of("/?", authority + 3)));
  }
  path = path.substr(0, path.find('?'));
  return path.empty() ? "/" : path;
}

std::string_view HttpRequestHead::query() const {
  const std::size_t mark = target().find('?');
  return mark == std::string_view::npos ? std::string_view() : target().substr(mark + 1);
}

void HttpRequestParser::Fail(int status, std::string_view detail, std::string_view reason) {
  if (failed()) return;
  state_ = State::kFailed;
  error_ = {status, std::string(reason), std::string(detail)};
}

HttpRequestHead HttpRequestParser::TakeHead() {
  HttpRequestHead taken = std::exchange(head_, HttpRequestHead());
  state_ = State::kRequestLine;
  line_begin_ = headers_begin_ = 0;
  empty_lines_ = 0;
  return taken;
}

std::size_t HttpRequestParser::Feed(std::string_view input) {
  std::size_t taken = 0;
  while (taken < input.size() && (state_ == State::kRequestLine || state_ == State::kHeaders)) {
    const std::string_view rest = input.substr(taken);
    const std::size_t newline = rest.find('\n');
    // No more is ever kept than shows that the limit is passed.
    const std::size_t limit =
        state_ == State::kRequestLine ? limits_.request_line : limits_.header_line;
    const std::size_t line = text().size() - line_begin_;
    const std::size_t size = std::min(newline == std::string_view::npos ? rest.size() : newline + 1,
                                      limit > line ? limit - line : 1);
    text().append(rest.substr(0, size));
    taken += size;
    CheckSize();
    if (failed()) break;
    if (text().back() == '\n') {
      const std::size_t begin = line_begin_;
      line_begin_ = text().size();
      TakeLine(begin, text().size());
    }
  }
  return taken;
}

void HttpRequestParser::CheckSize() {
  const std::size_t line = text().size() - line_begin_;
  if (state_ == State::kRequestLine) {
    if (line >= limits_.request_line) Fail(414, "the request line is too long");
    return;
  }
  if (line >= limits_.header_line) Fail(400, "a header line is too long", "Header Line Too Long");
  if (text().size() - headers_begin_ > limits_.headers) {
    Fail(400, "the headers are too large", "Headers Too Large");
  }
}

void HttpRequestParser::TakeLine(std::size_t begin, std::size_t end) {
  std::string_view line = std::string_view(text()).substr(begin, end - begin - 1);
  if (line.empty() || line.back() != '\r') return Fail(400, "a line does not end in CR LF");
  line.remove_suffix(1);
  if (state_ == State::kHeaders) {
    if (line.empty()) return Finish();
    return TakeHeaderLine(line, begin);
  }
  if (!line.empty()) return TakeRequestLine(line, begin);
  if (++empty_lines_ > kMaxEmptyLines) return Fail(400, "no request line");
  text().clear();
  line_begin_ = 0;
}

void HttpRequestParser::TakeRequestLine(std::string_view line, std::size_t at) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return Fail(400, absl::StrCat("malformed request line ", Quoted(line)));
  }
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!IsHttpToken(method) || !IsTarget(target) || !TargetFits(method, target)) {
    return Fail(400, absl::StrCat("malformed request line ", Quoted(line)));
  }
  const bool well_formed = version.size() == 8 && absl::StartsWith(version, "HTTP/") &&
                           absl::ascii_isdigit(static_cast<unsigned char>(version[5])) &&
                           version[6] == '.' &&
                           absl::ascii_isdigit(static_cast<unsigned char>(version[7]));
  if (!well_formed) return Fail(400, absl::StrCat("malformed request line ", Quoted(line)));
  if (version[5] != '1') return Fail(505, absl::StrCat(version, " is not spoken here"));
  // A later minor version is served as the highest known (RFC 9110, section 2.5).
  head_.version_minor_ = version[7] == '0' ? 0 : 1;
  head_.method_ = {static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(method.size())};
  head_.target_ = {static_cast<std::uint32_t>(at + first + 1),
                   static_cast<std::uint32_t>(target.size())};
  headers_begin_ = text().size();
  state_ = State::kHeaders;
}

bool HttpRequestParser::TargetFits(std::string_view method, std::string_view target) {
  if (method == "CONNECT") return target.find_first_of("/?@") == std::string_view::npos;
  if (target[0] == '/') return true;
  if (target == "*") return method == "OPTIONS";
  return absl::StartsWithIgnoreCase(target, "http://") ||
         absl::StartsWithIgnoreCase(target, "https://");
}

void HttpRequestParser::TakeHeaderLine(std::string_view line, std::size_t at) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) {
    return Fail(400, absl::StrCat("malformed header line ", Quoted(line)));
  }
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = TrimHttpSpace(line.substr(colon + 1));
  // Folded lines, and space before the colon, make no token of the name.
  if (!IsHttpToken(name) || !IsHttpFieldValue(value)) {
    return Fail(400, absl::StrCat("malformed header line ", Quoted(line)));
  }
  if (head_.headers_.entries_.size() >= limits_.header_count) {
    return Fail(400, "too many headers", "Headers Too Large");
  }
  const std::size_t value_at =
      value.empty() ? at : at + static_cast<std::size_t>(value.data() - line.data());
  head_.headers_.entries_.push_back(
      {static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(name.size()),
       static_cast<std::uint32_t>(value_at), static_cast<std::uint32_t>(value.size())});
}

void HttpRequestParser::Finish() {
  const HttpHeaders& headers = head_.headers_;
  const std::size_t hosts = headers.Count("Host");
  if (hosts > 1 || (hosts == 0 && head_.version_minor_ == 1)) {
    return Fail(400, hosts == 0 ? "no Host header" : "several Host headers");
  }
  if (hosts == 1 && !IsHost(*headers.Get("Host"))) {
    return Fail(400, absl::StrCat("malformed Host ", Quoted(*headers.Get("Host"))));
  }
  FinishFraming();
  if (failed()) return;
  head_.keep_alive_ = head_.version_minor_ == 1 ? !headers.HasToken("Connection", "close")
                                                : headers.HasToken("Connection", "keep-alive");
  // Expectations of HTTP/1.0 clients are to be ignored (RFC 9110, section 10.1.1).
  if (head_.version_minor_ == 1 && headers.Has("Expect")) {
    if (!HttpNamesEqual(headers.Joined("Expect"), "100-continue")) {
      return Fail(417,
                  absl::StrCat("cannot meet the expectation ", Quoted(headers.Joined("Expect"))));
    }
    head_.expects_continue_ = head_.framing_ != HttpFraming::kNone;
  }
  state_ = State::kDone;
}

void HttpRequestParser::FinishFraming() {
  const HttpHeaders& headers = head_.headers_;
  const std::size_t lengths = headers.Count("Content-Length");
  if (headers.Has("Transfer-Encoding")) {
    const std::string coding = headers.Joined("Transfer-Encoding");
    if (lengths > 0) return Fail(400, "both Content-Length and Transfer-Encoding");
    if (head_.version_minor_ == 0) return Fail(400, "Transfer-Encoding in HTTP/1.0");
    if (!HttpNamesEqual(coding, "chunked")) {
      return Fail(501, absl::StrCat("Transfer-Encoding ", Quoted(coding), " is not supported"));
    }
    head_.framing_ = HttpFraming::kChunked;
    return;
  }
  if (lengths == 0) return;
  const std::optional<std::uint64_t> length = ParseContentLength(headers.Joined("Content-Length"));
  if (!length) {
    return Fail(
        400, absl::StrCat("malformed Content-Length ", Quoted(headers.Joined("Content-Length"))));
  }
  if (*length > limits_.body) return Fail(413, "the request body is too large");
  head_.content_length_ = *length;
  head_.framing_ = *length == 0 ? HttpFraming::kNone : HttpFraming::kLength;
}

}  // namespace verdant::net
