#include "green/internal/dns_name.h"

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace verdant::green::dns {
namespace {

std::string Literal(std::string_view text) {
  const auto host = ParseHost(text);
  if (!host.ok()) return host.status().ToString();
  return host->addresses.size() == 1 ? host->addresses[0].ip() : "not a literal";
}

TEST(ParseHost, TakesLiterals) {
  EXPECT_EQ(Literal("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(Literal("2001:DB8::1"), "2001:db8::1");
  EXPECT_EQ(Literal("[2001:db8::1]"), "2001:db8::1");
  EXPECT_EQ(Literal("[fe80::1%lo]"), "fe80::1%lo");
  EXPECT_EQ(Literal("fe80::1%lo"), "fe80::1%lo");
}

TEST(ParseHost, WhatWasMeantToBeALiteralIsNoName) {
  for (const char* text : {"1.2.3", "1.2.3.4.5", "256.1.1.1", "127.1", "1", "::g", "[1.2.3.4]",
                           "[::1", "1.2.3.4.", "fe80::1%no-such-interface", "example.0"}) {
    const auto host = ParseHost(text);
    EXPECT_EQ(host.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_NE(host.status().message().find(text), std::string_view::npos) << host.status();
  }
}

TEST(ParseHost, NamesAreLowerCaseAndLoseTheFinalDot) {
  const auto host = ParseHost("WWW.Example_1.COM.");
  ASSERT_TRUE(host.ok()) << host.status();
  EXPECT_EQ(host->name, "www.example_1.com");
  EXPECT_TRUE(host->absolute);
  EXPECT_EQ(host->Key(), "www.example_1.com.");
  EXPECT_FALSE(ParseHost("example.com")->absolute);
}

TEST(ParseHost, MalformedNamesAreRefused) {
  const std::string label(64, 'a');
  std::string long_name;
  while (long_name.size() < 254) long_name += "abcdefg.";
  for (const std::string& text :
       {std::string(), std::string("."), std::string("a..b"), std::string(".a"), std::string("a b"),
        std::string("a/b"), std::string("a\0b", 3), std::string("b\xc3\xbc.de"), label + ".com",
        long_name + "com", std::string(1 << 20, 'x')}) {
    const auto host = ParseHost(text);
    EXPECT_EQ(host.status().code(), absl::StatusCode::kInvalidArgument) << text.substr(0, 300);
    EXPECT_LT(host.status().message().size(), 1500u);
  }
}

TEST(ParseHost, ErrorsEscapeWhatIsUnprintable) {
  const auto host = ParseHost("a\nb");
  EXPECT_NE(host.status().message().find("'a\\nb'"), std::string_view::npos) << host.status();
}

TEST(ParseHost, Rfc6761_LocalhostIsAlwaysLoopback) {
  for (const char* text : {"localhost", "LOCALHOST", "localhost.", "a.b.localhost"}) {
    const auto host = ParseHost(text);
    ASSERT_TRUE(host.ok()) << host.status();
    EXPECT_EQ(host->addresses,
              (std::vector<Address>{Address::LoopbackV6(0), Address::LoopbackV4(0)}));
  }
  EXPECT_TRUE(ParseHost("notlocalhost")->addresses.empty());
}

TEST(ParseHost, NamesThatNeverExistAreNotFound) {
  EXPECT_EQ(ParseHost("nothing.invalid").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ParseHost("abc.onion.").status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(ParseHost("invalid.example").ok());
}

TEST(Candidates, ANameWithFewDotsIsTriedUnderTheSearchDomainsFirst) {
  const std::vector<std::string> search = {"one.test", "two.test"};
  using Names = std::vector<std::string>;
  EXPECT_EQ(Candidates(*ParseHost("db"), search, 1), (Names{"db.one.test", "db.two.test", "db"}));
  EXPECT_EQ(Candidates(*ParseHost("a.b"), search, 1),
            (Names{"a.b", "a.b.one.test", "a.b.two.test"}));
  EXPECT_EQ(Candidates(*ParseHost("a.b"), search, 2),
            (Names{"a.b.one.test", "a.b.two.test", "a.b"}));
  EXPECT_EQ(Candidates(*ParseHost("db."), search, 1), (Names{"db"}));
  EXPECT_EQ(Candidates(*ParseHost("db"), {}, 1), (Names{"db"}));
  EXPECT_EQ(Candidates(*ParseHost("db"), {std::string(251, 'x')}, 1), (Names{"db"}));
}

}  // namespace
}  // namespace verdant::green::dns
