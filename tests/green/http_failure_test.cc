// What green::http does when servers misbehave.
#include <sys/socket.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "green/http.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/timeout.h"
#include "net/listen.h"
#include "tests/testing/compress.h"
#include "tests/testing/loopback_server.h"

namespace verdant::green::http {
namespace {

using testing::RawServer;
using testing::WebServer;

// A server that reads a request's head, sends `bytes` and then closes.
net::ConnectionHandler Sending(std::string bytes) {
  return [bytes](green::Socket& connection) {
    testing::ReceiveHead(connection);
    (void)connection.SendAll(bytes);
    (void)connection.ShutdownSend();
    testing::AwaitEnd(connection);
  };
}

// Fetches, expects that kind of failure and that the message is one line of method, URL and cause,
// and returns the cause.
std::string CauseOf(Client& client, const Request& request, Failure failure,
                    Response* response = nullptr) {
  Response unused;
  const absl::Status status = client.Fetch(request, response != nullptr ? *response : unused);
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(FailureName(FailureOf(status)), FailureName(failure)) << status;
  const std::string where = absl::StrCat(request.method, " ", request.url, ": ");
  EXPECT_TRUE(absl::StartsWith(status.message(), where)) << status;
  EXPECT_GT(status.message().size(), where.size());
  EXPECT_FALSE(absl::StrContains(status.message(), "\n")) << status;
  return std::string(status.message().substr(std::min(where.size(), status.message().size())));
}

std::string CauseOf(const Request& request, Failure failure, Response* response = nullptr) {
  Client client;
  return CauseOf(client, request, failure, response);
}

TEST(HttpFailure, ARefusedConnection) {
  const std::uint16_t port = testing::RefusingPort();
  const std::string cause =
      CauseOf({.url = absl::StrCat("http://127.0.0.1:", port, "/")}, Failure::kConnect);
  EXPECT_TRUE(absl::StrContains(cause, absl::StrCat(port))) << cause;
}

TEST(HttpFailure, AnUnknownHost) {
  const std::string cause = CauseOf({.url = "http://no-such-host.invalid/"}, Failure::kDns);
  EXPECT_TRUE(absl::StrContains(cause, "no-such-host.invalid")) << cause;
}

TEST(HttpFailure, WhatIsNoHttpUrl) {
  for (const std::string_view url :
       {"", "http://", "no-scheme", "ftp://127.0.0.1/", "file:///etc/passwd", "http://h:99999/",
        "http://a b/", "gopher://x/"}) {
    CauseOf({.url = std::string(url)}, Failure::kBadUrl);
  }
}

TEST(HttpFailure, ARedirectToWhatIsNoHttpUrl) {
  for (const std::string_view location : {"ftp://127.0.0.1/", "file:///etc/passwd"}) {
    RawServer server(Sending(absl::StrCat("HTTP/1.1 302 Found\r\nLocation: ", location,
                                          "\r\nContent-Length: 0\r\n\r\n")));
    CauseOf({.url = server.Url("/")}, Failure::kBadUrl);
  }
}

TEST(HttpFailure, AResetAmidTheBody) {
  RawServer server([](green::Socket& connection) {
    testing::ReceiveHead(connection);
    (void)connection.SendAll("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    testing::Reset(connection);
  });
  Response response;
  CauseOf({.url = server.Url("/")}, Failure::kReset, &response);
}

TEST(HttpFailure, AnEndBeforeTheBodysEnd) {
  for (const std::string_view bytes :
       {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"}) {
    RawServer server(Sending(std::string(bytes)));
    Response response;
    CauseOf({.url = server.Url("/")}, Failure::kReset, &response);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "half");
  }
}

TEST(HttpFailure, AnEndBeforeTheResponse) {
  RawServer nothing(Sending(""));
  CauseOf({.url = nothing.Url("/")}, Failure::kReset);
  RawServer reset([](green::Socket& connection) {
    testing::ReceiveHead(connection);
    testing::Reset(connection);
  });
  CauseOf({.url = reset.Url("/")}, Failure::kReset);
  RawServer cut(Sending("HTTP/1.1 200 OK\r\nContent-Le"));
  CauseOf({.url = cut.Url("/")}, Failure::kReset);
}

TEST(HttpFailure, WhatIsNoHttp) {
  for (const std::string_view bytes :
       {"SSH-2.0-OpenSSH_9.2\r\n", "<html>no header at all</html>", "HTTP/1.1 abc\r\n\r\n",
        "HTTP/9.9 200 OK\r\n\r\n", "\1\2\3\4\5\6\7\10\r\n\r\n"}) {
    RawServer server(Sending(std::string(bytes)));
    CauseOf({.url = server.Url("/")}, Failure::kProtocol);
  }
}

TEST(HttpFailure, AMalformedFrame) {
  for (const std::string_view headers :
       {"Content-Length: 5, 6", "Content-Length: -1", "Transfer-Encoding: chunked\r\n\r\nxyz"}) {
    RawServer server(Sending(absl::StrCat("HTTP/1.1 200 OK\r\n", headers, "\r\n\r\nhello")));
    CauseOf({.url = server.Url("/")}, Failure::kProtocol);
  }
}

TEST(HttpFailure, AHeaderOfFiveMegabytes) {
  const std::string big(5'000'000, 'h');
  for (const std::string& bytes :
       {absl::StrCat("HTTP/1.1 200 OK\r\nX-Big: ", big, "\r\n\r\n"),
        absl::StrCat("HTTP/1.1 200 OK\r\n", big), absl::StrCat("HTTP/1.1 200 ", big)}) {
    RawServer server(Sending(bytes));
    const std::string cause = CauseOf({.url = server.Url("/")}, Failure::kTooLarge);
    EXPECT_TRUE(absl::StrContains(cause, "header")) << cause;
  }
}

TEST(HttpFailure, ManyHeadersBeyondTheLimit) {
  std::string bytes = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 1000; ++i)
    absl::StrAppend(&bytes, "X-", i, ": ", std::string(80, 'x'), "\r\n");
  absl::StrAppend(&bytes, "Content-Length: 0\r\n\r\n");
  RawServer server(Sending(bytes));
  const std::string cause =
      CauseOf({.url = server.Url("/"), .max_header_bytes = 50'000}, Failure::kTooLarge);
  EXPECT_TRUE(absl::StrContains(cause, "50000")) << cause;
  Client client;
  EXPECT_TRUE(client.Fetch({.url = server.Url("/")}).ok());
}

TEST(HttpFailure, EndlessRedirects) {
  WebServer server([](net::HttpRequest& request, net::HttpResponse& response) {
    response.SetStatus(302);
    response.headers().Add("Location", absl::StrCat(request.target(), "x"));
  });
  Response response;
  const std::string cause =
      CauseOf({.url = server.Url("/"), .max_redirects = 7}, Failure::kRedirects, &response);
  EXPECT_TRUE(absl::StrContains(cause, "7")) << cause;
  EXPECT_EQ(server.counts().requests, 8u);
}

TEST(HttpFailure, ABodyBeyondTheLimit) {
  WebServer server([](net::HttpRequest& request, net::HttpResponse& response) {
    if (request.target() == "/known") response.headers().Add("Content-Length", "10001");
    for (int i = 0; i < 10'001; ++i) {
      if (!response.Write("b").ok()) return;
    }
  });
  for (const std::string_view target : {"/known", "/unknown"}) {
    Response response;
    const std::string cause = CauseOf({.url = server.Url(target), .max_body_bytes = 10'000},
                                      Failure::kTooLarge, &response);
    EXPECT_TRUE(absl::StrContains(cause, "10000")) << cause;
    EXPECT_EQ(response.status, 200);
    EXPECT_LE(response.body.size(), 10'000u);
    Client client;
    EXPECT_TRUE(client.Fetch({.url = server.Url(target), .max_body_bytes = 10'001}).ok());
  }
}

TEST(HttpFailure, ABodyThatIsAnnouncedBeyondTheLimitIsNotWaitedFor) {
  RawServer server([](green::Socket& connection) {
    const bool head = absl::StartsWith(testing::ReceiveHead(connection), "HEAD");
    (void)connection.SendAll("HTTP/1.1 200 OK\r\nContent-Length: 5000000000\r\n\r\n");
    if (!head) testing::AwaitEnd(connection);
  });
  Response response;
  CauseOf({.url = server.Url("/")}, Failure::kTooLarge, &response);
  EXPECT_EQ(response.status, 200);
  Client client;
  EXPECT_TRUE(client.Fetch({.url = server.Url("/"), .method = "HEAD"}).ok());
}

TEST(HttpFailure, ABodyThatUnpacksBeyondTheLimit) {
  const std::string bomb = testing::Gzip(std::string(50'000'000, '\0'));
  ASSERT_LT(bomb.size(), 100'000u);
  WebServer server([&bomb](net::HttpRequest&, net::HttpResponse& response) {
    response.headers().Add("Content-Encoding", "gzip");
    (void)response.Write(bomb);
  });
  Response response;
  CauseOf({.url = server.Url("/"), .max_body_bytes = 1'000'000}, Failure::kTooLarge, &response);
  EXPECT_LE(response.body.size(), 1'000'000u);
}

TEST(HttpFailure, AnEncodingThatIsNone) {
  const std::string good = testing::Gzip("some text to be compressed");
  std::string corrupt = good;
  corrupt[good.size() / 2] = static_cast<char>(corrupt[good.size() / 2] ^ 0x55);
  for (const auto& [encoding, body] :
       std::vector<std::pair<std::string, std::string>>{{"gzip", "not gzip at all"},
                                                        {"gzip", corrupt},
                                                        {"rot13", "uryyb"},
                                                        {"br", "\xFF\xFF\xFF\xFF"},
                                                        {"zstd", "nothing like zstd"},
                                                        {"deflate", "neither"}}) {
    RawServer server(Sending(absl::StrCat("HTTP/1.1 200 OK\r\nContent-Encoding: ", encoding,
                                          "\r\nContent-Length: ", body.size(), "\r\n\r\n", body)));
    CauseOf({.url = server.Url("/")}, Failure::kEncoding);
  }
}

TEST(HttpFailure, ABodyThatIsTooSlow) {
  RawServer server([](green::Socket& connection) {
    testing::ReceiveHead(connection);
    (void)connection.SendAll("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    testing::AwaitEnd(connection);
  });
  Response response;
  CauseOf({.url = server.Url("/"), .timeout = absl::Milliseconds(50)}, Failure::kTimeout,
          &response);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "half");
  CauseOf({.url = server.Url("/"), .min_bytes_per_second = 1000, .slow_for = absl::Milliseconds(1)},
          Failure::kTimeout);
}

TEST(HttpFailure, AServerThatNeverAnswers) {
  RawServer server([](green::Socket& connection) { testing::AwaitEnd(connection); });
  CauseOf({.url = server.Url("/"), .timeout = absl::Milliseconds(50)}, Failure::kTimeout);
}

TEST(HttpFailure, AServerThatNeverAccepts) {
  // A full backlog drops further attempts.
  absl::StatusOr<green::Socket> listener = net::Listen("127.0.0.1:0", {.backlog = 0});
  ASSERT_TRUE(listener.ok());
  std::vector<green::Socket> queued;
  for (int i = 0; i < 3; ++i) {
    absl::StatusOr<green::Socket> connected =
        green::Socket::Connect(*listener->local(), absl::Milliseconds(50));
    if (connected.ok()) queued.push_back(*std::move(connected));
  }
  CauseOf({.url = absl::StrCat("http://127.0.0.1:", listener->local()->port(), "/"),
           .connect_timeout = absl::Milliseconds(50)},
          Failure::kTimeout);
}

TEST(HttpFailure, AnAddressThatTheFilterRefuses) {
  WebServer server([](net::HttpRequest&, net::HttpResponse&) {});
  std::vector<int> families;
  ClientOptions options;
  options.address_filter = [&families](const sockaddr* address, socklen_t) {
    families.push_back(address->sa_family);
    return absl::PermissionDeniedError("that is loopback");
  };
  Client client(options);
  EXPECT_EQ(CauseOf(client, {.url = server.Url("/")}, Failure::kBlocked), "that is loopback");
  EXPECT_EQ(families, std::vector<int>{AF_INET});
  // A name leads there too, and so does another spelling.
  for (const std::string_view host : {"localhost", "0x7f.1", "2130706433"}) {
    CauseOf(client, {.url = absl::StrCat("http://", host, ":", server.port(), "/")},
            Failure::kBlocked);
  }
  EXPECT_EQ(server.counts().connections, 0u);
}

TEST(HttpFailure, ARedirectToAnAddressThatTheFilterRefuses) {
  WebServer inner([](net::HttpRequest&, net::HttpResponse&) {});
  WebServer outer([&inner](net::HttpRequest&, net::HttpResponse& response) {
    response.SetStatus(302);
    response.headers().Add("Location", inner.Url("/secret"));
  });
  ClientOptions options;
  options.address_filter = [&inner](const sockaddr* address, socklen_t) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    return ntohs(v4->sin_port) == inner.port() ? absl::PermissionDeniedError("not there")
                                               : absl::OkStatus();
  };
  Client client(options);
  CauseOf(client, {.url = outer.Url("/")}, Failure::kBlocked);
  EXPECT_EQ(inner.counts().connections, 0u);
}

TEST(HttpFailure, AKillAmidTheTransferClosesTheConnection) {
  Event<> begun;
  Event<> closed;
  RawServer server([&](green::Socket& connection) {
    testing::ReceiveHead(connection);
    (void)connection.SendAll("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    testing::AwaitEnd(connection);
    closed.Send();
  });
  WebServer good(
      [](net::HttpRequest&, net::HttpResponse& response) { (void)response.Write("ok"); });
  Client client;
  Request request = {.url = server.Url("/")};
  request.on_body = [&begun](std::string_view) {
    if (!begun.Ready()) begun.Send();
    return absl::OkStatus();
  };
  auto fetch = Spawn([&] { return client.Fetch(request).ok(); });
  begun.Wait();
  fetch.Kill();
  EXPECT_TRUE(fetch.Ready());
  EXPECT_FALSE(fetch.Successful());
  closed.Wait();
  EXPECT_EQ(client.Fetch({.url = good.Url("/")})->body, "ok");
}

TEST(HttpFailure, ATimeoutAmidTheTransferClosesTheConnection) {
  Event<> closed;
  RawServer server([&](green::Socket& connection) {
    testing::AwaitEnd(connection);
    closed.Send();
  });
  Client client;
  {
    Timeout patience(absl::Milliseconds(20));
    EXPECT_THROW(client.Fetch({.url = server.Url("/")}).IgnoreError(), TimeoutExpired);
  }
  closed.Wait();
  EXPECT_EQ(server.connections(), 1u);
}

TEST(HttpFailure, ManyKilledAtOnceLeaveTheRestAlone) {
  WebServer server([](net::HttpRequest& request, net::HttpResponse& response) {
    if (request.target() == "/slow") Sleep(absl::Hours(1));
    (void)response.Write("ok");
  });
  Client client;
  std::vector<AnyGreenThread> slow;
  for (int i = 0; i < 50; ++i) {
    slow.push_back(Spawn([&] { client.Fetch({.url = server.Url("/slow")}).IgnoreError(); }));
  }
  std::vector<GreenThread<bool>> quick;
  for (int i = 0; i < 50; ++i) {
    quick.push_back(Spawn([&] { return client.Fetch({.url = server.Url("/")}).ok(); }));
  }
  Sleep();
  EXPECT_TRUE(KillAll(slow));
  for (auto& fetch : quick) EXPECT_TRUE(fetch.Wait());
}

}  // namespace
}  // namespace verdant::green::http
