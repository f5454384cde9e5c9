#include "net/http_response.h"

#include <sys/socket.h>

#include <stdexcept>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/net/http_server_testing.h"

namespace verdant::net {
namespace {

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr std::string_view kHead = "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr std::string_view kGet10 = "GET / HTTP/1.0\r\n\r\n";

std::string Answer(HttpServer::Handler handler, std::string_view request = kGet) {
  RunningServer server(std::move(handler));
  return Plain(server.Ask(request));
}

TEST(HttpResponse, AShortOneHasALength) {
  EXPECT_EQ(Answer([](HttpRequest&, HttpResponse& response) {
              response.SetStatus(201);
              response.headers().Add("X", "1");
              (void)response.Write("hello ");
              (void)response.Write("world");
            }),
            "HTTP/1.1 201 Created\nX: 1\nContent-Length: 11\n\nhello world");
  EXPECT_EQ(Answer([](HttpRequest&, HttpResponse&) {}), "HTTP/1.1 200 OK\nContent-Length: 0\n\n");
}

TEST(HttpResponse, B10_11_DateIsAddedUnlessSet) {
  RunningServer server([](HttpRequest& request, HttpResponse& response) {
    if (request.path() == "/set") response.headers().Set("date", "long ago");
  });
  EXPECT_NE(server.Ask(kGet).find("\r\nDate: "), std::string::npos);
  const std::string set = server.Ask("GET /set HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(set.find("\r\nDate: "), std::string::npos);
  EXPECT_NE(set.find("\r\ndate: long ago\r\n"), std::string::npos);
}

TEST(HttpResponse, A16_6_ALongOneGoesInChunks) {
  const std::string data(20000, 'x');
  const auto handler = [&](HttpRequest&, HttpResponse& response) {
    ASSERT_TRUE(response.Write("ab").ok());
    EXPECT_FALSE(response.started());
    ASSERT_TRUE(response.Flush().ok());
    EXPECT_TRUE(response.started());
    ASSERT_TRUE(response.Write("c").ok());
    ASSERT_TRUE(response.Write(data).ok());
    ASSERT_TRUE(response.Write("d").ok());
    EXPECT_EQ(response.body_bytes(), 20004u);
  };
  EXPECT_EQ(Answer(handler),
            absl::StrCat("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nab\n4e21\nc", data,
                         "\n1\nd\n0\n\n"));
  EXPECT_EQ(Answer(handler, kGet10),
            absl::StrCat("HTTP/1.1 200 OK\nConnection: close\n\nabc", data, "d"));
}

TEST(HttpResponse, ALengthGivenIsKept) {
  const std::string data(100000, 'y');
  EXPECT_EQ(Answer([&](HttpRequest&, HttpResponse& response) {
              response.headers().Set("Content-Length", absl::StrCat(data.size() + 1));
              ASSERT_TRUE(response.Write(data).ok());
              ASSERT_TRUE(response.Write("z").ok());
            }),
            absl::StrCat("HTTP/1.1 200 OK\nContent-Length: 100001\n\n", data, "z"));
}

TEST(HttpResponse, OfHeadTheBodyIsCountedAndDropped) {
  EXPECT_EQ(
      Answer([](HttpRequest&, HttpResponse& response) { (void)response.Write("hello"); }, kHead),
      "HTTP/1.1 200 OK\nContent-Length: 5\n\n");
  EXPECT_EQ(Answer([](HttpRequest&,
                      HttpResponse& response) { (void)response.Write(std::string(50000, 'x')); },
                   kHead),
            "HTTP/1.1 200 OK\nContent-Length: 50000\n\n");
  EXPECT_EQ(Answer([](HttpRequest&,
                      HttpResponse& response) { response.headers().Set("Content-Length", "7"); },
                   kHead),
            "HTTP/1.1 200 OK\nContent-Length: 7\n\n");
  EXPECT_EQ(Answer([](HttpRequest&, HttpResponse&) {}, kHead), "HTTP/1.1 200 OK\n\n");
}

TEST(HttpResponse, B10_11_SomeStatusesHaveNoBody) {
  for (const int status : {204, 304}) {
    const auto write = [&](HttpRequest&, HttpResponse& response) {
      response.SetStatus(status);
      EXPECT_THROW((void)response.Write("x"), std::logic_error);
    };
    EXPECT_EQ(Answer(write), absl::StrCat("HTTP/1.1 ", status,
                                          status == 204 ? " No Content" : " Not Modified", "\n\n"));
  }
}

TEST(HttpResponse, B10_9_ResponseSplittingIsRefused) {
  Answer([](HttpRequest&, HttpResponse& response) {
    EXPECT_THROW(response.headers().Add("Location", "/\r\nSet-Cookie: x"), std::invalid_argument);
    EXPECT_THROW(response.headers().Add("A\r\nB", "x"), std::invalid_argument);
    EXPECT_THROW(response.SetStatus(200, "OK\r\nX: y"), std::invalid_argument);
    for (const int status : {0, -1, 99, 100, 199, 600, 1000}) {
      EXPECT_THROW(response.SetStatus(status), std::invalid_argument);
    }
  });
}

TEST(HttpResponse, OnceStartedTheHeadIsFixed) {
  Answer([](HttpRequest&, HttpResponse& response) {
    ASSERT_TRUE(response.Flush().ok());
    EXPECT_THROW(response.headers(), std::logic_error);
    EXPECT_THROW(response.SetStatus(404), std::logic_error);
    EXPECT_THROW(response.Fail(404), std::logic_error);
  });
}

TEST(HttpResponse, MisuseOfFramingIsA500) {
  for (const auto& [name, value] :
       {std::pair("Transfer-Encoding", "chunked"), std::pair("Content-Length", "x")}) {
    RunningServer server([name = name, value = value](HttpRequest&, HttpResponse& response) {
      response.headers().Set(name, value);
    });
    EXPECT_EQ(FirstLine(server.Ask(kGet)), "HTTP/1.1 500 Internal Server Error");
    EXPECT_EQ(server.reports.size(), 1u);
  }
  RunningServer more([](HttpRequest&, HttpResponse& response) {
    response.headers().Set("Content-Length", "2");
    (void)response.Write("abc");
  });
  EXPECT_EQ(FirstLine(more.Ask(kGet)), "HTTP/1.1 500 Internal Server Error");
  EXPECT_EQ(more.reports.size(), 1u);
}

TEST(HttpResponse, FewerBytesThanPromisedEndTheConnection) {
  RunningServer server([](HttpRequest&, HttpResponse& response) {
    response.headers().Set("Content-Length", "5");
    (void)response.Write("abc");
  });
  green::Socket client = server.Dial();
  ASSERT_TRUE(client.SendAll(kGet).ok());
  EXPECT_EQ(Plain(RunningServer::RecvAll(client)), "HTTP/1.1 200 OK\nContent-Length: 5\n\nabc");
  ASSERT_EQ(server.reports.size(), 1u);
  EXPECT_NE(server.reports[0].find("3 bytes instead of the 5"), std::string::npos)
      << server.reports[0];
}

TEST(HttpResponse, FailReplacesWhatWasWrittenByAPageWithoutMarkupOfOthers) {
  const std::string page =
      "<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head><body><h1>404 Not Found</h1>"
      "<p>no &lt;b&gt; here &amp; &quot;there&quot;</p></body></html>\n";
  EXPECT_EQ(Answer([](HttpRequest&, HttpResponse& response) {
              response.headers().Set("X", "1");
              (void)response.Write("half");
              response.Fail(404, "no <b> here & \"there\"");
            }),
            absl::StrCat("HTTP/1.1 404 Not Found\nContent-Type: text/html; charset=utf-8\n"
                         "Content-Length: ",
                         page.size(), "\n\n", page));
}

TEST(HttpResponse, AClientThatHasGoneIsReportedToTheHandlerOnly) {
  absl::Status status;
  RunningServer server([&](HttpRequest&, HttpResponse& response) {
    while (status.ok()) status = response.Write(std::string(100000, 'x'));
    EXPECT_EQ(response.Write("more"), status);
    EXPECT_EQ(response.Flush(), status);
  });
  {
    green::Socket client = server.Dial();
    ASSERT_TRUE(client.SendAll(kGet).ok());
    RunningServer::RecvUntil(client, "\r\n\r\n");
  }
  while (status.ok()) Sleep();
  EXPECT_NE(status.message().find("send to 127.0.0.1:"), std::string::npos) << status;
  EXPECT_TRUE(server.reports.empty());
}

TEST(HttpResponse, AClientThatTakesNothingIsGivenUp) {
  absl::Status status;
  RunningServer server(
      [&](HttpRequest&, HttpResponse& response) {
        while (status.ok()) status = response.Write(std::string(1 << 20, 'x'));
      },
      {.io_timeout = absl::Milliseconds(20)});
  green::Socket client = server.Dial();
  ASSERT_TRUE(client.SendAll(kGet).ok());
  while (status.ok()) Sleep(absl::Milliseconds(1));
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
}

}  // namespace
}  // namespace verdant::net
