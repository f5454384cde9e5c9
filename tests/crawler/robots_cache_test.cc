#include "apps/crawler/robots_cache.h"

#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "tests/testing/loopback_server.h"

namespace verdant::crawler {
namespace {

using testing::RawServer;
using testing::WebServer;

RobotsCache::Options Options() { return {.product_token = "VerdantBot"}; }

Url At(std::string_view url) { return *Url::Parse(url); }

net::HttpServer::Handler Answering(std::string body) {
  return [body](net::HttpRequest& request, net::HttpResponse& response) {
    EXPECT_EQ(request.target(), "/robots.txt");
    (void)response.Write(body);
  };
}

TEST(RobotsCache, ReadsAnOriginsRules) {
  WebServer server(Answering("User-agent: *\nDisallow: /private\nCrawl-delay: 3\n"));
  green::http::Client client;
  RobotsCache cache(client, Options());
  const RobotsAnswer answer = cache.Get(At(server.Url("/private/x")));
  EXPECT_TRUE(answer.unreachable.ok());
  EXPECT_FALSE(answer.rules->Allows("/private/x"));
  EXPECT_TRUE(answer.rules->Allows("/public"));
  EXPECT_EQ(answer.rules->crawl_delay(), absl::Seconds(3));
}

TEST(RobotsCache, AsksOnceHoweverManyWait) {
  Event<> go;
  WebServer server([&go](net::HttpRequest&, net::HttpResponse& response) {
    go.Wait();
    (void)response.Write("User-agent: *\nDisallow: /a\n");
  });
  green::http::Client client;
  RobotsCache cache(client, Options());
  std::vector<GreenThread<bool>> waiting;
  for (int i = 0; i < 20; ++i) {
    waiting.push_back(Spawn([&] { return cache.Get(At(server.Url("/"))).rules->Allows("/a"); }));
  }
  Sleep();
  go.Send();
  for (auto& thread : waiting) EXPECT_FALSE(thread.Wait());
  EXPECT_FALSE(cache.Get(At(server.Url("/other?x"))).rules->Allows("/a"));
  EXPECT_EQ(server.counts().requests, 1u);
}

TEST(RobotsCache, EachOriginHasItsOwn) {
  WebServer one(Answering("User-agent: *\nDisallow: /\n"));
  WebServer two(Answering(""));
  green::http::Client client;
  RobotsCache cache(client, Options());
  EXPECT_FALSE(cache.Get(At(one.Url("/"))).rules->Allows("/x"));
  EXPECT_TRUE(cache.Get(At(two.Url("/"))).rules->Allows("/x"));
}

TEST(RobotsCache, AnAbsentFileAllowsAll) {
  WebServer server([](net::HttpRequest&, net::HttpResponse& response) {
    response.SetStatus(404);
    (void)response.Write("User-agent: *\nDisallow: /\n");
  });
  green::http::Client client;
  RobotsCache cache(client, Options());
  const RobotsAnswer answer = cache.Get(At(server.Url("/")));
  EXPECT_TRUE(answer.unreachable.ok());
  EXPECT_TRUE(answer.rules->Allows("/x"));
}

TEST(RobotsCache, AServerInTroubleForbidsAllAndSaysSo) {
  WebServer server([](net::HttpRequest&, net::HttpResponse& response) { response.SetStatus(503); });
  green::http::Client client;
  RobotsCache cache(client, Options());
  const RobotsAnswer answer = cache.Get(At(server.Url("/")));
  EXPECT_FALSE(answer.rules->Allows("/x"));
  EXPECT_EQ(answer.unreachable.message(),
            absl::StrCat("GET ", server.Url("/robots.txt"), ": status 503"));
}

TEST(RobotsCache, AServerThatIsNotThereForbidsAllAndSaysSo) {
  const std::uint16_t port = testing::RefusingPort();
  green::http::Client client;
  RobotsCache cache(client, Options());
  const RobotsAnswer answer = cache.Get(At(absl::StrCat("http://127.0.0.1:", port, "/")));
  EXPECT_FALSE(answer.rules->Allows("/x"));
  EXPECT_EQ(green::http::FailureOf(answer.unreachable), green::http::Failure::kConnect);
  EXPECT_TRUE(absl::StrContains(answer.unreachable.message(), absl::StrCat(port, "/robots.txt")))
      << answer.unreachable;
}

TEST(RobotsCache, AFailureIsForgottenSoonerThanRules) {
  int asked = 0;
  WebServer server([&asked](net::HttpRequest&, net::HttpResponse& response) {
    if (++asked == 1) response.SetStatus(500);
  });
  green::http::Client client;
  RobotsCache::Options options = Options();
  options.keep_failure_for = absl::ZeroDuration();
  RobotsCache cache(client, options);
  EXPECT_FALSE(cache.Get(At(server.Url("/"))).unreachable.ok());
  EXPECT_TRUE(cache.Get(At(server.Url("/"))).unreachable.ok());
  EXPECT_TRUE(cache.Get(At(server.Url("/"))).unreachable.ok());
  EXPECT_EQ(asked, 2);
}

TEST(RobotsCache, RulesExpire) {
  WebServer server(Answering(""));
  green::http::Client client;
  RobotsCache::Options options = Options();
  options.keep_for = absl::ZeroDuration();
  RobotsCache cache(client, options);
  for (int i = 0; i < 3; ++i) cache.Get(At(server.Url("/")));
  EXPECT_EQ(server.counts().requests, 3u);
}

TEST(RobotsCache, FiveRedirectsAreFollowedAndSixAllowAll) {
  WebServer server([](net::HttpRequest& request, net::HttpResponse& response) {
    int hop = 0;
    (void)absl::SimpleAtoi(request.target().substr(1), &hop);
    if (hop < kMaxRobotsRedirects) {
      response.SetStatus(301);
      response.headers().Add("Location", absl::StrCat("/", hop + 1));
    } else {
      (void)response.Write("User-agent: *\nDisallow: /\n");
    }
  });
  green::http::Client client;
  RobotsCache cache(client, Options());
  EXPECT_FALSE(cache.Get(At(server.Url("/"))).rules->Allows("/x"));

  WebServer endless([](net::HttpRequest& request, net::HttpResponse& response) {
    response.SetStatus(302);
    response.headers().Add("Location", absl::StrCat(request.target(), "x"));
  });
  const RobotsAnswer answer = cache.Get(At(endless.Url("/")));
  EXPECT_TRUE(answer.unreachable.ok()) << answer.unreachable;
  EXPECT_TRUE(answer.rules->Allows("/x"));
  EXPECT_EQ(endless.counts().requests, static_cast<std::uint64_t>(kMaxRobotsRedirects) + 1);
}

TEST(RobotsCache, AnEndlessFileCountsUpToTheCap) {
  WebServer server([](net::HttpRequest&, net::HttpResponse& response) {
    if (!response.Write("User-agent: *\nDisallow: /early\n").ok()) return;
    const std::string filler = absl::StrCat("#", std::string(1000, 'x'), "\n");
    for (int i = 0; i < 10'000 && response.Write(filler).ok(); ++i) continue;
    (void)response.Write("Disallow: /late\n");
  });
  green::http::Client client;
  RobotsCache cache(client, Options());
  const RobotsAnswer answer = cache.Get(At(server.Url("/")));
  EXPECT_TRUE(answer.unreachable.ok()) << answer.unreachable;
  EXPECT_FALSE(answer.rules->Allows("/early"));
  EXPECT_TRUE(answer.rules->Allows("/late"));
}

TEST(RobotsCache, WhenTheOneWhoAsksIsKilledTheNextTakesOver) {
  int asked = 0;
  Event<> arrived;
  RawServer server([&](green::Socket& connection) {
    testing::ReceiveHead(connection);
    if (++asked == 1) {
      arrived.Send();
      return testing::AwaitEnd(connection);
    }
    (void)connection.SendAll("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  });
  green::http::Client client;
  RobotsCache cache(client, Options());
  auto first = Spawn([&] { cache.Get(At(server.Url("/"))); });
  arrived.Wait();
  auto second = Spawn([&] { return cache.Get(At(server.Url("/"))).unreachable; });
  Sleep();
  first.Kill();
  EXPECT_TRUE(second.Wait().ok());
  EXPECT_EQ(asked, 2);
}

}  // namespace
}  // namespace verdant::crawler
