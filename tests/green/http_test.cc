#include "green/http.h"

#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "tests/testing/compress.h"
#include "tests/testing/loopback_server.h"

namespace verdant::green::http {
namespace {

using testing::RawServer;
using testing::WebServer;

// What a server was asked, as text: request line, headers, body.
void Echo(net::HttpRequest& request, net::HttpResponse& response) {
  std::string seen = absl::StrCat(request.method(), " ", request.target(), "\n");
  for (const auto& field : request.headers()) {
    absl::StrAppend(&seen, field.name, ": ", field.value, "\n");
  }
  absl::StrAppend(&seen, "\n", *request.ReadAll(1 << 20));
  (void)response.Write(seen);
}

TEST(Http, AResponseHasEverythingThatCame) {
  WebServer server([](net::HttpRequest& request, net::HttpResponse& response) {
    EXPECT_EQ(request.target(), "/page?q=1");
    response.headers().Add("Content-Type", "text/plain");
    response.headers().Add("X-Many", "one");
    response.headers().Add("X-Many", "two");
    (void)response.Write("hello");
  });
  Client client;
  const absl::StatusOr<Response> response = client.Fetch({.url = server.Url("/page?q=1#part")});
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "hello");
  EXPECT_EQ(response->body_bytes, 5);
  EXPECT_EQ(response->wire_bytes, 5);
  EXPECT_EQ(response->redirects, 0);
  EXPECT_EQ(response->http_version, 11);
  EXPECT_EQ(response->peer_ip, "127.0.0.1");
  EXPECT_GT(response->elapsed, absl::ZeroDuration());
  EXPECT_EQ(response->Get("content-TYPE"), "text/plain");
  EXPECT_EQ(response->Get("x-many"), "one");
  EXPECT_EQ(response->Get("absent"), "");
}

TEST(Http, AnyStatusLineIsASuccess) {
  WebServer server([](net::HttpRequest& request, net::HttpResponse& response) {
    int status = 0;
    ASSERT_TRUE(absl::SimpleAtoi(request.target().substr(1), &status));
    response.SetStatus(status);
  });
  Client client;
  for (const int status : {200, 204, 304, 403, 404, 410, 429, 500, 503, 599}) {
    const absl::StatusOr<Response> response =
        client.Fetch({.url = server.Url(absl::StrCat("/", status))});
    ASSERT_TRUE(response.ok()) << response.status();
    EXPECT_EQ(response->status, status);
  }
}

TEST(Http, OneConnectionServesOneRequestAfterAnother) {
  WebServer server([](net::HttpRequest& request, net::HttpResponse& response) {
    (void)response.Write(request.target());
  });
  Client client;
  for (int i = 0; i < 20; ++i) {
    const std::string target = absl::StrCat("/", i);
    EXPECT_EQ(client.Fetch({.url = server.Url(target)})->body, target);
  }
  EXPECT_EQ(server.counts().connections, 1u);
  EXPECT_EQ(server.counts().requests, 20u);
}

TEST(Http, AConnectionThatTheServerGaveUpIsMadeAnew) {
  RawServer server([](green::Socket& connection) {
    testing::ReceiveHead(connection);
    (void)connection.SendAll("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  Client client;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(client.Fetch({.url = server.Url("/")})->body, "ok");
  EXPECT_EQ(server.connections(), 5u);
}

TEST(Http, DecodesWhatItOffersToDecode) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) absl::StrAppend(&text, "line ", i % 100, "\n");
  const std::vector<std::pair<std::string, std::string>> encodings = {
      {"gzip", testing::Gzip(text)},
      {"deflate", testing::Deflate(text)},
      {"br", testing::Brotli(text)},
      {"zstd", testing::Zstd(text)}};
  WebServer server([&](net::HttpRequest& request, net::HttpResponse& response) {
    const std::string accepted = request.headers().Joined("accept-encoding");
    for (const auto& [name, body] : encodings) {
      EXPECT_TRUE(absl::StrContains(accepted, name)) << accepted;
      if (request.target().substr(1) != name) continue;
      response.headers().Add("Content-Encoding", name);
      (void)response.Write(body);
    }
  });
  Client client;
  for (const auto& [name, body] : encodings) {
    const absl::StatusOr<Response> response =
        client.Fetch({.url = server.Url(absl::StrCat("/", name))});
    ASSERT_TRUE(response.ok()) << response.status();
    EXPECT_TRUE(response->body == text) << name;
    EXPECT_EQ(response->body_bytes, static_cast<std::int64_t>(text.size()));
    EXPECT_EQ(response->wire_bytes, static_cast<std::int64_t>(body.size()));
  }
}

// "/N" leads to "/N-1", "/0" answers.
void CountDown(net::HttpRequest& request, net::HttpResponse& response) {
  int left = 0;
  ASSERT_TRUE(absl::SimpleAtoi(request.target().substr(1), &left));
  if (left == 0) {
    (void)response.Write(request.method());
    return;
  }
  response.SetStatus(302);
  response.headers().Add("Location", absl::StrCat(left - 1));
}

TEST(Http, RedirectsAreFollowed) {
  WebServer server(CountDown);
  Client client;
  const absl::StatusOr<Response> response =
      client.Fetch({.url = server.Url("/3"), .max_redirects = 3});
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->url, server.Url("/0"));
  EXPECT_EQ(response->redirects, 3);
  EXPECT_EQ(response->Get("location"), "");
}

TEST(Http, WithoutRedirectsOneIsAResponseLikeAnyOther) {
  WebServer server(CountDown);
  Client client;
  int reported = 0;
  Request request = {.url = server.Url("/3"), .max_redirects = 0};
  request.on_headers = [&](const Response& response) {
    reported = response.status;
    return absl::OkStatus();
  };
  const absl::StatusOr<Response> response = client.Fetch(request);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->status, 302);
  EXPECT_EQ(response->Get("Location"), "2");
  EXPECT_EQ(reported, 302);
}

