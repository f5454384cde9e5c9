#ifndef VERDANT_NET_WRAP_SSL_H_
#define VERDANT_NET_WRAP_SSL_H_

#include "green/ssl_context.h"
#include "net/http_server.h"

namespace verdant::net {

// What turns accepted connections into TLS connections, as HttpServerOptions::wrap wants it. Throws
// std::logic_error if `context` is not a server's. Row A11.4.
StreamWrapper WrapSsl(green::TlsContext context);

}  // namespace verdant::net

#endif  // VERDANT_NET_WRAP_SSL_H_
