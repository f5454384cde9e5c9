#include "net/listen.h"

#include <sys/socket.h>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "hub/clock.h"

namespace verdant::net {
namespace {

TEST(Listen, A11_1_AddressesAreReusedByDefault) {
  green::Socket listener = *Listen("127.0.0.1:0");
  EXPECT_EQ(*listener.GetOption(SOL_SOCKET, SO_REUSEADDR), 1);
  EXPECT_EQ(*listener.GetOption(SOL_SOCKET, SO_REUSEPORT), 0);
  EXPECT_EQ(*listener.GetOption(SOL_SOCKET, SO_ACCEPTCONN), 1);
  green::ListenOptions options;
  options.reuse_address = false;
  options.reuse_port = true;
  green::Socket other = *Listen("127.0.0.1:0", options);
  EXPECT_EQ(*other.GetOption(SOL_SOCKET, SO_REUSEADDR), 0);
  EXPECT_EQ(*other.GetOption(SOL_SOCKET, SO_REUSEPORT), 1);
}

TEST(Listen, APortAloneMeansEveryInterface) {
  green::Socket listeners[] = {*Listen(std::uint16_t{0}), *Listen(":0")};
  for (green::Socket& listener : listeners) {
    const std::uint16_t port = listener.local()->port();
    ASSERT_NE(port, 0);
    EXPECT_TRUE(green::Socket::Connect("127.0.0.1", port).ok());
  }
}

TEST(Listen, WhatIsNoAddressIsRefused) {
  EXPECT_EQ(Listen("localhost").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Listen(":x").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Listen("").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Listen, AFailureNamesTheAddress) {
  const absl::Status status = Listen("192.0.2.1:0").status();
  EXPECT_EQ(status.message(),
            "listen on 192.0.2.1:0: bind to 192.0.2.1:0: Cannot assign requested address");
}

}  // namespace
}  // namespace verdant::net
