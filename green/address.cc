#include "green/address.h"

#include <arpa/inet.h>
#include <net/if.h>

#include <array>
#include <cstring>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace verdant::green {
namespace {

constexpr std::size_t kPathOffset = offsetof(sockaddr_un, sun_path);
constexpr std::size_t kPathCapacity = sizeof(sockaddr_un::sun_path);

absl::Status Malformed(std::string_view text, std::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("address '", absl::CHexEscape(text.substr(0, 200)), "': ", why));
}

bool ParsePort(std::string_view text, std::uint16_t& port) {
  if (text.empty() || text.size() > 5) return false;
  unsigned value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  if (value > std::numeric_limits<std::uint16_t>::max()) return false;
  port = static_cast<std::uint16_t>(value);
  return true;
}

// "eth0" or "2".
bool ParseScope(std::string_view text, std::uint32_t& scope) {
  if (text.empty() || text.size() >= IF_NAMESIZE) return false;
  if (absl::SimpleAtoi(text, &scope)) return true;
  scope = if_nametoindex(std::string(text).c_str());
  return scope != 0;
}

}  // namespace

absl::StatusOr<Address> Address::Parse(std::string_view text) {
  if (absl::StartsWith(text, "unix:")) return FromPath(text.substr(5));
  if (absl::StrContains(text, '/') || absl::StartsWith(text, "@")) return FromPath(text);
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return Malformed(text, "no port");
  std::string_view ip = text.substr(0, colon);
  std::uint16_t port;
  if (!ParsePort(text.substr(colon + 1), port)) {
    return Malformed(text, "the port is not a number from 0 to 65535");
  }
  const bool bracketed = ip.size() >= 2 && ip.front() == '[' && ip.back() == ']';
  if (bracketed) ip = ip.substr(1, ip.size() - 2);
  if (bracketed != absl::StrContains(ip, ':')) {
    return Malformed(text, bracketed ? "no IPv6 address between the brackets"
                                     : "an IPv6 address with a port must stand in brackets");
  }
  absl::StatusOr<Address> address = FromIp(ip, port);
  if (!address.ok()) return Malformed(text, "not a numeric IP address");
  return address;
}

absl::StatusOr<Address> Address::FromIp(std::string_view ip, std::uint16_t port) {
  Address address;
  if (absl::StrContains(ip, '\0')) return Malformed(ip, "not a numeric IP address");
  if (!absl::StrContains(ip, ':')) {
    address.storage_.v4 = {};
    if (inet_pton(AF_INET, std::string(ip).c_str(), &address.storage_.v4.sin_addr) != 1) {
      return Malformed(ip, "not a numeric IP address");
    }
    address.storage_.v4.sin_family = AF_INET;
    address.storage_.v4.sin_port = htons(port);
    address.length_ = sizeof(sockaddr_in);
    return address;
  }
  address.storage_.v6 = {};
  const std::size_t percent = ip.find('%');
  if (inet_pton(AF_INET6, std::string(ip.substr(0, percent)).c_str(),
                &address.storage_.v6.sin6_addr) != 1) {
    return Malformed(ip, "not a numeric IP address");
  }
  if (percent != std::string_view::npos &&
      !ParseScope(ip.substr(percent + 1), address.storage_.v6.sin6_scope_id)) {
    return Malformed(ip, "no network interface of that name");
  }
  address.storage_.v6.sin6_family = AF_INET6;
  address.storage_.v6.sin6_port = htons(port);
  address.length_ = sizeof(sockaddr_in6);
  return address;
}

absl::StatusOr<Address> Address::FromPath(std::string_view path) {
  if (path.empty() || path == "@") return Malformed(path, "an empty name for a Unix socket");
  if (absl::StrContains(path, '\0')) return Malformed(path, "a zero byte in a Unix socket's name");
  if (path.size() >= kPathCapacity) {
    return Malformed(path, absl::StrCat("longer than the ", kPathCapacity - 1,
                                        " bytes that a Unix socket's name may have"));
  }
  Address address;
  address.storage_.unix_.sun_family = AF_UNIX;
  std::memcpy(address.storage_.unix_.sun_path, path.data(), path.size());
  const bool abstract = path[0] == '@';
  if (abstract) address.storage_.unix_.sun_path[0] = '\0';
  // The length of an abstract name is part of it; a path's closing zero is counted by convention.
  address.length_ = static_cast<socklen_t>(kPathOffset + path.size() + (abstract ? 0 : 1));
  return address;
}

absl::StatusOr<Address> Address::FromSockaddr(const sockaddr* from, socklen_t length) {
  Address address;
  if (from == nullptr || length < sizeof(sa_family_t)) {
    return absl::InvalidArgumentError(absl::StrCat("a socket address of ", length, " bytes"));
  }
  sa_family_t family;
  std::memcpy(&family, from, sizeof(family));
  const bool fits = family == AF_INET    ? length >= sizeof(sockaddr_in)
                    : family == AF_INET6 ? length >= sizeof(sockaddr_in6)
                    : family == AF_UNIX  ? length <= sizeof(sockaddr_un)
                                         : false;
  if (!fits) {
    return absl::InvalidArgumentError(
        absl::StrCat("a socket address of family ", family, " and ", length, " bytes"));
  }
  address.length_ = family == AF_INET    ? sizeof(sockaddr_in)
                    : family == AF_INET6 ? sizeof(sockaddr_in6)
                                         : length;
  std::memcpy(&address.storage_, from, address.length_);
  return address;
}

