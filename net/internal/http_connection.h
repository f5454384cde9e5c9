#ifndef VERDANT_NET_INTERNAL_HTTP_CONNECTION_H_
#define VERDANT_NET_INTERNAL_HTTP_CONNECTION_H_

#include <cstdint>
#include <exception>
#include <string_view>

#include "green/stream.h"
#include "net/http_server.h"
#include "net/internal/http_input.h"
#include "net/stop_signal.h"

namespace verdant::net::internal {

// One client's connection, in the green thread that serves it.
class HttpConnection {
 public:
  HttpConnection(green::Stream& stream, const HttpServer::Handler& handler,
                 const HttpServerOptions& options, StopSignal& stop);

  // Answers one request after the other until the connection ends. Failures of the client end it
  // quietly.
  void Run(std::uint64_t& requests);

 private:
  enum class Head { kComplete, kMalformed, kTimedOut, kGone };

  Head ReadHead(bool first);
  // True if another request may follow.
  bool Answer();
  std::exception_ptr CallHandler(HttpRequest& request, HttpResponse& response);
  void Refuse(int status, std::string_view reason, std::string_view detail);
  // More than is worth reading for the sake of the next request.
  bool TooMuchToDrain(const HttpRequest& request) const;
  bool Drain(HttpRequest& request);
  void CloseGently();
  void Log(const HttpRequestHead* head, const HttpResponse& response,
           std::int64_t began_nanos) const;

  green::Stream& stream_;
  const HttpServer::Handler& handler_;
  const HttpServerOptions& options_;
  StopSignal& stop_;
  HttpInput input_;
  HttpRequestParser parser_;
  bool idle_ = false;  // waits for a request's first byte
  StopSignal::Watch watch_;
};

}  // namespace verdant::net::internal

#endif  // VERDANT_NET_INTERNAL_HTTP_CONNECTION_H_