TEST(Http, OnlyAMethodThatMayChangeDoesOnARedirect) {
  WebServer server([](net::HttpRequest& request, net::HttpResponse& response) {
    if (request.target() == "/end") return Echo(request, response);
    int status = 0;
    ASSERT_TRUE(absl::SimpleAtoi(request.target().substr(1), &status));
    response.SetStatus(status);
    response.headers().Add("Location", "/end");
  });
  Client client;
  const auto after = [&](std::string method, std::string body, int status) {
    const absl::StatusOr<Response> response = client.Fetch(
        {.url = server.Url(absl::StrCat("/", status)), .method = method, .body = body});
    EXPECT_TRUE(response.ok()) << response.status();
    return response->body.substr(0, response->body.find(' ')) +
           response->body.substr(response->body.rfind('\n'));
  };
  // RFC 9110, section 15.4: 303 asks for a GET, and 301 and 302 get one in place of a POST.
  EXPECT_EQ(after("POST", "data", 303), "GET\n");
  EXPECT_EQ(after("POST", "data", 302), "GET\n");
  EXPECT_EQ(after("POST", "data", 301), "GET\n");
  EXPECT_EQ(after("PUT", "data", 303), "GET\n");
  EXPECT_EQ(after("DELETE", "", 303), "GET\n");
  EXPECT_EQ(after("POST", "data", 307), "POST\ndata");
  EXPECT_EQ(after("PUT", "data", 308), "PUT\ndata");
  EXPECT_EQ(after("PUT", "data", 302), "PUT\ndata");
}

