#include "green/address.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "absl/hash/hash_testing.h"
#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace verdant::green {
namespace {

TEST(Address, WhatIsParsedIsPrintedBack) {
  for (const char* text :
       {"1.2.3.4:80", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:80", "[2001:db8::a]:443",
        "[::]:0", "/run/x.sock", "./x.sock", "@abstract", "unix:plain", "[fe80::1%lo]:80"}) {
    const absl::StatusOr<Address> address = Address::Parse(text);
    ASSERT_TRUE(address.ok()) << address.status();
    EXPECT_EQ(address->ToString(), text);
  }
}

TEST(Address, OtherSpellingsBecomeTheUsualOne) {
  EXPECT_EQ(Address::Parse("[0:0::0:1]:080")->ToString(), "[::1]:80");
  EXPECT_EQ(Address::Parse("unix:/run/x")->ToString(), "/run/x");
  EXPECT_EQ(Address::Parse("[fe80::1%1]:80")->ToString(), "[fe80::1%lo]:80");
  EXPECT_EQ(Address::Parse("[::ffff:1.2.3.4]:5")->ToString(), "[::ffff:1.2.3.4]:5");
}

TEST(Address, WhatIsNoAddressIsRefusedWithAReason) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "no port"},
      {"1.2.3.4", "no port"},
      {"1.2.3.4:", "port is not a number"},
      {"1.2.3.4:65536", "port is not a number"},
      {"1.2.3.4:-1", "port is not a number"},
      {"1.2.3.4:+8", "port is not a number"},
      {"1.2.3.4:99999999999", "port is not a number"},
      {"1.2.3:80", "not a numeric"},
      {"1.2.3.4.5:80", "not a numeric"},
      {"01.2.3.999:80", "not a numeric"},
      {"example.org:80", "not a numeric"},
      {":80", "not a numeric"},
      {"::1:80", "brackets"},
      {"[1.2.3.4]:80", "brackets"},
      {"[]:80", "brackets"},
      {"[::1:80", "brackets"},
      {"[:::1]:80", "not a numeric"},
      {"[fe80::1%]:80", "not a numeric"},
      {"[fe80::1%nosuchif]:80", "not a numeric"},
      {std::string("1.2.3.4\0:80", 11), "not a numeric"},
      {"unix:", "empty"},
      {"@", "empty"},
      {"/" + std::string(107, 'x'), "longer than the 107"},
      {std::string("/a\0b", 4), "zero byte"},
  };
  for (const auto& [text, why] : cases) {
    const absl::StatusOr<Address> address = Address::Parse(text);
    ASSERT_FALSE(address.ok()) << text;
    EXPECT_EQ(address.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(address.status().message().find(why), std::string_view::npos) << address.status();
  }
}

TEST(Address, AccessorsTellTheParts) {
  const Address v4 = *Address::Parse("10.0.0.1:8080");
  EXPECT_TRUE(v4.is_v4() && v4.is_ip());
  EXPECT_EQ(v4.ip(), "10.0.0.1");
  EXPECT_EQ(v4.port(), 8080);
  EXPECT_EQ(v4.size(), sizeof(sockaddr_in));
  EXPECT_EQ(v4.WithPort(1).ToString(), "10.0.0.1:1");
  const Address v6 = *Address::Parse("[2001:db8::1]:443");
  EXPECT_TRUE(v6.is_v6() && v6.is_ip());
  EXPECT_EQ(v6.ip(), "2001:db8::1");
  EXPECT_EQ(v6.WithPort(444).port(), 444);
  const Address local = *Address::Parse("/run/x");
  EXPECT_TRUE(local.is_unix() && !local.is_ip());
  EXPECT_EQ(local.path(), "/run/x");
  EXPECT_EQ(local.port(), 0);
  EXPECT_EQ(local.ip(), "");
  const Address none;
  EXPECT_EQ(none.family(), AF_UNSPEC);
  EXPECT_EQ(none.ToString(), "(none)");
  EXPECT_EQ(Address::LoopbackV4(1).ToString(), "127.0.0.1:1");
  EXPECT_EQ(Address::LoopbackV6(2).ToString(), "[::1]:2");
  EXPECT_EQ(Address::AnyV4(3).ToString(), "0.0.0.0:3");
  EXPECT_EQ(Address::AnyV6(4).ToString(), "[::]:4");
}

