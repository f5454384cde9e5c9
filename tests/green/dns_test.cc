#include "green/dns.h"

#include <unistd.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/testing/program.h"
#include "tests/testing/server_process.h"
#include "tests/testing/temporary_directory.h"

namespace verdant::green {
namespace {

using Ips = std::vector<std::string>;

std::unique_ptr<Resolver> Make(Resolver::Options options) {
  auto resolver = Resolver::Create(std::move(options));
  if (!resolver.ok()) throw std::runtime_error(resolver.status().ToString());
  return *std::move(resolver);
}

// The answer as texts; an error as one.
Ips Texts(const absl::StatusOr<std::vector<Address>>& answer) {
  if (!answer.ok()) return {answer.status().ToString()};
  Ips texts;
  for (const Address& address : *answer) texts.push_back(address.ToString());
  return texts;
}

// A dnsmasq that knows names under .test and nothing else.
class Dnsmasq {
 public:
  Dnsmasq() {
    std::string config = absl::StrCat(R"(no-daemon
no-resolv
no-hosts
bind-interfaces
listen-address=127.0.0.1
pid-file=
log-facility=-
local-ttl=600
local=/test/
host-record=both.test,192.0.2.1,2001:db8::1
host-record=four.test,192.0.2.4
host-record=six.test,2001:db8::6
host-record=db.corp.test,192.0.2.9
cname=alias.test,both.test
cname=alias-of-alias.test,alias.test
txt-record=text.test,words
)");
    for (int i = 1; i <= 100; ++i) {
      absl::StrAppend(&config, "host-record=big.test,198.51.100.", i, "\n");
    }
    if (geteuid() == 0) config += "user=root\n";
    const std::string file = directory_.Write("dnsmasq.conf", config);
    const auto port = testing::StartOnFreePort([&](std::uint16_t candidate) -> absl::Status {
      auto program = testing::Program::Start(
          {"/usr/sbin/dnsmasq", "--conf-file=" + file, absl::StrCat("--port=", candidate)});
      if (!program.ok()) return program.status();
      program_ = *std::move(program);
      absl::Status status = program_->WaitForOutput("started, version");
      return program_->err().find("Address already in use") != std::string::npos
                 ? absl::UnavailableError(status.message())
                 : status;
    });
    if (!port.ok()) throw std::runtime_error(port.status().ToString());
    address_ = absl::StrCat("127.0.0.1:", *port);
  }

  const std::string& address() const { return address_; }

 private:
  testing::TemporaryDirectory directory_;
  std::unique_ptr<testing::Program> program_;
  std::string address_;
};

class ResolveWithDnsmasq : public ::testing::Test {
 protected:
  Ips Resolve(std::string_view host) { return Texts(resolver_->Resolve(host, 80)); }

