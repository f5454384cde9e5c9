#include "net/backdoor.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "hub/timeout.h"
#include "net/listen.h"
#include "tests/testing/temporary_directory.h"

namespace verdant::net {
namespace {

using Arguments = std::vector<std::string>;

// All that comes until the prompt, without it, or until the end.
std::string Answer(green::Socket& client) {
  std::string text;
  std::array<char, 1> byte;
  while (client.RecvExactly(byte).ok()) {
    text += byte[0];
    if (text.ends_with(">>> ")) return text.substr(0, text.size() - 4);
  }
  return text + "(end)";
}

std::string Ask(green::Socket& client, std::string_view line) {
  EXPECT_TRUE(client.SendAll(absl::StrCat(line, "\n")).ok());
  return Answer(client);
}

class BackdoorTest : public ::testing::Test {
 protected:
  BackdoorTest() {
    commands_.Add("join", "its arguments, joined",
                  [](const Arguments& words) { return absl::StrJoin(words, "+"); });
    commands_.Add("fail", "throws",
                  [](const Arguments&) -> std::string { throw std::runtime_error("boom"); });
  }
  ~BackdoorTest() override {
    stop_.Stop();
    if (!server_) return;
    EXPECT_TRUE(server_.Wait().ok());
  }
  // Serves on `where` in the background.
  void Serve(std::string_view where, std::size_t max_sessions = 10) {
    listener_ = *Listen(where);
    server_ = Spawn([this, max_sessions] {
      return BackdoorServer(listener_, commands_,
                            {.max_sessions = max_sessions, .banner = "hello", .stop = &stop_});
    });
  }
  // With the banner read.
  green::Socket Dial() {
    green::Socket client = *green::Socket::Connect(*listener_.local());
    EXPECT_EQ(Answer(client), "hello\n");
    return client;
  }

