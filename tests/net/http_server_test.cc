#include "net/http_server.h"

#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/timeout.h"
#include "net/serve.h"
#include "tests/net/http_server_testing.h"

namespace verdant::net {
namespace {

void AnswerPath(HttpRequest& request, HttpResponse& response) {
  (void)response.Write(request.path());
}

std::string Get(std::string_view path, std::string_view headers = "") {
  return absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: h\r\n", headers, "\r\n");
}
std::string Answered(std::string_view path, std::string_view headers = "") {
  return absl::StrCat("HTTP/1.1 200 OK\nContent-Length: ", path.size(), "\n", headers, "\n", path);
}

TEST(HttpServer, A16_7_AConnectionServesManyRequests) {
  RunningServer server(AnswerPath);
  green::Socket client = server.Dial();
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(client.SendAll(Get(absl::StrCat("/", i, "!"))).ok());
    EXPECT_EQ(Plain(RunningServer::RecvUntil(client, "!")), Answered(absl::StrCat("/", i, "!")));
  }
  EXPECT_EQ(server.server.counts().connections, 1u);
  EXPECT_EQ(server.server.counts().requests, 50u);
}

TEST(HttpServer, B10_8_PipelinedRequestsAreAnsweredInOrder) {
  RunningServer server(AnswerPath);
  std::string requests;
  std::string answers;
  for (int i = 0; i < 100; ++i) {
    const std::string path = absl::StrCat("/", i);
    const bool last = i == 99;
    requests += Get(path, last ? "Connection: close\r\n" : "");
    answers += Answered(path, last ? "Connection: close\n" : "");
  }
  EXPECT_EQ(Plain(server.Ask(requests)), answers);
}

TEST(HttpServer, RequestsTornIntoBytesAreServed) {
  RunningServer server(AnswerPath);
  green::Socket client = server.Dial();
  for (const char byte : Get("/torn", "Connection: close\r\n")) {
    ASSERT_TRUE(client.SendAll({&byte, 1}).ok());
    Sleep();
  }
  EXPECT_EQ(Plain(RunningServer::RecvAll(client)), Answered("/torn", "Connection: close\n"));
}

TEST(HttpServer, A16_7_KeepAliveOfHttp10NeedsTheHeader) {
  RunningServer server(AnswerPath);
  EXPECT_EQ(Plain(server.Ask("GET /a HTTP/1.0\r\n\r\n" + Get("/b"))),
            Answered("/a", "Connection: close\n"));
  EXPECT_EQ(
      Plain(server.Ask("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /b HTTP/1.0\r\n\r\n")),
      Answered("/a", "Connection: keep-alive\n") + Answered("/b", "Connection: close\n"));
  EXPECT_NE(server.Ask(Get("/")).find("\r\nKeep-Alive: timeout=60\r\n"), std::string::npos);
}

TEST(HttpServer, A16_7_KeepAliveCanBeOff) {
  RunningServer server(AnswerPath, {.keep_alive_timeout = absl::ZeroDuration()});
  EXPECT_EQ(Plain(server.Ask(Get("/a") + Get("/b"))), Answered("/a", "Connection: close\n"));
}

TEST(HttpServer, A16_7_IdleConnectionsEndInTime) {
  RunningServer server(AnswerPath, {.keep_alive_timeout = absl::Milliseconds(5)});
  green::Socket client = server.Dial();
  ASSERT_TRUE(client.SendAll(Get("/a")).ok());
  EXPECT_EQ(Plain(RunningServer::RecvAll(client)), Answered("/a"));
}

TEST(HttpServer, AHeadThatDoesNotComeInTimeIsA408) {
  RunningServer server(AnswerPath, {.header_timeout = absl::Milliseconds(5)});
  green::Socket slow = server.Dial();
  ASSERT_TRUE(slow.SendAll("GET / HT").ok());
  EXPECT_EQ(FirstLine(RunningServer::RecvAll(slow)), "HTTP/1.1 408 Request Timeout");
  green::Socket silent = server.Dial();
  EXPECT_EQ(RunningServer::RecvAll(silent), "");
}

TEST(HttpServer, A16_7_AnUnreadBodyIsPassedOver) {
  RunningServer server(AnswerPath);
  const std::string body(20000, 'b');
  const std::string post =
      absl::StrCat("POST /post HTTP/1.1\r\nHost: h\r\nContent-Length: 20000\r\n\r\n", body);
  const std::string chunked =
      absl::StrCat("POST /chunked HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
                   "4e20\r\n", body, "\r\n0\r\n\r\n");
  EXPECT_EQ(Plain(server.Ask(post + chunked + Get("/next"))),
            Answered("/post") + Answered("/chunked") + Answered("/next"));
}

TEST(HttpServer, A16_7_OfALargeUnreadBodyTheConnectionEnds) {
  RunningServer server(AnswerPath);
  green::Socket client = server.Dial();
  ASSERT_TRUE(
      client.SendAll("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n").ok());
  // The answer arrives although the client has not finished, and is not lost to a reset.
  EXPECT_EQ(Plain(RunningServer::RecvUntil(client, "/x")), Answered("/x", "Connection: close\n"));
  ASSERT_TRUE(client.SendAll(std::string(1000000, 'b')).ok());
  ASSERT_TRUE(client.ShutdownSend().ok());
  EXPECT_EQ(RunningServer::RecvAll(client), "");
}

struct BadRequest {
  std::string input;
  std::string status_line;
};

TEST(HttpServer, BadRequestsAreAnsweredAndTheConnectionEnds) {
  RunningServer server(AnswerPath);
  const std::vector<BadRequest> cases = {
      {"hello\r\n", "HTTP/1.1 400 Bad Request"},
      {"GET / HTTP/1.1\n\n", "HTTP/1.1 400 Bad Request"},
      {"GET / HTTP/3.0\r\n\r\n", "HTTP/1.1 505 HTTP Version Not Supported"},
      {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request"},
      {"GET /" + std::string(9000, 'x') + " HTTP/1.1\r\n\r\n", "HTTP/1.1 414 URI Too Long"},
      {Get("/", "X: " + std::string(9000, 'x') + "\r\n"), "HTTP/1.1 400 Header Line Too Long"},
      {Get("/", "Transfer-Encoding: gzip\r\n"), "HTTP/1.1 501 Not Implemented"},
      {Get("/", "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n"), "HTTP/1.1 400 Bad Request"},
      {Get("/", "Content-Length: 999999999999\r\n"), "HTTP/1.1 413 Content Too Large"},
      {Get("/", "Expect: x\r\n"), "HTTP/1.1 417 Expectation Failed"},
  };
  for (const BadRequest& c : cases) {
    // What follows must not be taken for a request, whatever it looks like.
    const std::string answer = server.Ask(c.input + Get("/smuggled"));
    EXPECT_EQ(FirstLine(answer), c.status_line) << c.input.substr(0, 50);
    EXPECT_EQ(answer.find("smuggled"), std::string::npos) << answer;
    EXPECT_NE(answer.find("\r\nConnection: close\r\n"), std::string::npos) << answer;
  }
  EXPECT_EQ(server.server.counts().requests, cases.size());
  EXPECT_EQ(Plain(server.Ask(Get("/fine"))), Answered("/fine"));
}

TEST(HttpServer, A16_8_AnErrorBeforeTheHeadersIsA500) {
  RunningServer server([](HttpRequest&, HttpResponse& response) {
    response.headers().Set("X-Secret", "1");
    (void)response.Write("half an answer");
    throw std::runtime_error("broken");
  });
  const std::string answer = server.Ask(Get("/a?b"));
  EXPECT_EQ(FirstLine(answer), "HTTP/1.1 500 Internal Server Error");
  EXPECT_EQ(answer.find("half"), std::string::npos);
  EXPECT_EQ(answer.find("broken"), std::string::npos);
  EXPECT_EQ(answer.find("X-Secret"), std::string::npos);
  EXPECT_NE(answer.find("\r\nConnection: close\r\n"), std::string::npos);
  ASSERT_EQ(server.reports.size(), 1u);
  EXPECT_NE(server.reports[0].find("handler of GET /a?b from 127.0.0.1:"), std::string::npos);
  EXPECT_NE(server.reports[0].find("broken"), std::string::npos);
}

TEST(HttpServer, A16_8_AnErrorAfterTheHeadersAbortsTheResponse) {
  RunningServer server([](HttpRequest&, HttpResponse& response) {
    (void)response.Write("begun");
    (void)response.Flush();
    throw std::runtime_error("broken");
  });
  EXPECT_EQ(Plain(server.Ask(Get("/"))),
            "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n5\nbegun\n");
  EXPECT_EQ(server.reports.size(), 1u);
}

TEST(HttpServer, A16_8_ATimeoutCountsAsAnError) {
  RunningServer server([](HttpRequest&, HttpResponse&) {
    Timeout patience(absl::Milliseconds(1));
    Sleep(absl::Hours(1));
  });
  EXPECT_EQ(FirstLine(server.Ask(Get("/"))), "HTTP/1.1 500 Internal Server Error");
  EXPECT_EQ(server.reports.size(), 1u);
}

TEST(HttpServer, StopServeAnswersAndStops) {
  RunningServer server([](HttpRequest&, HttpResponse& response) {
    (void)response.Write("bye");
    throw StopServe();
  });
  EXPECT_EQ(Plain(server.Ask(Get("/"))), Answered("bye", "Connection: close\n"));
  EXPECT_TRUE(server.serving.Wait().ok());
  EXPECT_TRUE(server.reports.empty());
}

TEST(HttpServer, A16_12_StoppingClosesIdleConnectionsAndLetsRequestsFinish) {
  Event<> go;
  Event<> begun;
  RunningServer server([&](HttpRequest& request, HttpResponse& response) {
    if (request.path() == "/slow") {
      begun.Send();
      go.Wait();
    }
    (void)response.Write(request.path());
  });
  green::Socket idle = server.Dial();
  ASSERT_TRUE(idle.SendAll(Get("/idle")).ok());
  EXPECT_EQ(Plain(RunningServer::RecvUntil(idle, "/idle")), Answered("/idle"));
  green::Socket fresh = server.Dial();
  green::Socket busy = server.Dial();
  ASSERT_TRUE(busy.SendAll(Get("/slow") + Get("/next")).ok());
  begun.Wait();
  server.server.Stop();
  EXPECT_EQ(RunningServer::RecvAll(idle), "");
  EXPECT_EQ(RunningServer::RecvAll(fresh), "");
  EXPECT_FALSE(server.serving.Ready());
  go.Send();
  EXPECT_EQ(Plain(RunningServer::RecvUntil(busy, "/slow")),
            Answered("/slow", "Connection: close\n"));
  busy.Close();
  EXPECT_TRUE(server.serving.Wait().ok());
  EXPECT_EQ(server.server.counts().requests, 2u);
}

TEST(HttpServer, A16_12_AtTheGracesEndHandlersAreKilled) {
  Event<> begun;
  bool unwound = false;
  RunningServer server(
      [&](HttpRequest&, HttpResponse&) {
        struct Note {
          bool& flag;
          ~Note() { flag = true; }
        } note{unwound};
        begun.Send();
        Sleep(absl::Hours(1));
      },
      {.grace = absl::Milliseconds(1)});
  green::Socket client = server.Dial();
  ASSERT_TRUE(client.SendAll(Get("/")).ok());
  begun.Wait();
  server.server.Stop();
  EXPECT_TRUE(server.serving.Wait().ok());
  EXPECT_TRUE(unwound);
}

TEST(HttpServer, A16_10_ConnectionsHaveALimit) {
  Event<> go;
  int running = 0;
  int most = 0;
  RunningServer server(
      [&](HttpRequest&, HttpResponse&) {
        most = std::max(most, ++running);
        go.Wait();
        --running;
      },
      {.concurrency = 2});
  std::vector<GreenThread<std::string>> answers;
  for (int i = 0; i < 6; ++i) {
    answers.push_back(
        Spawn([&] { return FirstLine(server.Ask(Get("/", "Connection: close\r\n"))); }));
  }
  while (running < 2) Sleep();
  for (int i = 0; i < 20; ++i) Sleep();
  EXPECT_EQ(running, 2);
  go.Send();
  for (const auto& answer : answers) EXPECT_EQ(answer.Wait(), "HTTP/1.1 200 OK");
  EXPECT_EQ(most, 2);
}

TEST(HttpServer, A16_14_EachResponseIsLogged) {
  std::vector<std::string> log;
  RunningServer server(AnswerPath, {.log = [&](const HttpLogEntry& entry) {
                         EXPECT_TRUE(entry.peer.is_loopback());
                         EXPECT_GE(entry.duration, absl::ZeroDuration());
                         log.push_back(absl::StrCat(entry.method, " ", entry.target, " ",
                                                    entry.status, " ", entry.body_bytes));
                       }});
  server.Ask(Get("/a?b"));
  server.Ask("nonsense\r\n");
  ASSERT_EQ(log.size(), 2u);
  EXPECT_EQ(log[0], "GET /a?b 200 2");
  EXPECT_TRUE(log[1].starts_with("  400 ")) << log[1];
}

TEST(HttpServer, ManyClientsAtATime) {
  RunningServer server(AnswerPath);
  std::vector<GreenThread<void>> clients;
  for (int c = 0; c < 100; ++c) {
    clients.push_back(Spawn([&server, c] {
      green::Socket client = server.Dial();
      for (int i = 0; i < 20; ++i) {
        const std::string path = absl::StrCat("/", c, "/", i, "!");
        ASSERT_TRUE(client.SendAll(Get(path)).ok());
        ASSERT_EQ(Plain(RunningServer::RecvUntil(client, "!")), Answered(path));
      }
    }));
  }
  for (const auto& client : clients) client.Wait();
  EXPECT_EQ(server.server.counts().requests, 2000u);
}

TEST(HttpServer, ServesOverUnixSockets) {
  HttpServer server(AnswerPath);
  const std::string name = absl::StrCat("@verdant-http-", getpid());
  green::Socket listener = *Listen(name);
  auto serving = Spawn([&] { return server.Serve(listener); });
  green::Socket client = *green::Socket::Connect(*green::Address::Parse(name));
  ASSERT_TRUE(client.SendAll(Get("/unix")).ok());
  EXPECT_EQ(Plain(RunningServer::RecvUntil(client, "/unix")), Answered("/unix"));
  server.Stop();
  EXPECT_TRUE(serving.Wait().ok());
}

}  // namespace
}  // namespace verdant::net
