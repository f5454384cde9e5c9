// HTTPS and HTTP/2 by green::http.
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "green/http.h"
#include "green/ssl_context.h"
#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "net/wrap_ssl.h"
#include "tests/green/ssl_testing.h"
#include "tests/testing/loopback_server.h"
#include "tests/testing/server_process.h"
#include "tests/testing/temporary_directory.h"

namespace verdant::green::http {
namespace {

using testing::NginxServer;
using testing::WebServer;

// An authority made for this run, and what it has signed.
class HttpTls : public ::testing::Test {
 protected:
  TestCertificate Sign(TestCertificateOptions options) {
    return MakeTestCertificate("server", &authority_, options);
  }

  std::unique_ptr<WebServer> Serve(const TestCertificate& identity) {
    const absl::StatusOr<TlsContext> context = TlsContext::Server(
        {.certificate_pem = identity.certificate, .key_pem = identity.key, .alpn = {"http/1.1"}});
    EXPECT_TRUE(context.ok()) << context.status();
    net::HttpServerOptions options;
    options.wrap = net::WrapSsl(*context);
    return std::make_unique<WebServer>(
        [](net::HttpRequest& request, net::HttpResponse& response) {
          (void)response.Write(request.target());
        },
        std::move(options));
  }

  static std::string Url(const WebServer& server, std::string_view path) {
    return absl::StrCat("https://127.0.0.1:", server.port(), path);
  }

  absl::StatusOr<Response> FetchFrom(const WebServer& server) {
    Client client({.ca_pem = authority_.certificate});
    return client.Fetch({.url = Url(server, "/x")});
  }

  void ExpectRefused(const WebServer& server, std::string_view cause) {
    const absl::Status status = FetchFrom(server).status();
    EXPECT_EQ(FailureName(FailureOf(status)), "tls") << status;
    EXPECT_TRUE(absl::StartsWith(status.message(), absl::StrCat("GET ", Url(server, "/x"), ": ")))
        << status;
    EXPECT_TRUE(absl::StrContains(status.message(), cause)) << status;
    Client careless({.verify_tls = false});
    EXPECT_EQ(careless.Fetch({.url = Url(server, "/x")})->body, "/x");
  }

  const TestCertificate authority_ = MakeTestCertificate("authority", nullptr, {.is_ca = true});
};

TEST_F(HttpTls, ATrustedServerIsFetchedFrom) {
  const auto server = Serve(Sign({.names = {"IP:127.0.0.1"}}));
  const absl::StatusOr<Response> response = FetchFrom(*server);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->body, "/x");
  EXPECT_EQ(response->http_version, 11);

  const testing::TemporaryDirectory directory;
  Client client({.ca_file = directory.Write("ca.pem", authority_.certificate)});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(client.Fetch({.url = Url(*server, "/y")})->body, "/y");
  EXPECT_EQ(server->counts().connections, 2u);
}

TEST_F(HttpTls, AnUnknownAuthorityIsRefused) {
  const TestCertificate other = MakeTestCertificate("other", nullptr, {.is_ca = true});
  const auto server = Serve(MakeTestCertificate("server", &other, {.names = {"IP:127.0.0.1"}}));
  ExpectRefused(*server, "certificate");
  // Nor is one that vouches for itself.
  ExpectRefused(*Serve(MakeTestCertificate("server", nullptr, {.names = {"IP:127.0.0.1"}})),
                "certificate");
}

TEST_F(HttpTls, ACertificateForAnotherNameIsRefused) {
  ExpectRefused(*Serve(Sign({.names = {"DNS:example.test", "IP:127.0.0.2"}})), "127.0.0.1");
}

TEST_F(HttpTls, ACertificateOfAnotherTimeIsRefused) {
  ExpectRefused(*Serve(Sign({.names = {"IP:127.0.0.1"}, .not_before = -7200, .not_after = -3600})),
                "expired");
  ExpectRefused(*Serve(Sign({.names = {"IP:127.0.0.1"}, .not_before = 3600, .not_after = 7200})),
                "not yet valid");
}

TEST_F(HttpTls, AServerWithoutTlsIsRefused) {
  WebServer plain([](net::HttpRequest&, net::HttpResponse&) {});
  Client client;
  const absl::Status status = client.Fetch({.url = Url(plain, "/")}).status();
  EXPECT_EQ(FailureName(FailureOf(status)), "tls") << status;
}

TEST_F(HttpTls, WhatIsNoCertificateIsAFailure) {
  const auto server = Serve(Sign({.names = {"IP:127.0.0.1"}}));
  Client text({.ca_pem = "no certificate"});
  EXPECT_EQ(FailureName(FailureOf(text.Fetch({.url = Url(*server, "/")}).status())), "tls");
  Client file({.ca_file = "/nowhere/ca.pem"});
  const absl::Status status = file.Fetch({.url = Url(*server, "/")}).status();
  EXPECT_EQ(FailureName(FailureOf(status)), "tls");
  EXPECT_TRUE(absl::StrContains(status.message(), "/nowhere/ca.pem")) << status;
}

TEST_F(HttpTls, ARedirectLeadsFromPlainToTls) {
  const auto inner = Serve(Sign({.names = {"IP:127.0.0.1"}}));
  WebServer outer([&](net::HttpRequest&, net::HttpResponse& response) {
    response.SetStatus(301);
    response.headers().Add("Location", Url(*inner, "/inner"));
  });
  Client client({.ca_pem = authority_.certificate});
  const absl::StatusOr<Response> response = client.Fetch({.url = outer.Url("/")});
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->body, "/inner");
  EXPECT_EQ(response->url, Url(*inner, "/inner"));
}