TEST(Http, MethodsHeadersAndBodiesAreSentAsGiven) {
  WebServer server(Echo);
  Client client({.user_agent = "Tester/1 (+http://example.org)"});
  const auto sent = [&](Request request) {
    request.url = server.Url("/x");
    const absl::StatusOr<Response> response = client.Fetch(request);
    EXPECT_TRUE(response.ok()) << response.status();
    return response->body;
  };
  const std::string get = sent({});
  EXPECT_TRUE(absl::StartsWith(get, "GET /x\n")) << get;
  EXPECT_TRUE(absl::StrContains(get, "User-Agent: Tester/1 (+http://example.org)\n")) << get;
  EXPECT_FALSE(absl::StrContains(get, "Content-Length")) << get;

  const std::string_view binary("a\0b\r\n\xFF", 6);
  const std::string post = sent({.method = "POST", .body = std::string(binary)});
  EXPECT_TRUE(absl::StartsWith(post, "POST /x\n")) << post;
  EXPECT_TRUE(absl::EndsWith(post, absl::StrCat("\n\n", binary))) << post;
  EXPECT_TRUE(absl::StrContains(sent({.method = "POST"}), "Content-Length: 0\n"));
  EXPECT_TRUE(absl::StartsWith(sent({.method = "DELETE"}), "DELETE /x\n"));
  EXPECT_TRUE(absl::EndsWith(sent({.method = "PATCH", .body = "p"}), "\n\np"));
  EXPECT_TRUE(absl::StrContains(sent({.method = "POST", .body = std::string(100'000, 'b')}),
                                "Content-Length: 100000\n"));

  const std::string headers =
      sent({.headers = {{"X-One", "1"}, {"X-None", ""}, {"Accept", "a/b"}}});
  EXPECT_TRUE(absl::StrContains(headers, "X-One: 1\n")) << headers;
  EXPECT_TRUE(absl::StrContains(headers, "X-None: \n")) << headers;
  EXPECT_TRUE(absl::StrContains(headers, "Accept: a/b\n")) << headers;
  EXPECT_FALSE(absl::StrContains(headers, "*/*")) << headers;

  const absl::StatusOr<Response> head = client.Fetch({.url = server.Url("/x"), .method = "HEAD"});
  ASSERT_TRUE(head.ok()) << head.status();
  EXPECT_EQ(head->body, "");
  EXPECT_NE(head->Get("content-length"), "0");
  // The connection is in order after it.
  EXPECT_TRUE(absl::StartsWith(sent({}), "GET /x\n"));
}

TEST(Http, WhatWouldBreakOutOfARequestIsRefused) {
  WebServer server(Echo);
  Client client;
  const std::vector<Request> smuggled = {{.headers = {{"X", "1\r\nY: 2"}}},
                                         {.headers = {{"X\r\nY", "1"}}},
                                         {.headers = {{"X", std::string(1, 0)}}},
                                         {.headers = {{"", "1"}}},
                                         {.headers = {{"X: 1", "2"}}},
                                         {.headers = {{"X y", "2"}}},
                                         {.method = "GET /y HTTP/1.1\r\nX:"},
                                         {.method = ""},
                                         {.method = "GET "},
                                         {.headers = {{"X", "1\nY: 2"}}}};
  for (Request request : smuggled) {
    request.url = server.Url("/");
    const absl::Status status = client.Fetch(request).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), server.Url("/"))) << status;
    EXPECT_FALSE(absl::StrContains(status.message(), "\r")) << status;
  }
  EXPECT_EQ(server.counts().requests, 0u);
}

TEST(Http, HeadersAreReportedOnceAndBeforeTheBody) {
  RawServer server([](green::Socket& connection) {
    if (absl::StrContains(testing::ReceiveHead(connection), "GET /start ")) {
      (void)connection.SendAll(
          "HTTP/1.1 302 Found\r\nLocation: /end\r\nContent-Length: 1\r\n\r\nx");
      testing::ReceiveHead(connection);
    }
    (void)connection.SendAll(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </s.css>\r\n\r\n"
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-After\r\n\r\n"
        "3\r\none\r\n3\r\ntwo\r\n0\r\nX-After: late\r\n\r\n");
    testing::AwaitEnd(connection);
  });
  Client client;
  std::string events;
  Request request = {.url = server.Url("/start")};
  request.on_headers = [&](const Response& response) {
    absl::StrAppend(&events, "headers ", response.status, response.Get("link"), ";");
    return absl::OkStatus();
  };
  request.on_body = [&](std::string_view piece) {
    absl::StrAppend(&events, piece, ";");
    return absl::OkStatus();
  };
  const absl::StatusOr<Response> response = client.Fetch(request);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(events, "headers 200;one;two;");
  EXPECT_EQ(response->body, "");
  EXPECT_EQ(response->body_bytes, 6);
  EXPECT_EQ(response->Get("x-after"), "late");
  EXPECT_EQ(response->redirects, 1);
}

