#include "apps/crawler/address_guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace verdant::crawler {
namespace {

struct Address {
  sockaddr_storage storage = {};
  socklen_t length = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Address Make(const std::string& text, uint16_t port = 80) {
  Address address;
  sockaddr_in v4 = {};
  sockaddr_in6 v6 = {};
  if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&address.storage, &v4, sizeof(v4));
    address.length = sizeof(v4);
  } else if (inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&address.storage, &v6, sizeof(v6));
    address.length = sizeof(v6);
  } else {
    ADD_FAILURE() << text << " is no address";
  }
  return address;
}

AddressKind Kind(const std::string& text) {
  const Address address = Make(text);
  return ClassifyAddress(address.get(), address.length);
}

TEST(AddressGuard, ClassifiesIpv4AtTheBordersOfEachRange) {
  using enum AddressKind;
  const std::pair<const char*, AddressKind> kCases[] = {
      {"0.0.0.0", kUnspecified},
      {"0.255.255.255", kUnspecified},
      {"1.0.0.0", kPublic},
      {"9.255.255.255", kPublic},
      {"10.0.0.0", kPrivate},
      {"10.255.255.255", kPrivate},
      {"11.0.0.0", kPublic},
      {"100.63.255.255", kPublic},
      {"100.64.0.0", kSharedNat},
      {"100.100.100.200", kSharedNat},
      {"100.127.255.255", kSharedNat},
      {"100.128.0.0", kPublic},
      {"126.255.255.255", kPublic},
      {"127.0.0.1", kLoopback},
      {"127.255.255.255", kLoopback},
      {"128.0.0.0", kPublic},
      {"168.63.129.15", kPublic},
      {"168.63.129.16", kCloudMetadata},
      {"168.63.129.17", kPublic},
      {"169.253.255.255", kPublic},
      {"169.254.169.254", kLinkLocal},
      {"169.255.0.0", kPublic},
      {"172.15.255.255", kPublic},
      {"172.16.0.0", kPrivate},
      {"172.31.255.255", kPrivate},
      {"172.32.0.0", kPublic},
      {"192.0.0.0", kReserved},
      {"192.0.0.255", kReserved},
      {"192.0.1.0", kPublic},
      {"192.0.2.1", kDocumentation},
      {"192.0.3.0", kPublic},
      {"192.88.99.1", kReserved},
      {"192.88.100.0", kPublic},
      {"192.167.255.255", kPublic},
      {"192.168.0.0", kPrivate},
      {"192.168.255.255", kPrivate},
      {"192.169.0.0", kPublic},
      {"198.17.255.255", kPublic},
      {"198.18.0.0", kBenchmark},
      {"198.19.255.255", kBenchmark},
      {"198.20.0.0", kPublic},
      {"198.51.100.7", kDocumentation},
      {"203.0.113.7", kDocumentation},
      {"203.0.114.0", kPublic},
      {"223.255.255.255", kPublic},
      {"224.0.0.0", kMulticast},
      {"239.255.255.255", kMulticast},
      {"240.0.0.0", kReserved},
      {"255.255.255.255", kReserved},
      {"8.8.8.8", kPublic},
  };
  for (const auto& [text, kind] : kCases) EXPECT_EQ(Kind(text), kind) << text;
}

TEST(AddressGuard, ClassifiesIpv6) {
  using enum AddressKind;
  const std::pair<const char*, AddressKind> kCases[] = {
      {"::", kUnspecified},
      {"::1", kLoopback},
      {"2606:4700::1111", kPublic},
      {"2a00:1450:4001::1", kPublic},
      {"3ffe::1", kPublic},
      {"2001:200::1", kPublic},
      {"2001::1", kReserved},
      {"2001:0:4136:e378:8000:63bf:3fff:fdd2", kReserved},
      {"2001:1ff:ffff::1", kReserved},
      {"2001:2::1", kBenchmark},
      {"2001:2:0:ffff::", kBenchmark},
      {"2001:2:1::", kReserved},
      {"2001:db8::1", kDocumentation},
      {"2001:db9::1", kPublic},
      {"3fff::1", kDocumentation},
      {"3fff:fff::1", kDocumentation},
      {"3fff:1000::1", kPublic},
      {"fc00::1", kPrivate},
      {"fd00:ec2::254", kPrivate},
      {"fe80::1", kLinkLocal},
      {"febf::1", kLinkLocal},
      {"fec0::1", kPrivate},
      {"ff02::1", kMulticast},
      {"100::1", kReserved},
      {"4000::1", kReserved},
      {"5f00::1", kReserved},
      {"64:ff9b:1::a00:1", kReserved},
      {"1::", kReserved},
  };
  for (const auto& [text, kind] : kCases) EXPECT_EQ(Kind(text), kind) << text;
}

TEST(AddressGuard, LooksThroughEmbeddedIpv4) {
  using enum AddressKind;
  const std::pair<const char*, AddressKind> kCases[] = {
      {"::ffff:127.0.0.1", kLoopback},   {"::ffff:10.1.2.3", kPrivate},
      {"::ffff:8.8.8.8", kPublic},       {"::127.0.0.1", kReserved},
      {"::8.8.8.8", kReserved},          {"::2", kReserved},
      {"64:ff9b::127.0.0.1", kLoopback}, {"64:ff9b::169.254.169.254", kLinkLocal},
      {"64:ff9b::8.8.8.8", kPublic},     {"2002:7f00:1::1", kLoopback},
      {"2002:c0a8:101::", kPrivate},     {"2002:808:808::1", kPublic},
  };
  for (const auto& [text, kind] : kCases) EXPECT_EQ(Kind(text), kind) << text;
}

TEST(AddressGuard, OtherFamiliesAndShortAddressesAreNotPublic) {
  sockaddr_un unix_address = {};
  unix_address.sun_family = AF_UNIX;
  EXPECT_EQ(ClassifyAddress(reinterpret_cast<const sockaddr*>(&unix_address), sizeof(unix_address)),
            AddressKind::kNotIp);
  const Address v4 = Make("8.8.8.8");
  EXPECT_EQ(ClassifyAddress(v4.get(), v4.length - 1), AddressKind::kNotIp);
  EXPECT_EQ(ClassifyAddress(v4.get(), 1), AddressKind::kNotIp);
  EXPECT_EQ(ClassifyAddress(v4.get(), 0), AddressKind::kNotIp);
  const Address v6 = Make("2606:4700::1111");
  EXPECT_EQ(ClassifyAddress(v6.get(), sizeof(sockaddr_in)), AddressKind::kNotIp);
  EXPECT_EQ(ClassifyAddress(nullptr, 0), AddressKind::kNotIp);
}

TEST(AddressGuard, RefusalsNameTheAddressAndTheWayOut) {
  const Address loopback = Make("127.0.0.1", 8080);
  const absl::Status status = CheckPublicAddress(loopback.get(), loopback.length);
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(status.message(),
            "connect to 127.0.0.1:8080 refused: loopback address (allowed with --allow-private)");
  const Address v6 = Make("fe80::1", 443);
  EXPECT_EQ(CheckPublicAddress(v6.get(), v6.length).message(),
            "connect to [fe80::1]:443 refused: link-local address (allowed with --allow-private)");
  EXPECT_FALSE(CheckPublicAddress(nullptr, 0).ok());
  const Address fine = Make("8.8.8.8");
  EXPECT_TRUE(CheckPublicAddress(fine.get(), fine.length).ok());
}

}  // namespace
}  // namespace verdant::crawler
