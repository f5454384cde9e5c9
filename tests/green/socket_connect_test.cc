#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "green/socket.h"
#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "hub/timeout.h"

namespace verdant::green {
namespace {

// A TCP port of both loopback addresses that refuses connections, and that nobody else can have.
class RefusingPort {
 public:
  RefusingPort() {
    for (int tries = 0; tries < 100 && v4_.closed(); ++tries) {
      v6_ = Bound(Address::LoopbackV6(0));
      v4_ = Bound(Address::LoopbackV4(v6_.local()->port()));
    }
    address_ = *v4_.local();
  }
  // That of 127.0.0.1.
  const Address& address() const { return address_; }
  void ListenOnV4() const { ASSERT_EQ(listen(v4_.fd(), 1), 0); }

 private:
  static Socket Bound(const Address& address) {
    const int fd = socket(address.data()->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    Socket taken = *Socket::Adopt(fd);
    if (bind(fd, address.data(), address.size()) != 0) taken.Close();
    return taken;
  }

  Socket v6_;
  Socket v4_;
  Address address_;
};

// A listener whose queue is full, so that a further connect() hears nothing.
struct SilentListener {
  SilentListener() : listener(*Socket::Listen(Address::LoopbackV4(0), {.backlog = 0})) {
    address = *listener.local();
    while (!Full()) queued.push_back(*Socket::Connect(address));
  }
  // The kernel admits one more than the backlog.
  bool Full() const {
    tcp_info info = {};
    socklen_t size = sizeof(info);
    EXPECT_EQ(getsockopt(listener.fd(), IPPROTO_TCP, TCP_INFO, &info, &size), 0);
    return info.tcpi_unacked > info.tcpi_sacked;
  }
  Socket listener;
  Address address;
  std::vector<Socket> queued;
};

int OpenDescriptors() {
  int count = 0;
  for (int fd = 0; fd < 256; ++fd) count += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return count;
}

TEST(Connect, BothEndsKnowEachOther) {
  Socket listener = *Socket::Listen(Address::LoopbackV4(0));
  const Address address = *listener.local();
  EXPECT_NE(address.port(), 0);
  Socket client = *Socket::Connect("127.0.0.1", address.port());
  Socket server = *listener.Accept();
  EXPECT_EQ(client.peer(), address);
  EXPECT_EQ(server.peer(), *client.local());
  EXPECT_EQ(*server.local(), address);
}

TEST(Connect, SmallWritesLeaveAtOnceByDefault) {
  Socket listener = *Socket::Listen(Address::LoopbackV4(0));
  Socket client = *Socket::Connect(*listener.local());
  Socket server = *listener.Accept();
  EXPECT_EQ(*client.GetOption(IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(*server.GetOption(IPPROTO_TCP, TCP_NODELAY), 1);
  Socket plain = *Socket::Connect(*listener.local(), Deadline::Never(), {.no_delay = false});
  EXPECT_EQ(*plain.GetOption(IPPROTO_TCP, TCP_NODELAY), 0);
}

TEST(Connect, WorksOverIpv6) {
  absl::StatusOr<Socket> listener = Socket::Listen(Address::LoopbackV6(0));
  if (!listener.ok()) GTEST_SKIP() << "no IPv6 here: " << listener.status();
  Socket client = *Socket::Connect("::1", listener->local()->port());
  EXPECT_EQ(listener->Accept()->peer(), *client.local());
}

TEST(Connect, OneListenerTakesBothFamiliesUnlessTold) {
  absl::StatusOr<Socket> both = Socket::Listen(Address::AnyV6(0));
  if (!both.ok()) GTEST_SKIP() << "no IPv6 here: " << both.status();
  ASSERT_TRUE(Socket::Connect("127.0.0.1", both->local()->port()).ok());
  EXPECT_TRUE(both->Accept()->peer().Unmapped().is_v4());
  Socket only = *Socket::Listen(Address::AnyV6(0), {.v6_only = true});
  EXPECT_EQ(ErrnoOf(Socket::Connect("127.0.0.1", only.local()->port()).status()), ECONNREFUSED);
}

TEST(Connect, RefusalNamesThePeerAndTheCause) {
  const RefusingPort port;
  const Address& nobody = port.address();
  const absl::Status status = Socket::Connect(nobody).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(status.message(), "connect to " + nobody.ToString() + ": Connection refused");
  EXPECT_EQ(ErrnoOf(status), ECONNREFUSED);
}

TEST(Connect, GivesUpAtTheDeadline) {
  SilentListener silent;
  const absl::Status status = Socket::Connect(silent.address, absl::Milliseconds(20)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(status.message(), "connect to " + silent.address.ToString() + ": timed out");
  EXPECT_EQ(ErrnoOf(status), 0);
}

TEST(Connect, B9_5_TriesEachAddressAndClosesWhatFailed) {
  Socket listener = *Socket::Listen(Address::LoopbackV4(0));
  const RefusingPort refusing;
  const std::vector<Address> addresses = {
      refusing.address(), *Address::Parse("/nonexistent/socket"), *listener.local()};
  const int before = OpenDescriptors();
  absl::StatusOr<Socket> connected = Socket::ConnectAny(addresses);
  ASSERT_TRUE(connected.ok()) << connected.status();
  EXPECT_EQ(connected->peer(), *listener.local());
  EXPECT_EQ(OpenDescriptors(), before + 1);
}

TEST(Connect, B9_5_TheLastErrorIsReported) {
  const RefusingPort refusing;
  const int before = OpenDescriptors();
  const std::vector<Address> addresses = {*Address::Parse("/nonexistent/socket"),
                                          refusing.address()};
  EXPECT_EQ(ErrnoOf(Socket::ConnectAny(addresses).status()), ECONNREFUSED);
  EXPECT_EQ(Socket::ConnectAny({}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST(Connect, ASilentAddressLeavesTheOthersTheirShareOfTheTime) {
  SilentListener silent;
  Socket listener = *Socket::Listen(Address::LoopbackV4(0));
  const std::vector<Address> addresses = {silent.address, *listener.local()};
  absl::StatusOr<Socket> connected = Socket::ConnectAny(addresses, absl::Milliseconds(100));
  ASSERT_TRUE(connected.ok()) << connected.status();
  EXPECT_EQ(connected->peer(), *listener.local());
}

TEST(Connect, B9_5_KillAndTimeoutCloseTheSocketToo) {
  SilentListener silent;
  const int before = OpenDescriptors();
  EXPECT_FALSE(WithTimeout(absl::Milliseconds(10), [&] { (void)Socket::Connect(silent.address); }));
  auto connecting = Spawn([&] { (void)Socket::Connect(silent.address); });
  Sleep();
  EXPECT_EQ(OpenDescriptors(), before + 1);
  connecting.Kill();
  EXPECT_TRUE(connecting.Ready());
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST(Connect, A11_1_ALocalAddressCanBeChosen) {
  Socket listener = *Socket::Listen(Address::LoopbackV4(0));
  Socket client = *Socket::Connect(*listener.local(), Deadline::Never(),
                                   {.local = *Address::Parse("127.0.0.2:0")});
  EXPECT_EQ(listener.Accept()->peer().ip(), "127.0.0.2");
  const absl::Status status = Socket::Connect(*listener.local(), Deadline::Never(),
                                              {.local = *Address::Parse("192.0.2.1:0")})
                                  .status();
  EXPECT_EQ(ErrnoOf(status), EADDRNOTAVAIL);
  EXPECT_NE(status.message().find("bind to 192.0.2.1:0"), std::string::npos) << status;
}

TEST(Connect, UnixSocketsConnectByPathAndByAbstractName) {
  // The test's own directory may be longer than a Unix socket's name may be.
  std::string directory = "/tmp/verdant-socket-XXXXXX";
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  for (const std::string& name : {directory + "/s", "@verdant-test-" + std::to_string(getpid())}) {
    const Address address = *Address::FromPath(name);
    absl::StatusOr<Socket> listener = Socket::Listen(address);
    ASSERT_TRUE(listener.ok()) << listener.status();
    Socket client = *Socket::Connect(address);
    Socket server = *listener->Accept();
    ASSERT_TRUE(client.SendAll("over unix").ok());
    std::array<char, 9> buffer;
    ASSERT_TRUE(server.RecvExactly(buffer).ok());
    EXPECT_EQ(std::string_view(buffer.data(), 9), "over unix");
    EXPECT_EQ(server.peer().ToString(), "unix:(unnamed)");
  }
  const absl::Status again = Socket::Listen(*Address::FromPath(directory + "/s")).status();
  EXPECT_EQ(ErrnoOf(again), EADDRINUSE);
  EXPECT_NE(again.message().find("listen on " + directory + "/s"), std::string::npos) << again;
  unlink((directory + "/s").c_str());
  rmdir(directory.c_str());
}

TEST(Connect, AFullBacklogOfAUnixListenerIsWaitedFor) {
  const Address address = *Address::FromPath("@verdant-backlog-" + std::to_string(getpid()));
  Socket listener = *Socket::Listen(address, {.backlog = 0});
  Socket first = *Socket::Connect(address);
  EXPECT_EQ(Socket::Connect(address, absl::Milliseconds(5)).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  auto second = Spawn([&] { return Socket::Connect(address).ok(); });
  Sleep();
  ASSERT_TRUE(listener.Accept().ok());
  EXPECT_TRUE(second.Wait());
}

TEST(Listen, A11_1_PortsAreSharedOnlyOnRequest) {
  Socket first = *Socket::Listen(Address::LoopbackV4(0), {.reuse_port = true});
  EXPECT_TRUE(Socket::Listen(*first.local(), {.reuse_port = true}).ok());
  const absl::Status status = Socket::Listen(*first.local()).status();
  EXPECT_EQ(ErrnoOf(status), EADDRINUSE);
  EXPECT_EQ(status.message(), "listen on " + first.local()->ToString() + ": bind to " +
                                  first.local()->ToString() + ": Address already in use");
}

TEST(Accept, GivesUpAtTheDeadlineNamingTheListener) {
  Socket listener = *Socket::Listen(Address::LoopbackV4(0));
  const absl::Status status = listener.Accept(absl::Milliseconds(1)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(status.message(), "accept on " + listener.local()->ToString() + ": timed out");
}

TEST(Accept, FailsWhenTheListenerIsClosedMeanwhile) {
  Socket listener = *Socket::Listen(Address::LoopbackV4(0));
  auto accepting = Spawn([&] { return listener.Accept().status(); });
  Sleep();
  listener.Close();
  EXPECT_EQ(ErrnoOf(accepting.Wait()), EBADF);
}

TEST(Accept, RunningOutOfDescriptorsIsReportedAndPasses) {
  Socket listener = *Socket::Listen(Address::LoopbackV4(0));
  Socket client = *Socket::Connect(*listener.local());
  rlimit limit;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit tight = {static_cast<rlim_t>(client.fd() + 1), limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
  const absl::Status status = listener.Accept().status();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(ErrnoOf(status), EMFILE) << status;
  EXPECT_TRUE(listener.Accept().ok());
}

TEST(Connect, ANameIsResolvedAndEachOfItsAddressesTried) {
  // localhost is ::1 first.
  const RefusingPort port;
  port.ListenOnV4();
  absl::StatusOr<Socket> connected = Socket::Connect("localhost", port.address().port());
  ASSERT_TRUE(connected.ok()) << connected.status();
  EXPECT_EQ(connected->peer(), port.address());
}

TEST(Connect, AFailureNamesTheHostAndTheAddress) {
  const RefusingPort port;
  const Address& nobody = port.address();
  const absl::Status refused = Socket::Connect("localhost", nobody.port()).status();
  EXPECT_EQ(ErrnoOf(refused), ECONNREFUSED);
  EXPECT_EQ(refused.message(),
            "localhost: connect to " + nobody.ToString() + ": Connection refused");
  const absl::Status malformed = Socket::Connect("no such host", 80).status();
  EXPECT_EQ(malformed.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(malformed.message().starts_with("connect to no such host:80: ")) << malformed;
}

}  // namespace
}  // namespace verdant::green