  BackdoorCommands commands_;
  StopSignal stop_;
  green::Socket listener_;
  GreenThread<absl::Status> server_;
};

TEST_F(BackdoorTest, A10_4_APromptPerConnectionOverTcpIpv6AndUnix) {
  const testing::TemporaryDirectory directory;
  for (const std::string& where :
       {std::string("127.0.0.1:0"), std::string("[::1]:0"), directory.File("backdoor.sock")}) {
    absl::StatusOr<green::Socket> listener = Listen(where);
    if (!listener.ok() && where[0] == '[') continue;  // no IPv6 here
    ASSERT_TRUE(listener.ok()) << listener.status();
    auto server = Spawn([&] { return BackdoorServer(*listener, commands_, {.banner = "hello"}); });
    green::Socket client = *green::Socket::Connect(*listener->local());
    EXPECT_EQ(Answer(client), "hello\n");
    EXPECT_EQ(Ask(client, "join a  b\tc"), "a+b+c\n");
    EXPECT_EQ(Ask(client, "exit"), "(end)");
    server.Kill();
    EXPECT_THROW((void)server.Wait(), GreenletExit);
  }
}

TEST_F(BackdoorTest, A10_4_TheBannerNamesTheProcessUnlessAnotherIsGiven) {
  auto pair = *green::Socket::Pair(SOCK_STREAM);
  auto session = Spawn([&] { Backdoor(pair.first, commands_); });
  EXPECT_EQ(Answer(pair.second), absl::StrCat("verdant backdoor of process ", getpid(),
                                              "; \"help\" lists the commands\n"));
  pair.second.Close();
  session.Wait();
  EXPECT_TRUE(pair.first.closed());
}

TEST_F(BackdoorTest, A10_4_TheBuiltInCommandsShowTheHub) {
  Serve("127.0.0.1:0");
  green::Socket client = Dial();
  auto sleeper = Spawn([] { Sleep(absl::Hours(1)); });
  sleeper.SetName("the sleeper");
  Sleep();
  EXPECT_NE(Ask(client, "greenlets").find("'the sleeper' spawned at "), std::string::npos);
  TimerHandle timer = Hub::Current().ScheduleCall(absl::Hours(1), [] {});
  EXPECT_NE(Ask(client, "timers").find("backdoor_test.cc:"), std::string::npos);
  EXPECT_NE(Ask(client, "listeners").find(absl::StrCat(listener_.fd())), std::string::npos);
  const std::string counts = Ask(client, "counts");
  EXPECT_NE(counts.find("green threads   "), std::string::npos) << counts;
  EXPECT_NE(counts.find("timers          2\n"), std::string::npos) << counts;
  const std::string help = Ask(client, "help");
  for (const char* name :
       {"help ", "greenlets ", "timers ", "listeners ", "counts ", "exit ", "quit "}) {
    EXPECT_NE(help.find(name), std::string::npos) << help;
  }
  EXPECT_NE(help.find("join         its arguments, joined\n"), std::string::npos) << help;
  EXPECT_EQ(Ask(client, "quit"), "(end)");
  timer.Cancel();
  sleeper.Kill();
}

TEST_F(BackdoorTest, A10_4_TheEndOfTheStreamClosesItAndALastLineMayLackItsEnd) {
  Serve("127.0.0.1:0");
  green::Socket client = Dial();
  ASSERT_TRUE(client.SendAll("join x y").ok());
  ASSERT_TRUE(client.ShutdownSend().ok());
  EXPECT_EQ(Answer(client), "x+y\n");
  EXPECT_EQ(Answer(client), "(end)");
}

TEST_F(BackdoorTest, A10_4_AnInstantDisconnectOrResetHarmsNobody) {
  Serve("127.0.0.1:0");
  for (int i = 0; i < 20; ++i) {
    green::Socket client = *green::Socket::Connect(*listener_.local());
    const linger reset = {.l_onoff = i % 2, .l_linger = 0};
    ASSERT_EQ(setsockopt(client.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
    if (i % 3 == 0) (void)client.SendAll("greenlets\ngreenlets\n");
    client.Close();
  }
  green::Socket client = Dial();
  EXPECT_EQ(Ask(client, "join still here"), "still+here\n");
}

TEST_F(BackdoorTest, A10_4_WhatACommandThrowsIsShownAndTheSessionGoesOn) {
  Serve("127.0.0.1:0");
  green::Socket client = Dial();
  EXPECT_EQ(Ask(client, "fail"), "fail failed: std::runtime_error: boom\n");
  EXPECT_EQ(Ask(client, "nonsense"), "no such command; \"help\" lists them\n");
  EXPECT_EQ(Ask(client, ""), "");
  EXPECT_EQ(Ask(client, "join"), "") << "an empty answer is no line";
}

TEST_F(BackdoorTest, A10_4_CancellationInACommandUnwindsTheSession) {
  auto pair = *green::Socket::Pair(SOCK_STREAM);
  commands_.Add("die", "", [](const Arguments&) -> std::string { throw GreenletExit(); });
  auto session = Spawn([&] { Backdoor(pair.first, commands_); });
  Answer(pair.second);
  EXPECT_EQ(Ask(pair.second, "die"), "(end)");
  EXPECT_THROW(session.Wait(), GreenletExit);

  auto other = *green::Socket::Pair(SOCK_STREAM);
  commands_.Add("sleep", "", [](const Arguments&) -> std::string {
    const Timeout timeout(absl::Milliseconds(1));
    Sleep(absl::Hours(1));
    return "";
  });
  auto timed = Spawn([&] { Backdoor(other.first, commands_); });
  Answer(other.second);
  EXPECT_EQ(Ask(other.second, "sleep"), "(end)");
  EXPECT_THROW(timed.Wait(), TimeoutExpired);
}

TEST_F(BackdoorTest, A10_4_LongLinesAndRubbishAreAnsweredWithOneLine) {
  Serve("127.0.0.1:0");
  green::Socket client = Dial();
  EXPECT_EQ(Ask(client, std::string(100000, 'x')), "that line is longer than 4096 bytes\n");
  EXPECT_EQ(Ask(client, "join " + std::string(4091, 'y')), std::string(4091, 'y') + "\n");
  EXPECT_EQ(Ask(client, "join " + std::string(4092, 'y')), "that line is longer than 4096 bytes\n");
  EXPECT_EQ(Ask(client, std::string_view("\xff\xfb\x01", 3)), "that is not text\n");
  EXPECT_EQ(Ask(client, std::string_view("join\0x", 6)), "that is not text\n");
  EXPECT_EQ(Ask(client, "join gr\xc3\xbcn\r"), "gr\xc3\xbcn\n");
}

TEST_F(BackdoorTest, A10_4_AWebPageCannotUseIt) {
  Serve("127.0.0.1:0");
  bool called = false;
  commands_.Add("harm", "", [&](const Arguments&) {
    called = true;
    return std::string();
  });
  green::Socket client = Dial();
  ASSERT_TRUE(client.SendAll("POST / HTTP/1.1\r\nHost: localhost\r\n\r\nharm\r\n").ok());
  EXPECT_EQ(Answer(client), "(end)");
  EXPECT_FALSE(called);
}

TEST_F(BackdoorTest, A10_4_ManySessionsAtOnceAndNoMoreThanThat) {
  Serve("127.0.0.1:0", 3);
  Event<> go;
  commands_.Add("wait", "", [&](const Arguments&) {
    go.Wait();
    return std::string("went");
  });
  std::vector<green::Socket> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(Dial());
  ASSERT_TRUE(clients[0].SendAll("wait\n").ok());
  EXPECT_EQ(Ask(clients[1], "join not held up"), "not+held+up\n");
  green::Socket refused = *green::Socket::Connect(*listener_.local());
  EXPECT_EQ(Answer(refused), "this backdoor has 3 sessions already, and no more\n(end)");
  EXPECT_EQ(Ask(clients[2], "exit"), "(end)");
  green::Socket next = Dial();
  go.Send();
  EXPECT_EQ(Answer(clients[0]), "went\n");
}

// One that says it comes from another machine.
class RemoteStream final : public green::Stream {
 public:
  void Close() override { closed_ = true; }
  bool closed() const override { return closed_; }
  const green::Address& peer() const override { return peer_; }
  std::string sent;

 private:
  absl::StatusOr<std::size_t> RecvSome(std::span<char>, Deadline) override { return 0; }
  absl::StatusOr<std::size_t> SendSome(std::span<const std::string_view> pieces,
                                       Deadline) override {
    std::size_t size = 0;
    for (const std::string_view piece : pieces) {
      sent += piece;
      size += piece.size();
    }
    return size;
  }
  absl::Status EndSending(Deadline) override { return absl::OkStatus(); }

  const green::Address peer_ = *green::Address::FromIp("192.0.2.7", 4000);
  bool closed_ = false;
};

TEST_F(BackdoorTest, A10_4_OtherMachinesAreRefusedUnlessAllowed) {
  RemoteStream refused;
  Backdoor(refused, commands_);
  EXPECT_EQ(refused.sent, "this backdoor is for clients of its own machine\n");
  EXPECT_TRUE(refused.closed());
  RemoteStream allowed;
  Backdoor(allowed, commands_, {.allow_remote = true, .banner = "welcome"});
  EXPECT_EQ(allowed.sent, "welcome\n>>> ");
  EXPECT_TRUE(allowed.closed());
}

TEST_F(BackdoorTest, A10_4_StoppingTheServerEndsItsSessions) {
  Serve("127.0.0.1:0");
  green::Socket client = Dial();
  stop_.Stop();
  EXPECT_TRUE(server_.Wait().ok());
  EXPECT_EQ(Answer(client), "(end)");
}

TEST_F(BackdoorTest, MisuseIsALogicError) {
  const auto nothing = [](const Arguments&) { return std::string(); };
  for (const char* name : {"", "two words", "tab\t", "help", "exit", "join", "\x01"}) {
    EXPECT_THROW(commands_.Add(name, "", nothing), std::logic_error) << name;
  }
  EXPECT_THROW(commands_.Add("empty", "", nullptr), std::logic_error);
  EXPECT_THROW((void)BackdoorServer(listener_, commands_, {.max_sessions = 0}), std::logic_error);
}

}  // namespace
}  // namespace verdant::net
