#include "apps/crawler/address_guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"

namespace verdant::crawler {
namespace {

using Ipv6 = std::array<uint8_t, 16>;

struct Ipv4Range {
  uint32_t base;
  int bits;
  AddressKind kind;
};

constexpr uint32_t V4(uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}

constexpr Ipv4Range kIpv4Ranges[] = {
    {V4(0, 0, 0, 0), 8, AddressKind::kUnspecified},
    {V4(10, 0, 0, 0), 8, AddressKind::kPrivate},
    {V4(100, 64, 0, 0), 10, AddressKind::kSharedNat},
    {V4(127, 0, 0, 0), 8, AddressKind::kLoopback},
    {V4(168, 63, 129, 16), 32, AddressKind::kCloudMetadata},
    {V4(169, 254, 0, 0), 16, AddressKind::kLinkLocal},
    {V4(172, 16, 0, 0), 12, AddressKind::kPrivate},
    {V4(192, 0, 0, 0), 24, AddressKind::kReserved},
    {V4(192, 0, 2, 0), 24, AddressKind::kDocumentation},
    {V4(192, 88, 99, 0), 24, AddressKind::kReserved},
    {V4(192, 168, 0, 0), 16, AddressKind::kPrivate},
    {V4(198, 18, 0, 0), 15, AddressKind::kBenchmark},
    {V4(198, 51, 100, 0), 24, AddressKind::kDocumentation},
    {V4(203, 0, 113, 0), 24, AddressKind::kDocumentation},
    {V4(224, 0, 0, 0), 4, AddressKind::kMulticast},
    {V4(240, 0, 0, 0), 4, AddressKind::kReserved},
};

// The first matching range decides, so narrow ranges stand before those that hold them.
struct Ipv6Range {
  std::array<uint16_t, 4> base;  // of the first 64 bits
  int bits;
  AddressKind kind;
};

constexpr Ipv6Range kIpv6Ranges[] = {
    {{0x2001, 0x0002, 0, 0}, 48, AddressKind::kBenchmark},
    {{0x2001, 0, 0, 0}, 23, AddressKind::kReserved},
    {{0x2001, 0x0db8, 0, 0}, 32, AddressKind::kDocumentation},
    {{0x3fff, 0, 0, 0}, 20, AddressKind::kDocumentation},
    {{0x2000, 0, 0, 0}, 3, AddressKind::kPublic},
    {{0xfc00, 0, 0, 0}, 7, AddressKind::kPrivate},
    {{0xfe80, 0, 0, 0}, 10, AddressKind::kLinkLocal},
    {{0xfec0, 0, 0, 0}, 10, AddressKind::kPrivate},
    {{0xff00, 0, 0, 0}, 8, AddressKind::kMulticast},
};

AddressKind ClassifyIpv4(uint32_t address) {
  for (const Ipv4Range& range : kIpv4Ranges) {
    if ((address ^ range.base) >> (32 - range.bits) == 0) return range.kind;
  }
  return AddressKind::kPublic;
}

uint32_t Embedded(const Ipv6& address, size_t at) {
  return V4(address[at], address[at + 1], address[at + 2], address[at + 3]);
}

bool StartsWith(const Ipv6& address, const Ipv6& prefix, size_t bytes) {
  return std::equal(address.begin(), address.begin() + static_cast<ptrdiff_t>(bytes),
                    prefix.begin());
}

AddressKind ClassifyIpv6(const Ipv6& address) {
  constexpr Ipv6 kZero = {};
  constexpr Ipv6 kOne = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  constexpr Ipv6 kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  constexpr Ipv6 kNat64 = {0, 0x64, 0xff, 0x9b};
  constexpr Ipv6 k6To4 = {0x20, 0x02};
  if (address == kZero) return AddressKind::kUnspecified;
  if (address == kOne) return AddressKind::kLoopback;
  if (StartsWith(address, kMapped, 12) || StartsWith(address, kNat64, 12)) {
    return ClassifyIpv4(Embedded(address, 12));
  }
  if (StartsWith(address, k6To4, 2)) return ClassifyIpv4(Embedded(address, 2));
  uint64_t high = 0;
  for (size_t i = 0; i < 8; ++i) high = high << 8 | address[i];
  for (const Ipv6Range& range : kIpv6Ranges) {
    uint64_t base = 0;
    for (const uint16_t group : range.base) base = base << 16 | group;
    if ((high ^ base) >> (64 - range.bits) == 0) return range.kind;
  }
  return AddressKind::kReserved;
}

std::string AddressText(const sockaddr* address, socklen_t length) {
  char text[INET6_ADDRSTRLEN] = "";
  if (ClassifyAddress(address, length) == AddressKind::kNotIp) return "address";
  if (address->sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, address, sizeof(v4));
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
    return absl::StrCat(text, ":", ntohs(v4.sin_port));
  }
  sockaddr_in6 v6;
  std::memcpy(&v6, address, sizeof(v6));
  inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
  return absl::StrCat("[", text, "]:", ntohs(v6.sin6_port));
}

}  // namespace

std::string_view AddressKindName(AddressKind kind) {
  switch (kind) {
    case AddressKind::kPublic:
      return "public";
    case AddressKind::kUnspecified:
      return "unspecified";
    case AddressKind::kLoopback:
      return "loopback";
    case AddressKind::kPrivate:
      return "private network";
    case AddressKind::kSharedNat:
      return "carrier-grade NAT";
    case AddressKind::kLinkLocal:
      return "link-local";
    case AddressKind::kCloudMetadata:
      return "cloud metadata";
    case AddressKind::kMulticast:
      return "multicast";
    case AddressKind::kBenchmark:
      return "benchmarking";
    case AddressKind::kDocumentation:
      return "documentation";
    case AddressKind::kReserved:
      return "reserved";
    case AddressKind::kNotIp:
      return "not IP";
  }
  return "unknown";
}

AddressKind ClassifyAddress(const sockaddr* address, socklen_t length) {
  if (address == nullptr || length < offsetof(sockaddr, sa_family) + sizeof(address->sa_family)) {
    return AddressKind::kNotIp;
  }
  // Copied out: nothing promises that a sockaddr is aligned for what it really is.
  if (address->sa_family == AF_INET && length >= sizeof(sockaddr_in)) {
    sockaddr_in v4;
    std::memcpy(&v4, address, sizeof(v4));
    return ClassifyIpv4(ntohl(v4.sin_addr.s_addr));
  }
  if (address->sa_family == AF_INET6 && length >= sizeof(sockaddr_in6)) {
    sockaddr_in6 v6;
    std::memcpy(&v6, address, sizeof(v6));
    Ipv6 bytes;
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return ClassifyIpv6(bytes);
  }
  return AddressKind::kNotIp;
}

absl::Status CheckPublicAddress(const sockaddr* address, socklen_t length) {
  const AddressKind kind = ClassifyAddress(address, length);
  if (kind == AddressKind::kPublic) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat("connect to ", AddressText(address, length),
                                                  " refused: ", AddressKindName(kind),
                                                  " address (allowed with --allow-private)"));
}

}  // namespace verdant::crawler
