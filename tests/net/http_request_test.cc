#include "net/http_request.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "tests/net/http_server_testing.h"

namespace verdant::net {
namespace {

// Answers with what it read, or why it could not.
void Echo(HttpRequest& request, HttpResponse& response) {
  const absl::StatusOr<std::string> body = request.ReadAll(std::size_t{64} << 20);
  (void)response.Write(body.ok() ? *body : absl::StrCat("error: ", body.status().message()));
}

constexpr std::string_view kPost = "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n";

TEST(HttpRequest, TellsWhatTheClientSent) {
  std::string seen;
  green::Address peer;
  RunningServer server([&](HttpRequest& request, HttpResponse&) {
    seen = absl::StrCat(request.method(), " ", request.target(), " ", request.path(), " ",
                        request.query(), " 1.", request.version_minor(), " ",
                        request.headers().Joined("x"), " ", request.has_body(), " ",
                        request.content_length().value_or(99));
    peer = request.peer();
  });
  green::Socket client = server.Dial();
  ASSERT_TRUE(
      client.SendAll("GET /p?q HTTP/1.1\r\nHost: h\r\nX: 1\r\nx: 2\r\nConnection: close\r\n\r\n")
          .ok());
  EXPECT_EQ(FirstLine(RunningServer::RecvAll(client)), "HTTP/1.1 200 OK");
  EXPECT_EQ(seen, "GET /p?q /p q 1.1 1, 2 0 0");
  EXPECT_EQ(peer, *client.local());
}

TEST(HttpRequest, BodiesOfEitherFramingAreRead) {
  RunningServer server(Echo);
  const std::string length = server.Ask(absl::StrCat(kPost, "Content-Length: 5\r\n\r\nhello"));
  EXPECT_TRUE(length.ends_with("\r\n\r\nhello")) << length;
  const std::string chunked = server.Ask(absl::StrCat(
      kPost,
      "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nT: 1\r\n\r\n"));
  EXPECT_TRUE(chunked.ends_with("\r\n\r\nhello world")) << chunked;
  const std::string none = server.Ask(absl::StrCat(kPost, "\r\n"));
  EXPECT_TRUE(none.ends_with("Content-Length: 0\r\nConnection: close\r\n\r\n")) << none;
}

TEST(HttpRequest, LargeBodiesPassWholeWhateverTheReadersBuffer) {
  std::string body(3 << 20, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i % 251);
  for (const std::size_t size : {std::size_t{100}, std::size_t{4096}, std::size_t{100000}}) {
    std::string read;
    RunningServer server([&](HttpRequest& request, HttpResponse&) {
      std::vector<char> buffer(size);
      for (;;) {
        const absl::StatusOr<std::size_t> got = request.Read(buffer);
        ASSERT_TRUE(got.ok()) << got.status();
        if (*got == 0) break;
        read.append(buffer.data(), *got);
      }
    });
    server.Ask(absl::StrCat(kPost, "Content-Length: ", body.size(), "\r\n\r\n", body));
    EXPECT_TRUE(read == body) << size;
    read.clear();
    std::string chunks;
    for (std::size_t at = 0; at < body.size(); at += 70000) {
      const std::string chunk = body.substr(at, 70000);
      absl::StrAppend(&chunks, absl::Hex(chunk.size()), "\r\n", chunk, "\r\n");
    }
    server.Ask(absl::StrCat(kPost, "Transfer-Encoding: chunked\r\n\r\n", chunks, "0\r\n\r\n"));
    EXPECT_TRUE(read == body) << size;
  }
}

TEST(HttpRequest, A16_5_TheClientIsLetContinueWhenTheBodyIsFirstRead) {
  RunningServer server(Echo);
  green::Socket client = server.Dial();
  const std::string head =
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(client.SendAll(head).ok());
    EXPECT_EQ(RunningServer::RecvUntil(client, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    ASSERT_TRUE(client.SendAll("ok").ok());
    EXPECT_EQ(FirstLine(RunningServer::RecvUntil(client, "\r\n\r\nok")), "HTTP/1.1 200 OK");
  }
}

TEST(HttpRequest, A16_5_NeverLetContinueTheConnectionEnds) {
  RunningServer server([](HttpRequest&, HttpResponse& response) { response.SetStatus(403); });
  const std::string answer =
      server.Ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(Plain(answer), "HTTP/1.1 403 Forbidden\nContent-Length: 0\nConnection: close\n\n");
}

TEST(HttpRequest, ABodyErrorIsTheHandlersToSee) {
  RunningServer server(Echo, {.limits = {.body = 10}, .io_timeout = absl::Milliseconds(5)});
  const std::string malformed =
      server.Ask(absl::StrCat(kPost, "Transfer-Encoding: chunked\r\n\r\nxyz\r\n"));
  EXPECT_NE(malformed.find("malformed chunk size"), std::string::npos) << malformed;
  const std::string large =
      server.Ask(absl::StrCat(kPost, "Transfer-Encoding: chunked\r\n\r\nfff\r\n"));
  EXPECT_NE(large.find("the request body is too large"), std::string::npos) << large;
  const std::string cut = server.Ask(absl::StrCat(kPost, "Content-Length: 5\r\n\r\nhe"));
  EXPECT_NE(cut.find("the client went away before its end"), std::string::npos) << cut;
  green::Socket slow = server.Dial();
  ASSERT_TRUE(slow.SendAll(absl::StrCat(kPost, "Content-Length: 5\r\n\r\nhe")).ok());
  const std::string late = RunningServer::RecvAll(slow);
  EXPECT_NE(late.find("timed out"), std::string::npos) << late;
}

TEST(HttpRequest, ABodyErrorTheHandlerPassesOverIsAnswered) {
  RunningServer server([](HttpRequest& request, HttpResponse&) { (void)request.ReadAll(1000); },
                       {.limits = {.body = 10}, .io_timeout = absl::Milliseconds(5)});
  EXPECT_EQ(FirstLine(server.Ask(absl::StrCat(kPost, "Transfer-Encoding: chunked\r\n\r\nxyz\r\n"))),
            "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(FirstLine(server.Ask(absl::StrCat(kPost, "Transfer-Encoding: chunked\r\n\r\nfff\r\n"))),
            "HTTP/1.1 413 Content Too Large");
  EXPECT_EQ(FirstLine(server.Ask(absl::StrCat(kPost, "Content-Length: 11\r\n\r\n"))),
            "HTTP/1.1 413 Content Too Large");
  green::Socket slow = server.Dial();
  ASSERT_TRUE(slow.SendAll(absl::StrCat(kPost, "Content-Length: 5\r\n\r\n")).ok());
  EXPECT_EQ(FirstLine(RunningServer::RecvAll(slow)), "HTTP/1.1 408 Request Timeout");
}

TEST(HttpRequest, TheHandlersOwnDeadlineMayBeTriedAgain) {
  std::string read;
  RunningServer server([&](HttpRequest& request, HttpResponse& response) {
    std::array<char, 10> buffer;
    EXPECT_TRUE(absl::IsDeadlineExceeded(request.Read(buffer, absl::Milliseconds(1)).status()));
    ASSERT_TRUE(response.Flush().ok());
    const absl::StatusOr<std::size_t> got = request.Read(buffer);
    ASSERT_TRUE(got.ok());
    read.assign(buffer.data(), *got);
  });
  green::Socket client = server.Dial();
  ASSERT_TRUE(client.SendAll("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n").ok());
  RunningServer::RecvUntil(client, "\r\n\r\n");
  ASSERT_TRUE(client.SendAll("late").ok());
  RunningServer::RecvUntil(client, "0\r\n\r\n");
  EXPECT_EQ(read, "late");
}

TEST(HttpRequest, ReadAllHasALimit) {
  absl::Status status;
  RunningServer server(
      [&](HttpRequest& request, HttpResponse&) { status = request.ReadAll(4).status(); });
  server.Ask(absl::StrCat(kPost, "Content-Length: 4\r\n\r\n1234"));
  EXPECT_TRUE(status.ok()) << status;
  server.Ask(absl::StrCat(kPost, "Content-Length: 5\r\n\r\n12345"));
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace verdant::net
