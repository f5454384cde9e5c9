#include "net/connect.h"

#include <errno.h>

#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "net/listen.h"

namespace verdant::net {
namespace {

TEST(Connect, A11_1_TakesHostAndPort) {
  green::Socket listener = *Listen("127.0.0.1:0");
  const green::Address address = *listener.local();
  EXPECT_TRUE(Connect(address.ToString()).ok());
  EXPECT_EQ(listener.Accept()->peer().ip(), "127.0.0.1");
}

TEST(Connect, TakesThePathOfAUnixSocket) {
  EXPECT_EQ(green::ErrnoOf(Connect("/nonexistent/socket").status()), ENOENT);
}

TEST(Connect, WhatIsNeitherIsRefused) {
  for (const char* text : {"", "host", ":80", "host:", "host:x", "host:65536", "host:-1", "::1:80",
                           "[::1:80", "a@b:80", "host:123456"}) {
    const absl::Status status = Connect(text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_EQ(status.message(),
              "connect to '" + std::string(text) + "': neither host:port nor a path");
  }
}

}  // namespace
}  // namespace verdant::net
