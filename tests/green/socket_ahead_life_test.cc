// What the kernel takes ahead of being asked (green/socket.h): listeners, and whose it is when
// sockets stop, close, move, and are inherited.

#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "green/socket.h"
#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "tests/green/socket_ahead_testing.h"
#include "tests/hub/poller_testing.h"

namespace verdant::green {
namespace {

TEST_P(SocketAhead, B9_2_CloseWakesWhoeverWaitsWithEbadf) {
  OnHub([] {
    Connection c = TcpAhead();
    auto reader = Spawn([&] {
      std::array<char, 1> buffer;
      return c.server.Recv(buffer).status();
    });
    Socket listener = *Socket::Listen(Address::LoopbackV4(0));
    listener.AcceptAhead();
    auto acceptor = Spawn([&] { return listener.Accept().status(); });
    Sleep(absl::Milliseconds(1));
    ASSERT_FALSE(reader.Ready() || acceptor.Ready());
    c.server.Close();
    listener.Close();
    EXPECT_EQ(ErrnoOf(reader.Wait()), EBADF);
    EXPECT_EQ(ErrnoOf(acceptor.Wait()), EBADF);
    std::array<char, 1> buffer;
    EXPECT_EQ(*c.client.Recv(buffer, kPatience), 0u);
    EXPECT_EQ(Hub::Current().counts().waiting_for_io, 0u);
  });
}

TEST_P(SocketAhead, AReleasedSocketLeavesNothingBehind) {
  OnHub([] {
    auto [a, b] = UnixAhead();
    ASSERT_TRUE(a.SendAll("one").ok());
    if (Works()) {
      LetItCome(b);
      EXPECT_THROW((void)b.Release(), std::logic_error);
      EXPECT_FALSE(b.closed());
    }
    b.StopAhead();
    b.StopAhead();
    ASSERT_TRUE(a.SendAll(" and two").ok());
    std::string got;
    std::array<char, 2> buffer;
    while (b.HoldsAhead()) got.append(buffer.data(), *b.Recv(buffer, absl::ZeroDuration()));
    Socket adopted = *Socket::Adopt(b.Release());
    EXPECT_TRUE(b.closed());
    a.Close();
    EXPECT_EQ(got + RecvAll(adopted), "one and two");
  });
}

TEST_P(SocketAhead, OneThatHoldsNothingIsReleasedAtOnce) {
  OnHub([] {
    auto [a, b] = UnixAhead();
    Sleep(absl::Milliseconds(1));
    Socket adopted = *Socket::Adopt(b.Release());
    ASSERT_TRUE(a.SendAll("x").ok());
    EXPECT_EQ(RecvText(adopted, 1), "x");
    EXPECT_EQ(adopted.ReceiveAhead(), Works());
    a.Close();
    EXPECT_EQ(RecvAll(adopted), "");
  });
}

TEST_P(SocketAhead, StoppedAndBegunAgainItLosesNothing) {
  OnHub([] {
    Connection c = TcpAhead();
    const std::string data = Pattern(1 << 20);
    auto sender = Spawn([&] {
      EXPECT_TRUE(c.client.SendAll(data).ok());
      c.client.Close();
    });
    std::string got;
    std::array<char, 3001> buffer;
    for (int i = 0;; ++i) {
      const absl::StatusOr<std::size_t> some = c.server.Recv(buffer, kPatience);
      ASSERT_TRUE(some.ok()) << some.status();
      if (*some == 0) break;
      got.append(buffer.data(), *some);
      if (i % 3 == 0) c.server.StopAhead();
      if (i % 5 == 1) c.server.ReceiveAhead();
    }
    EXPECT_TRUE(got == data);
    sender.Wait();
  });
}

TEST_P(SocketAhead, ConnectionsAreGivenOutInOrderWithTheirPeers) {
  OnHub([] {
    Socket listener = *Socket::Listen(Address::LoopbackV4(0));
    EXPECT_EQ(listener.AcceptAhead(), Works());
    EXPECT_EQ(listener.AcceptAhead(), Works());
    std::vector<Socket> clients;
    for (int i = 0; i < 300; ++i) {  // more than are taken ahead
      clients.push_back(*Socket::Connect(*listener.local()));
      if (i % 50 == 0) Sleep();
    }
    for (Socket& client : clients) {
      absl::StatusOr<Socket> accepted = listener.Accept(kPatience);
      ASSERT_TRUE(accepted.ok()) << accepted.status();
      EXPECT_EQ(accepted->peer(), *client.local());
      ASSERT_TRUE(accepted->SendAll("hello").ok());
      ASSERT_EQ(RecvText(client, 5), "hello");
    }
    EXPECT_EQ(listener.Accept(absl::Milliseconds(1)).status().code(),
              absl::StatusCode::kDeadlineExceeded);
  });
}

TEST_P(SocketAhead, AcceptingIsToldThatDescriptorsAreShortAndGoesOnWhenTheyAreNot) {
  OnHub([] {
    Socket listener = *Socket::Listen(Address::LoopbackV4(0));
    Works();  // which needs descriptors the first time
    const Address address = *listener.local();
    const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    rlimit before;
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    rlimit none = before;
    none.rlim_cur = static_cast<rlim_t>(client) + 1;  // the lowest that was free
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    listener.AcceptAhead();
    Sleep(absl::Milliseconds(1));
    ASSERT_EQ(connect(client, address.data(), address.size()), 0);
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(ErrnoOf(listener.Accept(kPatience).status()), EMFILE);
      Sleep(absl::Milliseconds(1));
    }
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    absl::StatusOr<Socket> accepted = listener.Accept(kPatience);
    if (ErrnoOf(accepted.status()) == EMFILE) accepted = listener.Accept(kPatience);  // of before
    EXPECT_TRUE(accepted.ok()) << accepted.status();
    close(client);
  });
}

TEST_P(SocketAhead, AKilledAcceptorLosesNoConnection) {
  OnHub([] {
    Socket listener = *Socket::Listen(Address::LoopbackV4(0));
    listener.AcceptAhead();
    auto acceptor = Spawn([&] { return listener.Accept().ok(); });
    Sleep(absl::Milliseconds(1));
    const Address address = *listener.local();
    const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(connect(client, address.data(), address.size()), 0);
    acceptor.Kill();
    acceptor.Join();
    EXPECT_TRUE(listener.Accept(kPatience).ok());
    close(client);
  });
}

TEST_P(SocketAhead, ConnectionsNotGivenOutCloseWithTheListener) {
  OnHub([] {
    std::optional<Socket> listener = *Socket::Listen(Address::LoopbackV4(0));
    listener->AcceptAhead();
    std::vector<Socket> clients;
    for (int i = 0; i < 10; ++i) clients.push_back(*Socket::Connect(*listener->local()));
    Sleep(absl::Milliseconds(1));
    clients.push_back(*Socket::Connect(*listener->local()));  // just before
    listener.reset();
    for (Socket& client : clients) {
      std::array<char, 1> buffer;
      const absl::StatusOr<std::size_t> got = client.Recv(buffer, kPatience);
      EXPECT_TRUE(got.ok() ? *got == 0 : ErrnoOf(got.status()) == ECONNRESET) << got.status();
    }
  });
}

TEST_P(SocketAhead, AListenerThatStopsTakesNoMoreAndGivesOutWhatItHas) {
  OnHub([] {
    Socket listener = *Socket::Listen(Address::LoopbackV4(0));
    const bool works = listener.AcceptAhead();
    Socket first = *Socket::Connect(*listener.local());
    if (works) LetItCome(listener);
    listener.StopAhead();
    Socket second = *Socket::Connect(*listener.local());
    Sleep(absl::Milliseconds(1));
    if (works) {
      EXPECT_THROW((void)listener.Release(), std::logic_error);
      EXPECT_EQ(listener.Accept(absl::ZeroDuration())->peer(), *first.local());
    }
    Socket adopted = *Socket::Adopt(listener.Release());
    if (!works) {
      EXPECT_EQ(adopted.Accept(kPatience)->peer(), *first.local());
    }
    EXPECT_EQ(adopted.Accept(kPatience)->peer(), *second.local());
  });
}

TEST_P(SocketAhead, NumbersUsedAgainAtOnceAreOthers) {
  OnHub([] {
    for (int i = 0; i < 2000; ++i) {
      auto [a, b] = *Socket::Pair(SOCK_STREAM);
      b.ReceiveAhead();
      const char byte = static_cast<char>(i);
      if (i % 2 == 0) Sleep();
      ASSERT_TRUE(a.SendAll({&byte, 1}).ok());
      if (i % 3 == 0) continue;  // closed with it unread
      std::array<char, 8> buffer;
      ASSERT_EQ(*b.Recv(buffer, kPatience), 1u);
      ASSERT_EQ(buffer[0], byte);
    }
    EXPECT_EQ(Hub::Current().counts().waiting_for_io, 0u);
  });
}

TEST_P(SocketAhead, AMovedSocketTakesAlongWhatItHolds) {
  OnHub([] {
    auto [a, b] = UnixAhead();
    ASSERT_TRUE(a.SendAll("moved").ok());
    Sleep(absl::Milliseconds(1));
    Socket to = std::move(b);
    EXPECT_FALSE(b.HoldsAhead());
    EXPECT_EQ(RecvText(to, 5), "moved");
    ASSERT_TRUE(a.SendAll("again").ok());
    EXPECT_EQ(RecvText(to, 5), "again");
    to = Socket();
    EXPECT_EQ(RecvAll(a), "");
  });
}

TEST_P(SocketAhead, ItsHubMayEndFirst) {
  Socket a, b, listener, client;
  bool works = false;
  OnHub([&] {
    std::tie(a, b) = UnixAhead();
    listener = *Socket::Listen(Address::LoopbackV4(0));
    works = listener.AcceptAhead();
    ASSERT_TRUE(a.SendAll("unread").ok());
    client = *Socket::Connect(*listener.local());
    Sleep(absl::Milliseconds(1));
    ASSERT_TRUE(a.SendAll(" and more").ok());
    client.ReceiveAhead();
    EXPECT_EQ(listener.HoldsAhead(), works);
  });
  EXPECT_FALSE(b.HoldsAhead());
  EXPECT_EQ(write(b.fd(), "still open", 10), 10);
  std::array<char, 20> buffer;
  EXPECT_EQ(read(a.fd(), buffer.data(), buffer.size()), 10);
  listener.Close();
  const ssize_t got = recv(client.fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  EXPECT_TRUE(got == 0 || (got < 0 && errno == ECONNRESET)) << got << " " << errno;
}

TEST_P(SocketAhead, A12_17_AForkedChildIsToldAndTheParentGoesOn) {
  OnHub([] {
    auto [a, b] = UnixAhead();
    auto [mine, childs] = *Socket::Pair(SOCK_STREAM);
    Socket listener = *Socket::Listen(Address::LoopbackV4(0));
    const bool works = listener.AcceptAhead();
    ASSERT_TRUE(a.SendAll("before").ok());
    Sleep(absl::Milliseconds(1));
    auto reader = Spawn([&b = b] { return RecvText(b, 17); });
    const pid_t child = fork();
    if (child == 0) {
      Hub::Configure({.poller = GetParam()});
      std::array<char, 6> buffer;
      if (works) {
        if (ErrnoOf(b.Recv(buffer, kPatience).status()) != EBUSY) _exit(1);
        if (ErrnoOf(listener.Accept(kPatience).status()) != EBUSY) _exit(2);
        if (b.TryRecv(buffer) != -EBUSY || b.HoldsAhead()) _exit(3);
      }
      if (b.ReceiveAhead() && works) _exit(4);
      b.StopAhead();
      if (!b.SendAll("child").ok()) _exit(5);
      // What the child makes itself it has for itself.
      auto own = UnixAhead();
      if (!own.first.SendAll("own").ok() || RecvText(own.second, 3) != "own") _exit(6);
      b.Close();
      listener.Close();
      if (!childs.SendAll("done").ok()) _exit(7);
      _exit(0);
    }
    EXPECT_EQ(RecvText(a, 5), "child");
    EXPECT_EQ(RecvText(mine, 4), "done");
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    ASSERT_TRUE(a.SendAll(" and after!").ok());
    EXPECT_EQ(reader.Wait(), "before and after!");
    Socket client = *Socket::Connect(*listener.local());
    EXPECT_TRUE(listener.Accept(kPatience).ok());
  });
}

}  // namespace
}  // namespace verdant::green
