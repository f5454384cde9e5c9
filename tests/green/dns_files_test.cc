#include "green/internal/dns_files.h"

#include <sys/stat.h>

#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "hub/clock.h"
#include "tests/testing/temporary_directory.h"

namespace verdant::green::dns {
namespace {

struct ManualClock final : Clock {
  std::int64_t NowNanos() override { return now; }
  void Advance(absl::Duration by) { now += absl::ToInt64Nanoseconds(by); }
  std::int64_t now = 1;
};

std::vector<std::string> Find(HostsFile& hosts, std::string_view name) {
  std::vector<std::string> ips;
  if (const auto* found = hosts.Find(name)) {
    for (const Address& address : *found) ips.push_back(address.ip());
  }
  return ips;
}

using Ips = std::vector<std::string>;

TEST(HostsFile, A14_2_ReadsNamesAliasesAndComments) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory.Write("hosts",
                                           "192.0.2.1\tOne.Test alias # comment other\r\n"
                                           "# 192.0.2.2 two.test\n"
                                           "  2001:db8::1   one.test\n"
                                           "192.0.2.1 one.test\n"
                                           "fe80::1%lo scoped.test\n"
                                           "not-an-address three.test\n"
                                           "192.0.2.4\n"
                                           "192.0.2.5 last.test");
  ManualClock clock;
  HostsFile hosts(path, clock, absl::Seconds(5));
  EXPECT_EQ(Find(hosts, "one.test"), (Ips{"192.0.2.1", "2001:db8::1"}));
  EXPECT_EQ(Find(hosts, "alias"), (Ips{"192.0.2.1"}));
  EXPECT_EQ(Find(hosts, "scoped.test"), (Ips{"fe80::1%lo"}));
  EXPECT_EQ(Find(hosts, "last.test"), (Ips{"192.0.2.5"}));
  for (const char* name : {"other", "two.test", "three.test", "", "#"}) {
    EXPECT_EQ(Find(hosts, name), Ips{}) << name;
  }
}

TEST(HostsFile, A14_2_IsReadAgainWhenItHasChangedButLookedAtOnlyNowAndThen) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory.Write("hosts", "192.0.2.1 a.test\n");
  ManualClock clock;
  HostsFile hosts(path, clock, absl::Seconds(5));
  EXPECT_EQ(Find(hosts, "a.test"), (Ips{"192.0.2.1"}));
  directory.Write("hosts", "192.0.2.22 a.test\n");
  clock.Advance(absl::Seconds(4.9));
  EXPECT_EQ(Find(hosts, "a.test"), (Ips{"192.0.2.1"}));
  clock.Advance(absl::Seconds(0.1));
  EXPECT_EQ(Find(hosts, "a.test"), (Ips{"192.0.2.22"}));
  ASSERT_EQ(remove(path.c_str()), 0);
  clock.Advance(absl::Seconds(5));
  EXPECT_EQ(Find(hosts, "a.test"), Ips{});
}

TEST(HostsFile, WhatIsNoFileHoldsNothing) {
  const testing::TemporaryDirectory directory;
  ASSERT_EQ(mkfifo(directory.File("fifo").c_str(), 0600), 0);
  ManualClock clock;
  for (const std::string& path :
       {directory.path(), directory.File("fifo"), directory.File("missing"), std::string()}) {
    HostsFile hosts(path, clock, absl::ZeroDuration());
    EXPECT_EQ(Find(hosts, "a.test"), Ips{}) << path;
  }
}

TEST(SearchRules, ReadsDomainsAndNdots) {
  const auto rules = SearchRules::Parse(
      "nameserver 192.0.2.1\n; comment\ndomain old.test\nsearch One.Test. two.test # three\n"
      "options timeout:1 ndots:5\n");
  EXPECT_EQ(rules.domains, (std::vector<std::string>{"one.test", "two.test"}));
  EXPECT_EQ(rules.ndots, 5u);
}

TEST(SearchRules, DefaultsHoldForNonsense) {
  const auto rules = SearchRules::Parse("search\noptions ndots:x ndots\n\n \t\noptions\nsearch .");
  EXPECT_TRUE(rules.domains.empty());
  EXPECT_EQ(rules.ndots, 1u);
  EXPECT_EQ(SearchRules::Parse("options ndots:1000").ndots, 15u);
}

}  // namespace
}  // namespace verdant::green::dns