  Dnsmasq server_;
  std::unique_ptr<Resolver> resolver_ = Make({.servers = {server_.address()}, .hosts_file = ""});
};

TEST_F(ResolveWithDnsmasq, FindsAddressesOfBothFamiliesIPv6First) {
  EXPECT_EQ(Resolve("both.test"), (Ips{"[2001:db8::1]:80", "192.0.2.1:80"}));
  EXPECT_EQ(Resolve("four.test"), (Ips{"192.0.2.4:80"}));
  EXPECT_EQ(Resolve("six.test"), (Ips{"[2001:db8::6]:80"}));
}

TEST_F(ResolveWithDnsmasq, CaseAndAFinalDotDoNotMatter) {
  EXPECT_EQ(Resolve("FOUR.Test"), (Ips{"192.0.2.4:80"}));
  EXPECT_EQ(Resolve("four.test."), (Ips{"192.0.2.4:80"}));
}

TEST_F(ResolveWithDnsmasq, FollowsChainsOfAliases) {
  EXPECT_EQ(Resolve("alias-of-alias.test"), (Ips{"[2001:db8::1]:80", "192.0.2.1:80"}));
}

TEST_F(ResolveWithDnsmasq, ANameThatDoesNotExistIsNotFoundAndTheErrorNamesItAndTheServer) {
  const absl::Status status = resolver_->Resolve("missing.test", 80).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << status;
  EXPECT_EQ(status.message(), absl::StrCat("cannot resolve 'missing.test': no such name (asked DNS "
                                           "server ",
                                           server_.address(), ")"));
}

TEST_F(ResolveWithDnsmasq, ANameWithoutAddressesIsNotFound) {
  const absl::Status status = resolver_->Resolve("text.test", 80).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << status;
  EXPECT_NE(status.message().find("has no address"), std::string_view::npos) << status;
}

TEST_F(ResolveWithDnsmasq, ANameItMayNotAskAboutIsUnavailable) {
  const absl::Status status = resolver_->Resolve("example.com", 80).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
}

TEST_F(ResolveWithDnsmasq, AnAnswerTooLongForUdpComesByTcp) {
  // 100 addresses fit no datagram; 64 are as many as are kept.
  const auto answer = resolver_->Resolve("big.test", 80);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->size(), 64u);
}

TEST_F(ResolveWithDnsmasq, SearchDomainsCompleteShortNames) {
  const auto searching = Make(
      {.servers = {server_.address()}, .search = {"nothing.test", "corp.test"}, .hosts_file = ""});
  EXPECT_EQ(Texts(searching->Resolve("db", 1)), (Ips{"192.0.2.9:1"}));
  EXPECT_FALSE(searching->Resolve("db.", 1).ok());
}

TEST_F(ResolveWithDnsmasq, TheHubsOwnResolverCanBeReplaced) {
  Resolver::SetCurrent(std::move(resolver_));
  EXPECT_EQ(Texts(green::Resolve("four.test", 443)), (Ips{"192.0.2.4:443"}));
  Resolver::SetCurrent(nullptr);
  EXPECT_EQ(Texts(green::Resolve("localhost", 443)), (Ips{"[::1]:443", "127.0.0.1:443"}));
}

TEST_F(ResolveWithDnsmasq, ResolvConfIsFollowedWhenItChanges) {
  const testing::TemporaryDirectory directory;
  const std::string file = directory.Write("resolv.conf", "nameserver 127.0.0.1:9\n");
  const auto resolver = Make(
      {.resolv_conf = file, .hosts_file = "", .file_interval = absl::ZeroDuration(), .tries = 1});
  EXPECT_EQ(resolver->Resolve("db", 1).status().code(), absl::StatusCode::kUnavailable);
  directory.Write("resolv.conf",
                  absl::StrCat("nameserver ", server_.address(), "\nsearch corp.test\n"));
  EXPECT_EQ(Texts(resolver->Resolve("db", 1)), (Ips{"192.0.2.9:1"}));
}

TEST(Resolve, LiteralsAndLocalhostNeedNoServer) {
  const auto resolver = Make({.servers = {"127.0.0.1:9"}, .hosts_file = ""});
  EXPECT_EQ(Texts(resolver->Resolve("192.0.2.1", 80)), (Ips{"192.0.2.1:80"}));
  EXPECT_EQ(Texts(resolver->Resolve("[2001:db8::1]", 80)), (Ips{"[2001:db8::1]:80"}));
  EXPECT_EQ(Texts(resolver->Resolve("[fe80::1%lo]", 80)), (Ips{"[fe80::1%lo]:80"}));
  EXPECT_EQ(Texts(resolver->Resolve("www.LocalHost", 80)), (Ips{"[::1]:80", "127.0.0.1:80"}));
  EXPECT_EQ(resolver->stats().lookups, 0u);
}

TEST(Resolve, A14_2_TheHostsFileComesFirstWhateverTheCase) {
  const testing::TemporaryDirectory directory;
  const auto resolver = Make({
      .servers = {"127.0.0.1:9"},
      .hosts_file = directory.Write("hosts",
                                    "192.0.2.1 here.test\n192.0.2.2 Here.Test\n"
                                    "2001:db8::1 here.test\n192.0.2.3 localhost\n"),
  });
  EXPECT_EQ(Texts(resolver->Resolve("HERE.test", 80)),
            (Ips{"[2001:db8::1]:80", "192.0.2.1:80", "192.0.2.2:80"}));
  EXPECT_EQ(Texts(resolver->Resolve("localhost", 80)), (Ips{"[::1]:80", "127.0.0.1:80"}));
  EXPECT_EQ(resolver->stats().lookups, 0u);
}

TEST(Resolve, MalformedNamesAreInvalidArguments) {
  EXPECT_EQ(Resolve("not a name", 80).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Resolve, AServerThatIsNotThereIsUnavailable) {
  const auto resolver = Make({.servers = {"127.0.0.1:9"}, .hosts_file = "", .tries = 1});
  const absl::Status status = resolver->Resolve("a.test", 80).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_NE(status.message().find("'a.test'"), std::string_view::npos) << status;
  EXPECT_NE(status.message().find("127.0.0.1:9"), std::string_view::npos) << status;
}

TEST(Resolve, FromAnotherThreadIsALogicError) {
  const auto resolver = Make({});
  std::thread([&] {
    EXPECT_THROW(static_cast<void>(resolver->Resolve("a.test", 80)), std::logic_error);
  }).join();
}

TEST(Resolver, OptionsThatMakeNoSenseAreRefused) {
  for (const Resolver::Options& options : std::vector<Resolver::Options>{
           {.servers = {"dns.example"}},
           {.servers = {"127.0.0.1:0"}},
           {.servers = {"/run/dns.sock"}},
           {.servers = {""}},
           {.timeout = absl::ZeroDuration()},
           {.timeout = absl::InfiniteDuration()},
           {.tries = 0},
           {.max_lookups = 0},
           {.ttl_floor = absl::Hours(2)},
           {.negative_ttl_floor = absl::Hours(2)},
       }) {
    EXPECT_EQ(Resolver::Create(options).status().code(), absl::StatusCode::kInvalidArgument);
  }
  for (const char* server :
       {"192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:53"}) {
    EXPECT_TRUE(Resolver::Create({.servers = {server}}).ok()) << server;
  }
}

}  // namespace
}  // namespace verdant::green
