#ifndef VERDANT_NET_CONNECT_H_
#define VERDANT_NET_CONNECT_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "green/socket.h"
#include "hub/clock.h"

namespace verdant::net {

// Connects to "host:port", "1.2.3.4:port", "[::1]:port" or the path of a Unix socket (see
// Address::Parse()); the short way to green::Socket::Connect(), which tells the rest.
// InvalidArgument if `where` is none of these. Row A11.1.
absl::StatusOr<green::Socket> Connect(std::string_view where, Deadline deadline = Deadline::Never(),
                                      const green::ConnectOptions& options = {});

}  // namespace verdant::net

#endif  // VERDANT_NET_CONNECT_H_
