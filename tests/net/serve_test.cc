#include "net/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>

#include <array>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "hub/timeout.h"
#include "net/listen.h"
#include "tests/green/stream_testing.h"
#include "tests/hub/sync_testing.h"

namespace verdant::net {
namespace {

using green::RecvAll;

class ServeTest : public ::testing::Test {
 protected:
  green::Socket Dial() { return *green::Socket::Connect(*listener.local()); }

  green::Socket listener = *Listen("127.0.0.1:0");
  StopSignal stop;
};

TEST_F(ServeTest, A11_2_EachConnectionHasAHandlerAndClosesWithIt) {
  auto server = Spawn([&] {
    return Serve(listener, [](green::Socket& connection) { (void)connection.SendAll("hello"); },
                 {.stop = &stop});
  });
  for (int i = 0; i < 3; ++i) {
    green::Socket client = Dial();
    EXPECT_EQ(RecvAll(client), "hello");
  }
  stop.Stop();
  EXPECT_TRUE(server.Wait().ok());
  EXPECT_FALSE(listener.closed());
}

TEST_F(ServeTest, A11_2_StopServeEndsTheServerOnceTheOthersAreDone) {
  Event<> finish;
  auto server = Spawn([&] {
    return Serve(
        listener,
        [&](green::Socket& connection) {
          std::array<char, 1> what;
          if (!connection.RecvExactly(what).ok()) return;
          if (what[0] == 'q') throw StopServe();
          finish.Wait();
          (void)connection.SendAll("done");
        },
        100);
  });
  green::Socket slow = Dial();
  ASSERT_TRUE(slow.SendAll("s").ok());
  green::Socket quit = Dial();
  ASSERT_TRUE(quit.SendAll("q").ok());
  EXPECT_EQ(RecvAll(quit), "");
  EXPECT_FALSE(server.Ready());
  finish.Send();
  EXPECT_EQ(RecvAll(slow), "done");
  EXPECT_TRUE(server.Wait().ok());
}

TEST_F(ServeTest, Decision9_AHandlersErrorIsReportedAndTheServerGoesOn) {
  Reports reports;
  auto server = Spawn([&] {
    return Serve(listener,
                 [n = 0](green::Socket& connection) mutable {
                   if (++n == 1) throw std::runtime_error("handler's fault");
                   if (n == 2) {
                     Timeout patience(absl::Milliseconds(1));
                     Sleep(absl::Hours(1));
                   }
                   (void)connection.SendAll("third");
                 },
                 {.stop = &stop});
  });
  green::Socket first = Dial();
  const std::string name = first.local()->ToString();
  EXPECT_EQ(RecvAll(first), "");
  green::Socket second = Dial();
  EXPECT_EQ(RecvAll(second), "");
  green::Socket third = Dial();
  EXPECT_EQ(RecvAll(third), "third");
  ASSERT_EQ(reports.texts.size(), 2u);
  EXPECT_NE(reports.texts[0].find("handler of the connection from " + name), std::string::npos);
  EXPECT_NE(reports.texts[0].find("handler's fault"), std::string::npos);
  stop.Stop();
  EXPECT_TRUE(server.Wait().ok());
}

TEST_F(ServeTest, A11_2_AHandlersGreenletExitEndsItsConnectionOnlyAndSilently) {
  Reports reports;
  int served = 0;
  auto server = Spawn([&] {
    return Serve(listener,
                 [&](green::Socket& connection) {
                   if (++served == 1) throw GreenletExit();
                   (void)connection.SendAll("hello");
                 },
                 {.stop = &stop});
  });
  green::Socket first = Dial();
  EXPECT_EQ(RecvAll(first), "");
  green::Socket second = Dial();
  EXPECT_EQ(RecvAll(second), "hello");
  stop.Stop();
  EXPECT_TRUE(server.Wait().ok());
  EXPECT_TRUE(reports.texts.empty());
}

TEST_F(ServeTest, A11_3_AtTheLimitNothingMoreIsAccepted) {
  Event<> release;
  int running = 0;
  int most = 0;
  auto server = Spawn([&] {
    return Serve(listener,
                 [&](green::Socket& connection) {
                   most = std::max(most, ++running);
                   (void)connection.SendAll("x");
                   release.Wait();
                   --running;
                 },
                 {.concurrency = 2, .stop = &stop});
  });
  std::vector<green::Socket> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(Dial());
  std::array<char, 1> byte;
  EXPECT_TRUE(clients[0].RecvExactly(byte).ok());
  EXPECT_TRUE(clients[1].RecvExactly(byte).ok());
  EXPECT_EQ(clients[2].Recv(byte, absl::Milliseconds(2)).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(running, 2);
  release.Send();
  for (int i = 2; i < 5; ++i) EXPECT_EQ(RecvAll(clients[static_cast<std::size_t>(i)]), "x");
  EXPECT_EQ(most, 2);
  stop.Stop();
  EXPECT_TRUE(server.Wait().ok());
}

TEST_F(ServeTest, AStoppedServerKillsWhoExceedsTheGrace) {
  bool unwound = false;
  auto server = Spawn([&] {
    return Serve(listener,
                 [&](green::Socket& connection) {
                   struct Note {
                     bool& flag;
                     ~Note() { flag = true; }
                   } note{unwound};
                   (void)connection.SendAll("x");
                   Sleep(absl::Hours(1));
                 },
                 {.stop = &stop, .grace = absl::Milliseconds(1)});
  });
  green::Socket client = Dial();
  std::array<char, 1> byte;
  ASSERT_TRUE(client.RecvExactly(byte).ok());
  stop.Stop();
  EXPECT_TRUE(server.Wait().ok());
  EXPECT_TRUE(unwound);
  EXPECT_EQ(RecvAll(client), "");
}

TEST_F(ServeTest, AKilledServerTakesItsHandlersAlong) {
  int alive = 0;
  auto server = Spawn([&] {
    struct Count {
      int& n;
      ~Count() { --n; }
    };
    return Serve(listener, [&](green::Socket& connection) {
      ++alive;
      Count count{alive};
      (void)connection.SendAll("x");
      Sleep(absl::Hours(1));
    });
  });
  green::Socket client = Dial();
  std::array<char, 1> byte;
  ASSERT_TRUE(client.RecvExactly(byte).ok());
  EXPECT_EQ(alive, 1);
  server.Kill();
  EXPECT_THROW((void)server.Wait(), GreenletExit);
  EXPECT_EQ(alive, 0);
}

TEST_F(ServeTest, ATimeoutOfTheCallerUnwindsIt) {
  EXPECT_FALSE(
      WithTimeout(absl::Milliseconds(1), [&] { (void)Serve(listener, [](green::Socket&) {}); }));
}

TEST_F(ServeTest, ClosingTheListenerEndsItWithEbadf) {
  auto server = Spawn([&] { return Serve(listener, [](green::Socket&) {}); });
  Sleep();
  listener.Close();
  EXPECT_EQ(green::ErrnoOf(server.Wait()), EBADF);
}

TEST_F(ServeTest, AStoppedSignalEndsItBeforeItBegins) {
  stop.Stop();
  green::Socket client = Dial();
  EXPECT_TRUE(Serve(listener, [](green::Socket&) { ADD_FAILURE(); }, {.stop = &stop}).ok());
}

TEST_F(ServeTest, B10_5_ItOutlastsALackOfDescriptors) {
  Reports reports;
  green::Socket client = Dial();
  rlimit limit;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit tight = {static_cast<rlim_t>(client.fd() + 1), limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
  auto server = Spawn([&] {
    return Serve(listener, [](green::Socket& connection) { (void)connection.SendAll("hello"); },
                 {.stop = &stop});
  });
  while (reports.texts.empty()) Sleep();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(RecvAll(client), "hello");
  EXPECT_EQ(reports.texts.size(), 1u);
  EXPECT_NE(reports.texts[0].find("Too many open files"), std::string::npos) << reports.texts[0];
  stop.Stop();
  EXPECT_TRUE(server.Wait().ok());
}

TEST_F(ServeTest, OneSignalStopsSeveralServers) {
  green::Socket other = *Listen("127.0.0.1:0");
  auto a = Spawn([&] { return Serve(listener, [](green::Socket&) {}, {.stop = &stop}); });
  auto b = Spawn([&] { return Serve(other, [](green::Socket&) {}, {.stop = &stop}); });
  Sleep();
  stop.Stop();
  EXPECT_TRUE(a.Wait().ok());
  EXPECT_TRUE(b.Wait().ok());
}

TEST_F(ServeTest, AHandlerMayKeepTheConnection) {
  green::Socket kept;
  auto server = Spawn([&] {
    return Serve(listener, [&](green::Socket& connection) { kept = std::move(connection); },
                 {.stop = &stop});
  });
  green::Socket client = Dial();
  while (kept.closed()) Sleep();
  stop.Stop();
  EXPECT_TRUE(server.Wait().ok());
  ASSERT_TRUE(kept.SendAll("still here").ok());
  kept.Close();
  EXPECT_EQ(RecvAll(client), "still here");
}

TEST_F(ServeTest, AConcurrencyOfZeroIsMisuse) {
  EXPECT_THROW((void)Serve(
                   listener, [](green::Socket&) {}, 0),
               std::logic_error);
}

}  // namespace
}  // namespace verdant::net
