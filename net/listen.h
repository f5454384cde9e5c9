#ifndef VERDANT_NET_LISTEN_H_
#define VERDANT_NET_LISTEN_H_

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"
#include "green/socket.h"

namespace verdant::net {

// Listens on "1.2.3.4:port", "[::1]:port", the path of a Unix socket (see Address::Parse()), or
// ":port" for every interface. Port 0 lets the kernel choose; local() of the result tells.
// Addresses are reused at once by default (SO_REUSEADDR); an IPv6 listener takes IPv4 connections
// too unless `options` says otherwise. Failures name the address and the cause. Rows A11.1 and
// B10.1.
absl::StatusOr<green::Socket> Listen(std::string_view where,
                                     const green::ListenOptions& options = {});

// On `port` of every interface: IPv6 and IPv4 where the machine has both.
absl::StatusOr<green::Socket> Listen(std::uint16_t port, const green::ListenOptions& options = {});

}  // namespace verdant::net

#endif  // VERDANT_NET_LISTEN_H_
