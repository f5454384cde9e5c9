#include "net/http_server.h"

#include <utility>

#include "net/internal/http_connection.h"
#include "net/serve.h"

namespace verdant::net {

HttpServer::HttpServer(Handler handler, HttpServerOptions options)
    : handler_(std::move(handler)), options_(std::move(options)) {}

absl::Status HttpServer::Serve(green::Socket& listener) {
  ServeOptions serve;
  serve.concurrency = options_.concurrency;
  serve.grace = options_.grace;
  serve.stop = &stop_;
  return net::Serve(
      listener,
      [this](green::Socket& socket) {
        ++counts_.connections;
        std::unique_ptr<green::Stream> wrapped;
        if (options_.wrap != nullptr) {
          absl::StatusOr<std::unique_ptr<green::Stream>> layered =
              options_.wrap(std::move(socket), options_.header_timeout);
          if (!layered.ok()) return;
          wrapped = *std::move(layered);
        }
        green::Stream& stream = wrapped != nullptr ? *wrapped : socket;
        internal::HttpConnection connection(stream, handler_, options_, stop_);
        connection.Run(counts_.requests);
      },
      serve);
}

}  // namespace verdant::net
