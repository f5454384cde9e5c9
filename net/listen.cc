#include "net/listen.h"

#include <errno.h>

#include "absl/strings/str_cat.h"

namespace verdant::net {

absl::StatusOr<green::Socket> Listen(std::string_view where, const green::ListenOptions& options) {
  if (!where.empty() && where[0] == ':') {
    absl::StatusOr<green::Address> any = green::Address::Parse(absl::StrCat("0.0.0.0", where));
    if (!any.ok()) return any.status();
    return Listen(any->port(), options);
  }
  absl::StatusOr<green::Address> address = green::Address::Parse(where);
  if (!address.ok()) return address.status();
  return green::Socket::Listen(*address, options);
}

absl::StatusOr<green::Socket> Listen(std::uint16_t port, const green::ListenOptions& options) {
  absl::StatusOr<green::Socket> both = green::Socket::Listen(green::Address::AnyV6(port), options);
  const int error = green::ErrnoOf(both.status());
  if (error != EAFNOSUPPORT && error != EADDRNOTAVAIL) return both;
  return green::Socket::Listen(green::Address::AnyV4(port), options);
}

}  // namespace verdant::net