TEST(Address, LoopbackAndMappedAddressesAreRecognised) {
  EXPECT_TRUE(Address::Parse("127.9.9.9:1")->is_loopback());
  EXPECT_TRUE(Address::Parse("[::1]:1")->is_loopback());
  EXPECT_TRUE(Address::Parse("[::ffff:127.0.0.1]:1")->is_loopback());
  EXPECT_TRUE(Address::Parse("/x")->is_loopback());
  EXPECT_FALSE(Address::Parse("128.0.0.1:1")->is_loopback());
  EXPECT_FALSE(Address::Parse("[::2]:1")->is_loopback());
  EXPECT_EQ(Address::Parse("[::ffff:1.2.3.4]:5")->Unmapped().ToString(), "1.2.3.4:5");
  EXPECT_EQ(Address::Parse("[::1]:5")->Unmapped().ToString(), "[::1]:5");
}

TEST(Address, OrderIsByFamilyHostAndPort) {
  std::vector<Address> addresses;
  for (const char* text :
       {"/b", "[::2]:1", "1.2.3.4:2", "[::1]:9", "10.0.0.1:1", "/a", "1.2.3.4:1"}) {
    addresses.push_back(*Address::Parse(text));
  }
  std::sort(addresses.begin(), addresses.end());
  std::vector<std::string> texts;
  for (const Address& address : addresses) texts.push_back(address.ToString());
  EXPECT_EQ(texts, (std::vector<std::string>{"/a", "/b", "1.2.3.4:1", "1.2.3.4:2", "10.0.0.1:1",
                                             "[::1]:9", "[::2]:1"}));
  EXPECT_EQ(*Address::Parse("[::1]:80"), Address::LoopbackV6(80));
  EXPECT_NE(*Address::Parse("[::1]:80"), Address::LoopbackV6(81));
  EXPECT_NE(*Address::Parse("[fe80::1%1]:80"), *Address::Parse("[fe80::1%2]:80"));
}

TEST(Address, EqualAddressesHashAlike) {
  EXPECT_TRUE(absl::VerifyTypeImplementsAbslHashCorrectly(
      {Address(), *Address::Parse("1.2.3.4:1"), *Address::Parse("1.2.3.4:2"),
       *Address::Parse("[::1]:1"), *Address::Parse("/a"), *Address::Parse("@a"),
       *Address::Parse("unix:a")}));
}

TEST(Address, SocketAddressesOfTheKernelAreTakenOnlyIfTheyFit) {
  sockaddr_in v4 = {};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(7);
  const auto* raw = reinterpret_cast<const sockaddr*>(&v4);
  EXPECT_EQ(Address::FromSockaddr(raw, sizeof(v4))->ToString(), "0.0.0.0:7");
  EXPECT_FALSE(Address::FromSockaddr(raw, sizeof(v4) - 1).ok());
  EXPECT_FALSE(Address::FromSockaddr(raw, 0).ok());
  EXPECT_FALSE(Address::FromSockaddr(nullptr, 16).ok());
  v4.sin_family = AF_NETLINK;
  EXPECT_FALSE(Address::FromSockaddr(raw, sizeof(v4)).ok());
  sockaddr_un local = {};
  local.sun_family = AF_UNIX;
  const auto* local_raw = reinterpret_cast<const sockaddr*>(&local);
  EXPECT_EQ(Address::FromSockaddr(local_raw, sizeof(sa_family_t))->ToString(), "unix:(unnamed)");
  // A path may fill sun_path to the brim, without a closing zero.
  std::memset(local.sun_path, 'p', sizeof(local.sun_path));
  EXPECT_EQ(Address::FromSockaddr(local_raw, sizeof(local))->path(),
            std::string(sizeof(local.sun_path), 'p'));
  EXPECT_FALSE(Address::FromSockaddr(local_raw, sizeof(local) + 1).ok());
}

}  // namespace
}  // namespace verdant::green
