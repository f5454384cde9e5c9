// `crawler crawl` as people run it.
#include <signal.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "tests/e2e/crawler_testing.h"
#include "tests/testing/loopback_server.h"
#include "tests/testing/server_process.h"
#include "tests/testing/temporary_directory.h"

namespace verdant::crawler {
namespace {

using testing::NginxServer;
using testing::Program;
using testing::ProgramResult;
using testing::TemporaryDirectory;
using testing::WebServer;
using Strings = std::vector<std::string>;

// An nginx with a small site, and a folder for what the crawler writes.
class CrawlerCrawl : public ::testing::Test {
 protected:
  void Serve(const std::map<std::string, std::string>& files) {
    for (const auto& [name, content] : files) root_.Write(name, content);
    absl::StatusOr<std::unique_ptr<NginxServer>> nginx = NginxServer::Start(
        root_.path(),
        {.server = absl::StrCat("index index.html; access_log ", log_.File("log"), " timed;"),
         .http = "log_format timed '$msec $request_uri';"});
    ASSERT_TRUE(nginx.ok()) << nginx.status();
    nginx_ = *std::move(nginx);
  }

  // 1 + 10 + 100 pages.
  void ServeTree() {
    std::map<std::string, std::string> files;
    for (int i = 0; i < 10; ++i) {
      absl::StrAppend(&files["index.html"], "<a href=", i, ".html></a>");
      for (int j = 0; j < 10; ++j) {
        absl::StrAppend(&files[absl::StrCat(i, ".html")], "<a href=", i, "-", j, ".html></a>");
        files[absl::StrCat(i, "-", j, ".html")] = "<a href=/></a>";
      }
    }
    Serve(files);
  }

  std::string Url(std::string_view path) const { return nginx_->Url(path); }

  ProgramResult RunCrawl(Strings arguments) {
    const Strings before = {"crawl", "--allow-private", "--output", output()};
    arguments.insert(arguments.begin(), before.begin(), before.end());
    return RunCrawler(arguments);
  }

  // What nginx was asked for, and when.
  std::vector<std::pair<double, std::string>> Asked() const {
    std::vector<std::pair<double, std::string>> asked;
    for (const std::string& line : Lines(testing::ReadFile(log_.File("log")))) {
      const std::pair<std::string, std::string> parts = absl::StrSplit(line, ' ');
      double at = 0;
      EXPECT_TRUE(absl::SimpleAtod(parts.first, &at)) << line;
      asked.emplace_back(at, parts.second);
    }
    return asked;
  }
  Strings AskedSorted() const {
    Strings targets;
    for (const auto& [at, target] : Asked()) targets.push_back(target);
    std::sort(targets.begin(), targets.end());
    return targets;
  }

  std::string output() const { return out_.File("crawl"); }
  Strings Pages() const { return Lines(testing::ReadFile(output() + "/pages.jsonl")); }

