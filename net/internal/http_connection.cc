#include "net/internal/http_connection.h"

#include <array>
#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "net/serve.h"

namespace verdant::net::internal {
namespace {

// Requests that came together are answered without a wait; after so many, others get their turn.
constexpr int kRequestsInARow = 16;
// What a client may still send, and how long, after the last response: it may not read it before
// (RFC 9112, section 9.6).
constexpr absl::Duration kLinger = absl::Seconds(2);
constexpr std::size_t kMaxLinger = std::size_t{1} << 20;

}  // namespace

HttpConnection::HttpConnection(green::Stream& stream, const HttpServer::Handler& handler,
                               const HttpServerOptions& options, StopSignal& stop)
    : stream_(stream),
      handler_(handler),
      options_(options),
      stop_(stop),
      input_(stream),
      parser_(options.limits),
      watch_(stop.OnStop([this] {
        if (idle_) stream_.Close();
      })) {}

void HttpConnection::Run(std::uint64_t& requests) {
  for (int in_a_row = 1;; ++in_a_row) {
    if (in_a_row % kRequestsInARow == 0) Sleep();
    bool more = false;
    switch (ReadHead(in_a_row == 1)) {
      case Head::kGone:
        return;
      case Head::kTimedOut:
        Refuse(408, "", "the request did not come in time");
        break;
      case Head::kMalformed:
        Refuse(parser_.error().status, parser_.error().reason, parser_.error().detail);
        break;
      case Head::kComplete:
        more = Answer();
        break;
    }
    ++requests;
    if (!more) break;
  }
  CloseGently();
}

HttpConnection::Head HttpConnection::ReadHead(bool first) {
  Deadline deadline = options_.header_timeout;
  bool begun = !input_.empty();
  for (;;) {
    input_.Consume(parser_.Feed(input_.buffered()));
    if (parser_.done()) return Head::kComplete;
    if (parser_.failed()) return Head::kMalformed;
    const Deadline patience = begun || first ? deadline : Deadline(options_.keep_alive_timeout);
    if (!begun && stop_.stopped()) return Head::kGone;
    idle_ = !begun;
    const absl::StatusOr<std::size_t> got = input_.Fill(patience);
    idle_ = false;
    if (!got.ok()) {
      return absl::IsDeadlineExceeded(got.status()) && begun ? Head::kTimedOut : Head::kGone;
    }
    if (*got == 0) return Head::kGone;
    if (!begun && !first) deadline = options_.header_timeout;
    begun = true;
  }
}

bool HttpConnection::Answer() {
  HttpRequest request(parser_.TakeHead(), stream_, input_, options_.limits, options_.io_timeout);
  const std::int64_t began = Hub::Current().NowNanos();
  const HttpRequestHead& head = request.head_;
  const bool keep_alive = head.keep_alive() && options_.keep_alive_timeout > absl::ZeroDuration();
  HttpResponse response(stream_, head.method() == "HEAD", head.version_minor(), keep_alive,
                        options_.keep_alive_timeout, options_.io_timeout);
  request.response_ = &response;
  if (const std::exception_ptr error = CallHandler(request, response); error != nullptr) {
    Hub::Current().ReportUncaught(absl::StrCat("handler of ", request.method(), " ",
                                               request.target(), " from ", stream_.peer()),
                                  error);
    response.CloseConnection();
    if (response.started()) {
      // What was promised stays unfinished, so that the client can tell.
      stream_.Close();
    } else {
      response.Fail(500);
      static_cast<void>(response.Finish());
    }
  }
  Log(&head, response, began);
  return response.failure_.ok() && response.keep_alive() && !stream_.closed() && Drain(request);
}

// Contained, what it threw is the result; but a kill goes on.
std::exception_ptr HttpConnection::CallHandler(HttpRequest& request, HttpResponse& response) {
  try {
    try {
      handler_(request, response);
    } catch (const StopServe&) {
      stop_.Stop();
    }
    if (!request.status_.ok() && response.untouched()) {
      const int status = request.body_.failed()                      ? request.body_.error().status
                         : absl::IsDeadlineExceeded(request.status_) ? 408
                                                                     : 400;
      response.Fail(status, request.status_.message());
    }
    // A client that was never let continue may send its body or may not: nobody can tell what comes
    // next.
    if (request.continue_pending_ || !request.status_.ok() || TooMuchToDrain(request) ||
        stop_.stopped()) {
      response.CloseConnection();
    }
    static_cast<void>(response.Finish());
    return nullptr;
  } catch (const GreenletExit&) {
    throw;
  } catch (...) {
    return std::current_exception();
  }
}

void HttpConnection::Refuse(int status, std::string_view reason, std::string_view detail) {
  const std::int64_t began = Hub::Current().NowNanos();
  HttpResponse response(stream_, /*head_request=*/false, /*version_minor=*/1, /*keep_alive=*/false,
                        options_.keep_alive_timeout, options_.io_timeout);
  response.Fail(status, detail);
  if (!reason.empty()) response.SetStatus(status, reason);
  static_cast<void>(response.Finish());
  Log(nullptr, response, began);
}

bool HttpConnection::TooMuchToDrain(const HttpRequest& request) const {
  const std::uint64_t announced = request.content_length().value_or(0);
  return !request.body_done() && announced > options_.max_drain;
}

bool HttpConnection::Drain(HttpRequest& request) {
  std::array<char, 4096> buffer;
  std::uint64_t drained = 0;
  const Deadline deadline = options_.io_timeout;
  while (!request.body_done()) {
    const absl::StatusOr<std::size_t> got = request.Read(buffer, deadline);
    if (!got.ok()) return false;
    drained += *got;
    if (drained > options_.max_drain) return false;
  }
  return true;
}

void HttpConnection::CloseGently() {
  if (stream_.closed()) return;
  const Deadline deadline = kLinger;
  std::size_t ignored = 0;
  if (!stream_.ShutdownSend(deadline).ok()) return;
  std::array<char, 4096> buffer;
  while (ignored < kMaxLinger) {
    const absl::StatusOr<std::size_t> got = stream_.Recv(buffer, deadline);
    if (!got.ok() || *got == 0) break;
    ignored += *got;
  }
}

void HttpConnection::Log(const HttpRequestHead* head, const HttpResponse& response,
                         std::int64_t began_nanos) const {
  if (options_.log == nullptr) return;
  options_.log({stream_.peer(), head != nullptr ? head->method() : "",
                head != nullptr ? head->target() : "", response.status(), response.body_bytes(),
                absl::Nanoseconds(Hub::Current().NowNanos() - began_nanos)});
}

}  // namespace verdant::net::internal
