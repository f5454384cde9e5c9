#include "net/wrap_ssl.h"

#include <memory>
#include <stdexcept>
#include <utility>

#include "absl/status/statusor.h"
#include "green/ssl.h"

namespace verdant::net {

StreamWrapper WrapSsl(green::TlsContext context) {
  if (!context.for_servers()) throw std::logic_error("net::WrapSsl: not a server's context");
  return [context = std::move(context)](
             green::Socket socket,
             Deadline deadline) -> absl::StatusOr<std::unique_ptr<green::Stream>> {
    absl::StatusOr<green::TlsSocket> wrapped =
        green::TlsSocket::Server(std::move(socket), context, deadline);
    if (!wrapped.ok()) return wrapped.status();
    return std::make_unique<green::TlsSocket>(*std::move(wrapped));
  };
}

}  // namespace verdant::net
