#ifndef VERDANT_GREEN_ADDRESS_H_
#define VERDANT_GREEN_ADDRESS_H_

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"

namespace verdant::green {

// Where a socket is or goes: an IPv4 or IPv6 address with a port, or the name of a Unix socket. A
// value; knows no names of hosts (see green/dns.h for those). Every operation is safe from any
// thread.
class Address {
 public:
  // Of no family: what an unconnected socket's peer is. ToString() is "(none)".
  Address() = default;

  // "192.0.2.1:80", "[2001:db8::1]:80", "[fe80::1%eth0]:80"; or a Unix socket: a path with a slash
  // in it ("/run/x.sock",
  // "./x.sock"), "unix:" and any path, or "@" and a name in Linux' abstract space. InvalidArgument,
  // quoting `text`, for all else, host names included.
  static absl::StatusOr<Address> Parse(std::string_view text);
  // A numeric IPv4 or IPv6 address, without brackets, and a port.
  static absl::StatusOr<Address> FromIp(std::string_view ip, std::uint16_t port);
  // A Unix socket's path, or "@name". InvalidArgument if it is empty, has a zero byte, or is longer
  // than the kernel takes (107 bytes).
  static absl::StatusOr<Address> FromPath(std::string_view path);
  // What the kernel or a resolver returned. InvalidArgument for another family or a length that
  // does not fit it.
  static absl::StatusOr<Address> FromSockaddr(const sockaddr* address, socklen_t length);

  static Address LoopbackV4(std::uint16_t port);
  static Address LoopbackV6(std::uint16_t port);
  static Address AnyV4(std::uint16_t port);
  static Address AnyV6(std::uint16_t port);

  // AF_INET, AF_INET6, AF_UNIX, or AF_UNSPEC.
  int family() const { return storage_.any.sa_family; }
  bool is_v4() const { return family() == AF_INET; }
  bool is_v6() const { return family() == AF_INET6; }
  bool is_ip() const { return is_v4() || is_v6(); }
  bool is_unix() const { return family() == AF_UNIX; }

  // For IP; 0 otherwise.
  std::uint16_t port() const;
  Address WithPort(std::uint16_t port) const;
  // For IP: "192.0.2.1", "fe80::1%eth0"; empty otherwise.
  std::string ip() const;
  // For Unix: the path, or "@name"; empty for an unnamed socket and otherwise.
  std::string path() const;

  // In 127.0.0.0/8, ::1, ::ffff:127.0.0.0/104, or a Unix socket.
  bool is_loopback() const;
  // The IPv4 address inside ::ffff:0:0/96, which is how a dual-stack listener shows IPv4 peers;
  // itself otherwise.
  Address Unmapped() const;

  // What Parse() takes; "unix:(unnamed)" for an unnamed Unix socket.
  std::string ToString() const;

  // For system calls.
  const sockaddr* data() const { return &storage_.any; }
  socklen_t size() const { return length_; }

  // By family, then address, port and scope; Unix sockets by name.
  friend bool operator==(const Address& a, const Address& b) { return (a <=> b) == 0; }
  friend std::strong_ordering operator<=>(const Address& a, const Address& b);

  template <typename H>
  friend H AbslHashValue(H state, const Address& address) {
    return H::combine(std::move(state), address.family(), address.HostBytes(), address.port());
  }
  template <typename Sink>
  friend void AbslStringify(Sink& sink, const Address& address) {
    sink.Append(address.ToString());
  }
  friend std::ostream& operator<<(std::ostream& out, const Address& address) {
    return out << address.ToString();
  }

 private:
  // What identifies the host, as bytes inside this object.
  std::string_view HostBytes() const;

  // The largest of these is a sixth smaller than sockaddr_storage, whose rest no supported family
  // uses.
  union Storage {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
    sockaddr_un unix_;
  };
  Storage storage_ = {.unix_ = {}};
  socklen_t length_ = 0;
};

}  // namespace verdant::green

#endif  // VERDANT_GREEN_ADDRESS_H_