TEST(Http, CallbacksMayEndTheTransfer) {
  WebServer server(Echo);
  Client client;
  Request request = {.url = server.Url("/")};
  request.on_headers = [](const Response& response) {
    return absl::AbortedError(absl::StrCat("no use for a ", response.status));
  };
  Response response;
  absl::Status status = client.Fetch(request, response);
  EXPECT_TRUE(absl::IsAborted(status)) << status;
  EXPECT_EQ(status.message(), absl::StrCat("GET ", server.Url("/"), ": no use for a 200"));
  EXPECT_EQ(FailureOf(status), Failure::kStopped);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "");

  request.on_headers = nullptr;
  request.on_body = [](std::string_view) { return absl::DataLossError("disk full"); };
  status = client.Fetch(request, response);
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_TRUE(absl::EndsWith(status.message(), ": disk full")) << status;
  EXPECT_EQ(FailureOf(status), Failure::kStopped);
}

TEST(Http, WhatACallbackThrowsComesOutOfFetch) {
  WebServer server(Echo);
  Client client;
  Request request = {.url = server.Url("/")};
  request.on_headers = [](const Response&) -> absl::Status { throw std::runtime_error("headers"); };
  EXPECT_THROW(client.Fetch(request).IgnoreError(), std::runtime_error);
  request.on_headers = nullptr;
  request.on_body = [](std::string_view) -> absl::Status { throw std::runtime_error("body"); };
  EXPECT_THROW(client.Fetch(request).IgnoreError(), std::runtime_error);
  EXPECT_TRUE(client.Fetch({.url = server.Url("/")}).ok());
}

TEST(Http, FiveHundredFetchesRunAtOnce) {
  // Each request is answered once all have come.
  constexpr int kFetches = 500;
  int waiting = 0;
  Event<> all;
  WebServer server([&](net::HttpRequest& request, net::HttpResponse& response) {
    if (++waiting == kFetches) all.Send();
    all.Wait();
    (void)response.Write(request.target());
  });
  Client client;
  std::vector<GreenThread<std::string>> fetches;
  for (int i = 0; i < kFetches; ++i) {
    fetches.push_back(Spawn([&, i] {
      const absl::StatusOr<Response> response =
          client.Fetch({.url = server.Url(absl::StrCat("/", i))});
      return response.ok() ? response->body : response.status().ToString();
    }));
  }
  for (int i = 0; i < kFetches; ++i) {
    EXPECT_EQ(fetches[static_cast<std::size_t>(i)].Wait(), absl::StrCat("/", i));
  }
}

TEST(Http, ConnectionsToOneHostAreLimited) {
  WebServer server([](net::HttpRequest&, net::HttpResponse& response) {
    Sleep();
    (void)response.Write("x");
  });
  Client client({.max_connections_per_host = 3});
  std::vector<GreenThread<bool>> fetches;
  for (int i = 0; i < 50; ++i) {
    fetches.push_back(Spawn([&] { return client.Fetch({.url = server.Url("/")}).ok(); }));
  }
  for (auto& fetch : fetches) EXPECT_TRUE(fetch.Wait());
  EXPECT_LE(server.counts().connections, 3u);
}

TEST(Http, TheThreadsOwnClientServesGet) {
  WebServer server(Echo);
  const absl::StatusOr<Response> response = Get(server.Url("/own"));
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_TRUE(absl::StartsWith(response->body, "GET /own\n"));
  EXPECT_EQ(&Client::Current(), &Client::Current());
}

TEST(Http, EveryFailureHasAName) {
  for (int i = 0; i <= static_cast<int>(Failure::kOther); ++i) {
    EXPECT_FALSE(FailureName(static_cast<Failure>(i)).empty());
  }
  EXPECT_EQ(FailureName(Failure::kRedirects), "redirects");
  EXPECT_EQ(FailureOf(absl::OkStatus()), Failure::kNone);
  EXPECT_EQ(FailureOf(absl::InternalError("elsewhere")), Failure::kOther);
}

}  // namespace
}  // namespace verdant::green::http
