#include "net/http_response.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "net/http_parser.h"
#include "net/http_status.h"

namespace verdant::net {
namespace {

// Of the body, gathered before it is sent.
constexpr std::size_t kGather = 16384;
// As much must go within one io_timeout.
constexpr std::size_t kSlice = 65536;

// The Date field's value; made once a second.
std::string_view CurrentDate() {
  struct Cache {
    time_t second = -1;
    std::string text;
  };
  thread_local Cache cache;
  timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  if (now.tv_sec != cache.second) {
    cache.text = HttpDate(absl::FromTimeT(now.tv_sec));
    cache.second = now.tv_sec;
  }
  return cache.text;
}

}  // namespace

HttpResponse::HttpResponse(green::Stream& stream, bool head_request, int version_minor,
                           bool keep_alive, absl::Duration keep_alive_timeout,
                           absl::Duration io_timeout)
    : stream_(stream),
      head_request_(head_request),
      version_minor_(version_minor),
      keep_alive_(keep_alive),
      keep_alive_timeout_(keep_alive_timeout),
      io_timeout_(io_timeout) {}

void HttpResponse::SetStatus(int status, std::string_view reason) {
  if (started_) throw std::logic_error("HttpResponse::SetStatus: the response has begun");
  if (status < 200 || status > 599) {
    throw std::invalid_argument(absl::StrCat("HttpResponse::SetStatus: ", status));
  }
  if (!IsHttpFieldValue(reason)) {
    throw std::invalid_argument(absl::StrCat("HttpResponse::SetStatus: a control character in '",
                                             absl::CHexEscape(reason.substr(0, 100)), "'"));
  }
  status_ = status;
  reason_ = reason;
}

HttpHeaders& HttpResponse::headers() {
  if (started_) throw std::logic_error("HttpResponse::headers: the response has begun");
  return headers_;
}

void HttpResponse::Fail(int status, std::string_view detail) {
  SetStatus(status);
  headers_ = HttpHeaders();
  declared_.reset();
  buffer_.clear();
  total_ = 0;
  if (!BodyAllowed()) return;
  const std::string title = absl::StrCat(status, " ", HttpReason(status));
  const std::string text =
      absl::StrReplaceAll(detail, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
  headers_.Add("Content-Type", "text/html; charset=utf-8");
  buffer_ = absl::StrCat("<!DOCTYPE html>\n<html><head><title>", title, "</title></head><body><h1>",
                         title, "</h1>", text.empty() ? "" : absl::StrCat("<p>", text, "</p>"),
                         "</body></html>\n");
  total_ = buffer_.size();
}

void HttpResponse::ChooseFraming(bool complete) {
  if (headers_.Has("Transfer-Encoding")) {
    throw std::logic_error("HttpResponse: a handler must not set Transfer-Encoding");
  }
  if (headers_.Has("Content-Length")) {
    declared_ = ParseContentLength(headers_.Joined("Content-Length"));
    if (!declared_ || status_ == 204)
      throw std::logic_error("HttpResponse: wrong use of Content-Length");
  }
  if (!BodyAllowed()) {
    if (total_ > 0) {
      throw std::logic_error(absl::StrCat("HttpResponse: a body with the status ", status_));
    }
    framing_ = Framing::kNone;
  } else if (declared_) {
    if (total_ > *declared_) throw std::logic_error("HttpResponse: more than the Content-Length");
    framing_ = Framing::kLength;
  } else if (complete) {
    // A HEAD whose handler wrote nothing says nothing of what GET would have sent.
    framing_ = head_request_ && total_ == 0 ? Framing::kNone : Framing::kLength;
    if (framing_ == Framing::kLength) declared_ = total_;
  } else {
    framing_ = version_minor_ == 1 ? Framing::kChunked : Framing::kUntilClose;
  }
  if (framing_ == Framing::kUntilClose && !head_request_) keep_alive_ = false;
  if (headers_.HasToken("Connection", "close")) keep_alive_ = false;
}

std::string HttpResponse::MakeHead(bool complete) {
  ChooseFraming(complete);
  std::string head = absl::StrCat("HTTP/1.1 ", status_, " ",
                                  reason_.empty() ? HttpReason(status_) : reason_, "\r\n");
  for (const HttpHeaders::Field field : headers_) {
    if (HttpNamesEqual(field.name, "Connection")) continue;
    absl::StrAppend(&head, field.name, ": ", field.value, "\r\n");
  }
  if (!headers_.Has("Date")) absl::StrAppend(&head, "Date: ", CurrentDate(), "\r\n");
  if (framing_ == Framing::kChunked) head += "Transfer-Encoding: chunked\r\n";
  if (framing_ == Framing::kLength && !headers_.Has("Content-Length")) {
    absl::StrAppend(&head, "Content-Length: ", *declared_, "\r\n");
  }
  if (!keep_alive_) {
    head += "Connection: close\r\n";
  } else {
    if (version_minor_ == 0) head += "Connection: keep-alive\r\n";
    if (keep_alive_timeout_ >= absl::Seconds(1) && keep_alive_timeout_ < absl::InfiniteDuration()) {
      absl::StrAppend(&head, "Keep-Alive: timeout=", absl::ToInt64Seconds(keep_alive_timeout_),
                      "\r\n");
    }
  }
  head += "\r\n";
  return head;
}

absl::Status HttpResponse::SendPieces(std::span<const std::string_view> pieces) {
  std::array<std::string_view, 6> batch;
  std::size_t count = 0;
  std::size_t size = 0;
  const auto send = [&] {
    failure_ = stream_.SendAll(std::span(batch.data(), count), io_timeout_);
    count = size = 0;
    return failure_.ok();
  };
  for (std::string_view piece : pieces) {
    while (!piece.empty()) {
      const std::string_view slice = piece.substr(0, kSlice - size);
      piece.remove_prefix(slice.size());
      batch[count++] = slice;
      size += slice.size();
      if ((size == kSlice || count == batch.size()) && !send()) return failure_;
    }
  }
  if (count > 0) send();
  return failure_;
}

// Sends buffer_ and `data`, and what belongs around them.
absl::Status HttpResponse::SendBody(std::string_view data, bool complete) {
  std::string head;
  if (!started_) head = MakeHead(complete);
  started_ = true;
  const std::string buffered = std::exchange(buffer_, {});
  const bool body = !head_request_ && framing_ != Framing::kNone;
  const std::size_t size = buffered.size() + data.size();
  std::string chunk;
  if (body && framing_ == Framing::kChunked && size > 0) {
    chunk = absl::StrCat(absl::Hex(size), "\r\n");
  }
  const std::string_view chunk_end = chunk.empty() ? "" : "\r\n";
  const std::string_view last_chunk =
      body && framing_ == Framing::kChunked && complete ? "0\r\n\r\n" : "";
  const std::array<std::string_view, 6> pieces = {head, chunk,     buffered,
                                                  data, chunk_end, last_chunk};
  return SendPieces(std::span(pieces).first(body ? pieces.size() : 1));
}

absl::Status HttpResponse::Write(std::string_view data) {
  if (!failure_.ok() || data.empty()) return failure_;
  if (!BodyAllowed()) {
    throw std::logic_error(absl::StrCat("HttpResponse: a body with the status ", status_));
  }
  if (declared_ && data.size() > *declared_ - total_) {
    throw std::logic_error("HttpResponse: more than the Content-Length");
  }
  total_ += data.size();
  if (head_request_) return absl::OkStatus();
  if (buffer_.size() + data.size() > kGather) return SendBody(data, /*complete=*/false);
  buffer_.append(data);
  return absl::OkStatus();
}

absl::Status HttpResponse::Flush() {
  if (!failure_.ok() || (started_ && buffer_.empty())) return failure_;
  return SendBody({}, /*complete=*/false);
}

absl::Status HttpResponse::Finish() {
  if (!failure_.ok()) return failure_;
  const bool sends_nothing = started_ && buffer_.empty() && framing_ != Framing::kChunked;
  if (!sends_nothing) {
    if (absl::Status status = SendBody({}, /*complete=*/true); !status.ok()) return status;
  }
  if (framing_ == Framing::kLength && total_ < *declared_ && !head_request_) {
    throw std::logic_error(absl::StrCat("HttpResponse: ", total_, " bytes instead of the ",
                                        *declared_, " of the Content-Length"));
  }
  return absl::OkStatus();
}

}  // namespace verdant::net