// An nginx that speaks HTTP/2 over TLS.
class Http2 : public HttpTls {
 protected:
  void SetUp() override {
    const TestCertificate identity = Sign({.names = {"IP:127.0.0.1"}});
    const std::string certificate = files_.Write("server.pem", identity.certificate);
    const std::string key = files_.Write("server.key", identity.key);
    for (int i = 0; i < 100; ++i)
      root_.Write(absl::StrCat(i, ".txt"), std::string(10'000, 'a' + i % 26));
    const absl::StatusOr<std::uint16_t> port =
        testing::StartOnFreePort([&](std::uint16_t candidate) {
          absl::StatusOr<std::unique_ptr<NginxServer>> started = NginxServer::Start(
              root_.path(), {.server = absl::StrCat("listen 127.0.0.1:", candidate,
                                                    " ssl http2; ssl_certificate ", certificate,
                                                    "; ssl_certificate_key ", key, ";")});
          if (started.ok()) nginx_ = *std::move(started);
          return started.status();
        });
    ASSERT_TRUE(port.ok()) << port.status();
    port_ = *port;
  }

  std::string Url(std::string_view path) const {
    return absl::StrCat("https://127.0.0.1:", port_, path);
  }

  // The connections that nginx saw requests on.
  std::set<std::string> Connections() const {
    std::set<std::string> connections;
    for (const std::string_view line :
         absl::StrSplit(nginx_->access_log(), '\n', absl::SkipEmpty())) {
      connections.emplace(line.substr(line.rfind('#')));
    }
    return connections;
  }

  testing::TemporaryDirectory files_;
  testing::TemporaryDirectory root_;
  std::unique_ptr<NginxServer> nginx_;
  std::uint16_t port_ = 0;
};

TEST_F(Http2, IsSpokenWhereTheServerOffersIt) {
  Client client({.ca_pem = authority_.certificate});
  const absl::StatusOr<Response> response = client.Fetch({.url = Url("/1.txt")});
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->http_version, 20);
  EXPECT_EQ(response->body, std::string(10'000, 'b'));
  EXPECT_EQ(response->Get("Content-Type"), "text/plain");
  EXPECT_EQ(client.Fetch({.url = Url("/none")})->status, 404);

  Client old({.ca_pem = authority_.certificate, .http2 = false});
  EXPECT_EQ(old.Fetch({.url = Url("/1.txt")})->http_version, 11);
}

TEST_F(Http2, FetchesShareAConnection) {
  Client client({.ca_pem = authority_.certificate});
  ASSERT_TRUE(client.Fetch({.url = Url("/0.txt")}).ok());
  std::vector<GreenThread<bool>> fetches;
  for (int i = 0; i < 100; ++i) {
    fetches.push_back(Spawn([&, i] {
      const absl::StatusOr<Response> response =
          client.Fetch({.url = Url(absl::StrCat("/", i, ".txt"))});
      return response.ok() &&
             response->body == std::string(10'000, static_cast<char>('a' + i % 26));
    }));
  }
  for (auto& fetch : fetches) EXPECT_TRUE(fetch.Wait());
  EXPECT_EQ(Connections().size(), 1u);
}

TEST_F(Http2, AKillEndsOneStreamOnly) {
  Client client({.ca_pem = authority_.certificate});
  ASSERT_TRUE(client.Fetch({.url = Url("/0.txt")}).ok());
  std::vector<AnyGreenThread> doomed;
  std::vector<GreenThread<bool>> fetches;
  for (int i = 0; i < 20; ++i) {
    doomed.push_back(Spawn([&] { client.Fetch({.url = Url("/1.txt")}).IgnoreError(); }));
    fetches.push_back(Spawn([&] { return client.Fetch({.url = Url("/2.txt")}).ok(); }));
  }
  Sleep();
  KillAll(doomed);
  for (auto& fetch : fetches) EXPECT_TRUE(fetch.Wait());
  EXPECT_EQ(Connections().size(), 1u);
}

}  // namespace
}  // namespace verdant::green::http
