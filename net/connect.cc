#include "net/connect.h"

#include <cstdint>
#include <limits>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace verdant::net {

absl::StatusOr<green::Socket> Connect(std::string_view where, Deadline deadline,
                                      const green::ConnectOptions& options) {
  absl::StatusOr<green::Address> address = green::Address::Parse(where);
  if (address.ok()) return green::Socket::Connect(*address, deadline, options);
  const std::size_t colon = where.rfind(':');
  const std::string_view host = where.substr(0, colon);
  std::uint32_t port;
  if (colon == std::string_view::npos || host.empty() || host.find_first_of(":/[]@") != host.npos ||
      where.size() - colon > 6 || !absl::SimpleAtoi(where.substr(colon + 1), &port) ||
      port > std::numeric_limits<std::uint16_t>::max()) {
    return absl::InvalidArgumentError(
        absl::StrCat("connect to '", absl::CHexEscape(where), "': neither host:port nor a path"));
  }
  return green::Socket::Connect(host, static_cast<std::uint16_t>(port), deadline, options);
}

}  // namespace verdant::net