  TemporaryDirectory root_;
  TemporaryDirectory log_;
  TemporaryDirectory out_;
  std::unique_ptr<NginxServer> nginx_;
};

TEST_F(CrawlerCrawl, WritesPagesAndASummaryAndObeysRobotsAndScope) {
  Serve({{"robots.txt", "User-agent: *\nDisallow: /docs/private\n"},
         {"index.html", "outside the prefix"},
         {"docs/index.html",
          "<link rel=stylesheet href=s.css><a href=a.html>a</a> <a href=../index.html>up</a>"
          "<a href=private/x.html>p</a> <a href=http://127.0.0.2:1/>elsewhere</a>"},
         {"docs/a.html", "<a href=missing.html>m</a><a href=sub>directory</a>"},
         {"docs/s.css", "@import 't.css'; a { b: url(i.png) }"},
         {"docs/t.css", ""},
         {"docs/i.png", "png"},
         {"docs/sub/index.html", "<a href=../a.html>back</a>"},
         {"docs/private/x.html", "secret"}});
  const ProgramResult result = RunCrawl({"--scope", "prefix", Url("/docs/")});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(AskedSorted(),
            (Strings{"/docs/", "/docs/a.html", "/docs/i.png", "/docs/missing.html", "/docs/s.css",
                     "/docs/sub", "/docs/sub/", "/docs/t.css", "/robots.txt"}));
  const Strings pages = Pages();
  std::map<std::string, std::string> by_url;
  for (const std::string& page : pages) by_url[Field(page, "url")] = page;
  ASSERT_EQ(by_url.size(), 8u);
  const std::string& start = by_url[Url("/docs/")];
  EXPECT_EQ(Field(start, "status"), "200");
  EXPECT_EQ(Field(start, "depth"), "0");
  EXPECT_EQ(Field(start, "links"), "5");
  EXPECT_EQ(Field(start, "content_type"), "text/html");
  EXPECT_EQ(Field(start, "redirect"), "null");
  EXPECT_EQ(Field(start, "noindex"), "false");
  EXPECT_EQ(Field(start, "error"), "null");
  EXPECT_EQ(Field(by_url[Url("/docs/missing.html")], "status"), "404");
  EXPECT_EQ(Field(by_url[Url("/docs/sub")], "redirect"), Url("/docs/sub/"));
  EXPECT_EQ(Field(by_url[Url("/docs/i.png")], "bytes"), "3");
  for (const std::string_view part :
       {"pages           8 in ", "2xx 6", "3xx 1", "4xx 1", "errors          none",
        "robots denied   1", "on 1 hosts", "peak memory"}) {
    EXPECT_TRUE(absl::StrContains(result.out, part)) << part << "\n" << result.out;
  }
}

TEST_F(CrawlerCrawl, FetchesEachPageOfATreeOnce) {
  ServeTree();
  EXPECT_EQ(RunCrawl({Url("/")}).exit_code, 0);
  const Strings asked = AskedSorted();
  EXPECT_EQ(asked.size(), 112u);
  EXPECT_EQ(std::set<std::string>(asked.begin(), asked.end()).size(), 112u);
  EXPECT_EQ(Pages().size(), 111u);
}

TEST_F(CrawlerCrawl, LimitsAreExact) {
  ServeTree();
  EXPECT_EQ(RunCrawl({"--max-pages", "37", Url("/")}).exit_code, 0);
  EXPECT_EQ(Pages().size(), 37u);
  EXPECT_EQ(Asked().size(), 38u);
}

TEST_F(CrawlerCrawl, TheDepthIsLimited) {
  ServeTree();
  EXPECT_EQ(RunCrawl({"--max-depth", "1", Url("/")}).exit_code, 0);
  EXPECT_EQ(Pages().size(), 11u);
}

TEST_F(CrawlerCrawl, TheDelayIsKept) {
  ServeTree();
  EXPECT_EQ(RunCrawl({"--delay", "150ms", "--max-pages", "6", Url("/")}).exit_code, 0);
  std::vector<double> times;
  for (const auto& [at, target] : Asked()) {
    if (target != "/robots.txt") times.push_back(at);
  }
  ASSERT_EQ(times.size(), 6u);
  // The log's clock counts whole milliseconds from when each answer was sent.
  for (std::size_t i = 1; i < times.size(); ++i) EXPECT_GT(times[i] - times[i - 1], 0.1);
}

TEST_F(CrawlerCrawl, AnEarlierCrawlIsNotOverwritten) {
  ServeTree();
  EXPECT_EQ(RunCrawl({"--max-pages", "2", Url("/")}).exit_code, 0);
  const Strings pages = Pages();
  const ProgramResult again = RunCrawl({Url("/")});
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_EQ(Lines(again.err).size(), 1u);
  EXPECT_TRUE(absl::StrContains(again.err, "pages.jsonl")) << again.err;
  EXPECT_EQ(Pages(), pages);
}

TEST_F(CrawlerCrawl, LoopbackIsRefusedUnlessAllowed) {
  ServeTree();
  const ProgramResult result = RunCrawler({"crawl", "--output", output(), Url("/")});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(Lines(result.err).size(), 1u) << result.err;
  EXPECT_TRUE(absl::StrContains(result.err, Url("/robots.txt"))) << result.err;
  EXPECT_TRUE(absl::StrContains(result.err, "--allow-private")) << result.err;
  EXPECT_TRUE(absl::StrContains(result.out, "blocked 1")) << result.out;
  EXPECT_EQ(testing::ReadFile(log_.File("log")), "");
}

TEST_F(CrawlerCrawl, AHostThatIsNotThereIsOneLine) {
  const std::string dead = absl::StrCat("http://127.0.0.1:", testing::RefusingPort(), "/");
  for (const std::string& url : {dead, std::string("http://no-such-host.invalid/")}) {
    const TemporaryDirectory directory;
    const ProgramResult result =
        RunCrawler({"crawl", "--allow-private", "--output", directory.File("out"), url});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(Lines(result.err).size(), 1u) << result.err;
    EXPECT_TRUE(absl::StrContains(result.err, "/robots.txt: ")) << result.err;
    const Strings pages = Lines(testing::ReadFile(directory.File("out/pages.jsonl")));
    ASSERT_EQ(pages.size(), 1u);
    EXPECT_EQ(Field(pages[0], "url"), url);
    EXPECT_NE(Field(pages[0], "error"), "null");
  }
}

TEST_F(CrawlerCrawl, PagesThatMisbehaveAreLinesAndTheRestGoesOn) {
  testing::RawServer bad([](green::Socket& connection) {
    for (;;) {
      const std::string head = testing::ReceiveHead(connection);
      if (head.empty()) return;
      if (absl::StrContains(head, "/robots.txt ")) {
        (void)connection.SendAll("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
      } else if (absl::StrContains(head, "/ ")) {
        constexpr std::string_view kLinks =
            "<a href=/reset></a><a href=/header></a><a href=/body></a><a href=/cut></a>"
            "<a href=/loop></a><a href=/good></a>";
        (void)connection.SendAll(
            absl::StrCat("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
                         "Content-Length: ",
                         kLinks.size(), "\r\n\r\n", kLinks));
      } else if (absl::StrContains(head, "/reset ")) {
        return testing::Reset(connection);
      } else if (absl::StrContains(head, "/header ")) {
        (void)connection.SendAll(
            absl::StrCat("HTTP/1.1 200 OK\r\nX: ", std::string(5'000'000, 'h'), "\r\n\r\n"));
        return;
      } else if (absl::StrContains(head, "/body ")) {
        (void)connection.SendAll("HTTP/1.1 200 OK\r\nContent-Length: 99000000\r\n\r\nxxx");
      } else if (absl::StrContains(head, "/loop ")) {
        (void)connection.SendAll(
            "HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n");
      } else if (absl::StrContains(head, "/cut ")) {
        (void)connection.SendAll(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 999\r\n\r\n"
            "<a href=/from-cut></a>");
        return;
      } else {
        (void)connection.SendAll("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood");
      }
    }
  });
  const ProgramResult result = RunCrawl({bad.Url("/")});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  std::map<std::string, std::string> errors;
  for (const std::string& page : Pages()) {
    errors[Field(page, "url").substr(bad.Url("").size())] = Field(page, "error");
  }
  EXPECT_EQ(errors.size(), 8u);
  EXPECT_EQ(errors["/"], "null");
  EXPECT_EQ(errors["/good"], "null");
  EXPECT_EQ(errors["/from-cut"], "null");
  EXPECT_EQ(errors["/loop"], "null");
  for (const std::string_view target : {"/reset", "/header", "/body", "/cut"}) {
    const std::string& error = errors[std::string(target)];
    EXPECT_TRUE(absl::StartsWith(error, absl::StrCat("GET ", bad.Url(target), ": "))) << error;
  }
  for (const std::string_view kind : {"reset 2", "too_large 2"}) {
    EXPECT_TRUE(absl::StrContains(result.out, kind)) << result.out;
  }
}

TEST_F(CrawlerCrawl, AFullDiskIsOneLine) {
  ServeTree();
  const std::string command =
      CrawlerCommand({"crawl", "--allow-private", "--output", output(), Url("/")}) + " >/dev/full";
  const absl::StatusOr<ProgramResult> result = testing::RunProgram({"sh", "-c", command});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->exit_code, 1);
  EXPECT_EQ(result->err, "crawler crawl: cannot write standard output: No space left on device\n");
  EXPECT_EQ(Pages().size(), 111u);
}

TEST_F(CrawlerCrawl, CtrlCWritesWhatThereIs) {
  for (const int number : {SIGINT, SIGTERM}) {
    const TemporaryDirectory directory;
    int waiting = 0;
    Event<> five_wait;
    Event<> go;
    WebServer server([&](net::HttpRequest& request, net::HttpResponse& response) {
      if (request.target() == "/robots.txt") return response.SetStatus(404);
      response.headers().Add("Content-Type", "text/html");
      if (request.target() != "/") {
        if (++waiting == 5) five_wait.Send();
        go.Wait();
      }
      for (int i = 0; i < 100; ++i) {
        (void)response.Write(absl::StrCat("<a href=", request.target(), i, "></a>"));
      }
    });
    absl::StatusOr<std::unique_ptr<Program>> program =
        Program::Start({CrawlerProgram(), "crawl", "--allow-private", "--concurrency", "5",
                        "--output", directory.File("out"), server.Url("/")});
    ASSERT_TRUE(program.ok()) << program.status();
    ASSERT_TRUE(five_wait.Wait(absl::Seconds(60)));
    (*program)->Signal(number);
    ASSERT_TRUE((*program)->WaitForOutput("finishing what is in flight").ok());
    go.Send();
    const absl::StatusOr<ProgramResult> result = (*program)->Wait();
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->exit_code, 130);
    EXPECT_TRUE(absl::StrContains(result->out, "stopped before the end")) << result->out;
    const Strings pages = Lines(testing::ReadFile(directory.File("out/pages.jsonl")));
    EXPECT_EQ(static_cast<int>(pages.size()), waiting + 1);
    EXPECT_LE(pages.size(), 8u);
    EXPECT_EQ(Fields(pages, "error"), Strings(pages.size(), "null"));
  }
}

}  // namespace
}  // namespace verdant::crawler