Address Address::LoopbackV4(std::uint16_t port) {
  Address address = AnyV4(port);
  address.storage_.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

Address Address::LoopbackV6(std::uint16_t port) {
  Address address = AnyV6(port);
  address.storage_.v6.sin6_addr = in6addr_loopback;
  return address;
}

Address Address::AnyV4(std::uint16_t port) {
  Address address;
  address.storage_.v4 = {};
  address.storage_.v4.sin_family = AF_INET;
  address.storage_.v4.sin_port = htons(port);
  address.length_ = sizeof(sockaddr_in);
  return address;
}

Address Address::AnyV6(std::uint16_t port) {
  Address address;
  address.storage_.v6 = {};
  address.storage_.v6.sin6_family = AF_INET6;
  address.storage_.v6.sin6_port = htons(port);
  address.length_ = sizeof(sockaddr_in6);
  return address;
}

std::uint16_t Address::port() const {
  if (is_v4()) return ntohs(storage_.v4.sin_port);
  if (is_v6()) return ntohs(storage_.v6.sin6_port);
  return 0;
}

Address Address::WithPort(std::uint16_t port) const {
  Address address = *this;
  if (is_v4()) address.storage_.v4.sin_port = htons(port);
  if (is_v6()) address.storage_.v6.sin6_port = htons(port);
  return address;
}

std::string Address::ip() const {
  std::array<char, INET6_ADDRSTRLEN> text = {};
  if (is_v4()) {
    inet_ntop(AF_INET, &storage_.v4.sin_addr, text.data(), text.size());
    return text.data();
  }
  if (!is_v6()) return "";
  inet_ntop(AF_INET6, &storage_.v6.sin6_addr, text.data(), text.size());
  if (storage_.v6.sin6_scope_id == 0) return text.data();
  std::array<char, IF_NAMESIZE> name = {};
  if (if_indextoname(storage_.v6.sin6_scope_id, name.data()) == nullptr) {
    return absl::StrCat(text.data(), "%", storage_.v6.sin6_scope_id);
  }
  return absl::StrCat(text.data(), "%", name.data());
}

std::string Address::path() const {
  if (!is_unix() || length_ <= kPathOffset) return "";
  const char* name = storage_.unix_.sun_path;
  const std::size_t size = length_ - kPathOffset;
  if (name[0] == '\0') return absl::StrCat("@", std::string_view(name + 1, size - 1));
  return std::string(name, strnlen(name, size));
}

bool Address::is_loopback() const {
  if (is_v4()) return (ntohl(storage_.v4.sin_addr.s_addr) >> 24) == 127;
  if (!is_v6()) return is_unix();
  const in6_addr& address = storage_.v6.sin6_addr;
  return IN6_IS_ADDR_LOOPBACK(&address) ||
         (IN6_IS_ADDR_V4MAPPED(&address) && address.s6_addr[12] == 127);
}

Address Address::Unmapped() const {
  if (!is_v6() || !IN6_IS_ADDR_V4MAPPED(&storage_.v6.sin6_addr)) return *this;
  Address address = AnyV4(port());
  std::memcpy(&address.storage_.v4.sin_addr, &storage_.v6.sin6_addr.s6_addr[12], 4);
  return address;
}

std::string Address::ToString() const {
  if (is_v4()) return absl::StrCat(ip(), ":", port());
  if (is_v6()) return absl::StrCat("[", ip(), "]:", port());
  if (!is_unix()) return "(none)";
  const std::string name = path();
  if (name.empty()) return "unix:(unnamed)";
  return absl::StrContains(name, '/') || name[0] == '@' ? name : absl::StrCat("unix:", name);
}

std::string_view Address::HostBytes() const {
  if (is_v4()) return {reinterpret_cast<const char*>(&storage_.v4.sin_addr), sizeof(in_addr)};
  if (is_v6()) return {reinterpret_cast<const char*>(&storage_.v6.sin6_addr), sizeof(in6_addr)};
  if (!is_unix() || length_ <= kPathOffset) return {};
  const char* name = storage_.unix_.sun_path;
  const std::size_t size = length_ - kPathOffset;
  return {name, name[0] == '\0' ? size : strnlen(name, size)};
}

std::strong_ordering operator<=>(const Address& a, const Address& b) {
  if (const auto order = a.family() <=> b.family(); order != 0) return order;
  if (const int order = a.HostBytes().compare(b.HostBytes()); order != 0) return order <=> 0;
  if (const auto order = a.port() <=> b.port(); order != 0) return order;
  if (!a.is_v6()) return std::strong_ordering::equal;
  return a.storage_.v6.sin6_scope_id <=> b.storage_.v6.sin6_scope_id;
}

}  // namespace verdant::green
