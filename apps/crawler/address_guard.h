#ifndef VERDANT_APPS_CRAWLER_ADDRESS_GUARD_H_
#define VERDANT_APPS_CRAWLER_ADDRESS_GUARD_H_

#include <sys/socket.h>

#include <string_view>

#include "absl/status/status.h"

namespace verdant::crawler {

// What an IP address is for, as far as a crawler cares.
enum class AddressKind {
  kPublic,
  kUnspecified,    // 0.0.0.0/8, ::
  kLoopback,       // 127.0.0.0/8, ::1
  kPrivate,        // RFC 1918, fc00::/7, fec0::/10
  kSharedNat,      // 100.64.0.0/10 (RFC 6598; also where some clouds keep their metadata)
  kLinkLocal,      // 169.254.0.0/16 (cloud metadata too), fe80::/10
  kCloudMetadata,  // 168.63.129.16, a platform service on an otherwise public address
  kMulticast,      // 224.0.0.0/4, ff00::/8
  kBenchmark,      // 198.18.0.0/15, 2001:2::/48
  kDocumentation,  // 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24, 2001:db8::/32, 3fff::/20
  kReserved,       // all else that is not public: 192.0.0.0/24, 192.88.99.0/24, 240.0.0.0/4,
                   // 2001::/23 (Teredo among it), and IPv6 outside 2000::/3
  kNotIp,          // another address family, or too short a sockaddr
};

// A word or two: "loopback", "private network"...
std::string_view AddressKindName(AddressKind kind);

// Classifies the socket address of a connection about to be made. To be called on the address that
// goes into connect(): only there is it too late for odd spellings ("0x7f.1", "2130706433"), DNS
// rebinding and redirects. The ranges are those of the IANA special-purpose registries (RFC 6890).
// IPv6 forms that carry an IPv4 address to which packets would be translated are judged by that
// address: ::ffff:0:0/96, 64:ff9b::/96 (NAT64, RFC 6052) and 2002::/16 (6to4). Local NAT64
// prefixes (64:ff9b:1::/48) are reserved. Pure.
AddressKind ClassifyAddress(const sockaddr* address, socklen_t length);

// OK for a public address; else PermissionDenied with the address, its kind and the way to allow
// it.
absl::Status CheckPublicAddress(const sockaddr* address, socklen_t length);

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_ADDRESS_GUARD_H_
