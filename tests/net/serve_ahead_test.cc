// Servers of listeners and connections that take what comes ahead of being asked.

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "green/socket.h"
#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "net/listen.h"
#include "net/serve.h"
#include "net/stop_signal.h"
#include "tests/green/socket_ahead_testing.h"
#include "tests/green/stream_testing.h"
#include "tests/hub/poller_testing.h"

namespace verdant::net {
namespace {

using green::kPatience;
using ServeAhead = green::SocketAhead;

INSTANTIATE_TEST_SUITE_P(A11_2, ServeAhead, ::testing::ValuesIn(kPollers), PollerTestName);

void Echo(green::Socket& connection) {
  connection.ReceiveAhead();
  std::array<char, 64> buffer;
  for (;;) {
    const absl::StatusOr<std::size_t> got = connection.Recv(buffer, kPatience);
    if (!got.ok() || *got == 0) return;
    if (!connection.SendAll({buffer.data(), *got}).ok()) return;
  }
}

TEST_P(ServeAhead, EveryClientIsServedThoughThereAreMoreThanPlaces) {
  OnHub([] {
    green::Socket listener = *Listen("127.0.0.1:0");
    listener.AcceptAhead();
    StopSignal stop;
    auto server = Spawn([&] { return Serve(listener, &Echo, {.concurrency = 3, .stop = &stop}); });
    std::vector<GreenThread<int>> clients;
    for (int i = 0; i < 20; ++i) {
      clients.push_back(Spawn([&, i] {
        int served = 0;
        for (int round = 0; round < 10; ++round) {
          green::Socket client = *green::Socket::Connect(*listener.local());
          const std::string text = std::to_string(i * 10 + round) + " and some more";
          if (!client.SendAll(text).ok()) return served;
          if (green::RecvText(client, text.size()) == text) ++served;
        }
        return served;
      }));
    }
    for (GreenThread<int>& client : clients) EXPECT_EQ(client.Wait(), 10);
    stop.Stop();
    EXPECT_TRUE(server.Wait().ok());
  });
}

TEST_P(ServeAhead, WhoCameTooLateForAServerIsServedByTheNext) {
  OnHub([] {
    green::Socket listener = *Listen("127.0.0.1:0");
    const bool works = listener.AcceptAhead();
    green::Socket late = *green::Socket::Connect(*listener.local());
    ASSERT_TRUE(late.SendAll("late").ok());
    if (works) green::LetItCome(listener);
    StopSignal stop;
    stop.Stop();
    EXPECT_TRUE(Serve(listener, &Echo, {.stop = &stop}).ok());
    StopSignal second;
    auto server = Spawn([&] { return Serve(listener, &Echo, {.stop = &second}); });
    EXPECT_EQ(green::RecvText(late, 4), "late");
    late.Close();
    second.Stop();
    EXPECT_TRUE(server.Wait().ok());
  });
}

TEST_P(ServeAhead, WhoIsNeverServedIsToldWhenTheListenerCloses) {
  OnHub([] {
    green::Socket listener = *Listen("127.0.0.1:0");
    listener.AcceptAhead();
    green::Socket client = *green::Socket::Connect(*listener.local());
    if (Works()) green::LetItCome(listener);
    listener.Close();
    std::array<char, 1> buffer;
    const absl::StatusOr<std::size_t> got = client.Recv(buffer, kPatience);
    EXPECT_TRUE(got.ok() ? *got == 0 : got.status().code() == absl::StatusCode::kUnavailable)
        << got.status();
  });
}

}  // namespace
}  // namespace verdant::net
