// `crawler fetch` as people run it.
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "green/ssl_context.h"
#include "greenlet/internal/sanitizer.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "net/wrap_ssl.h"
#include "tests/e2e/crawler_testing.h"
#include "tests/green/ssl_testing.h"
#include "tests/testing/loopback_server.h"
#include "tests/testing/server_process.h"
#include "tests/testing/temporary_directory.h"

namespace verdant::crawler {
namespace {

using testing::NginxServer;
using testing::Program;
using testing::ProgramResult;
using testing::RawServer;
using testing::TemporaryDirectory;
using testing::WebServer;
using Strings = std::vector<std::string>;

TEST(CrawlerFetch, LinesComeInTheOrderOfTheUrls) {
  // Later ones are answered first.
  std::vector<std::unique_ptr<Event<>>> turns;
  for (int i = 0; i <= 5; ++i) turns.push_back(std::make_unique<Event<>>());
  turns[5]->Send();
  WebServer server([&turns](net::HttpRequest& request, net::HttpResponse& response) {
    const auto number = static_cast<std::size_t>(request.target()[1] - '0');
    turns[number + 1]->Wait();
    response.headers().Add("Content-Type", "text/plain; charset=utf-8");
    response.SetStatus(number == 3 ? 404 : 200);
    (void)response.Write(std::string(number * 10, 'x'));
    turns[number]->Send();
  });
  Strings urls;
  for (int i = 0; i < 5; ++i) urls.push_back(server.Url(absl::StrCat("/", i)));
  Strings arguments = urls;
  arguments.insert(arguments.begin(), "fetch");
  const ProgramResult result = RunCrawler(arguments);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  const Strings lines = Lines(result.out);
  EXPECT_EQ(Fields(lines, "url"), urls);
  EXPECT_EQ(Fields(lines, "final_url"), urls);
  EXPECT_EQ(Fields(lines, "status"), (Strings{"200", "200", "200", "404", "200"}));
  EXPECT_EQ(Fields(lines, "bytes"), (Strings{"0", "10", "20", "30", "40"}));
  EXPECT_EQ(Fields(lines, "content_type"), Strings(5, "text/plain; charset=utf-8"));
  EXPECT_EQ(Fields(lines, "error"), Strings(5, "null"));
  for (const std::string& elapsed : Fields(lines, "elapsed_ms")) EXPECT_GT(std::stod(elapsed), 0);
}

TEST(CrawlerFetch, RedirectsAreFollowedToTheFinalUrl) {
  WebServer server([](net::HttpRequest& request, net::HttpResponse& response) {
    if (request.target() == "/new") return;
    response.SetStatus(301);
    response.headers().Add("Location", "/new");
  });
  const ProgramResult result = RunCrawler({"fetch", server.Url("/old")});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(Field(result.out, "url"), server.Url("/old"));
  EXPECT_EQ(Field(result.out, "final_url"), server.Url("/new"));
}

TEST(CrawlerFetch, EachBadUrlHasALineThatNamesItAndItsCauseAndTheRestGoOn) {
  const green::TestCertificate identity =
      green::MakeTestCertificate("self", nullptr, {.names = {"IP:127.0.0.1"}});
  net::HttpServerOptions tls;
  tls.wrap = net::WrapSsl(*green::TlsContext::Server(
      {.certificate_pem = identity.certificate, .key_pem = identity.key}));
  const auto ok = [](net::HttpRequest&, net::HttpResponse& response) {
    (void)response.Write("ok");
  };
  WebServer untrusted(ok, tls);
  WebServer good(ok);
  WebServer endless([](net::HttpRequest& request, net::HttpResponse& response) {
    response.SetStatus(302);
    response.headers().Add("Location", absl::StrCat(request.target(), "x"));
  });
  RawServer reset([](green::Socket& connection) {
    testing::ReceiveHead(connection);
    (void)connection.SendAll("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    testing::Reset(connection);
  });
  RawServer big_header([](green::Socket& connection) {
    testing::ReceiveHead(connection);
    (void)connection.SendAll(
        absl::StrCat("HTTP/1.1 200 OK\r\nX: ", std::string(5'000'000, 'h'), "\r\n\r\n"));
  });
  RawServer big_body([](green::Socket& connection) {
    testing::ReceiveHead(connection);
    (void)connection.SendAll("HTTP/1.1 200 OK\r\nContent-Length: 99000000000\r\n\r\nxxxx");
    testing::AwaitEnd(connection);
  });
  RawServer no_http([](green::Socket& connection) {
    testing::ReceiveHead(connection);
    (void)connection.SendAll("SSH-2.0-server\r\n");
  });
  const std::string refused = absl::StrCat("http://127.0.0.1:", testing::RefusingPort(), "/");
  const std::vector<std::pair<std::string, std::string>> urls = {
      {"example.org/no-scheme", "no scheme"},
      {"ftp://example.org/", "ftp"},
      {"http://", "host"},
      {"http://user:secret@example.org/", "password"},
      {"http://bad\xFF.example/", "UTF-8"},
      {"http://no-such-host.invalid/", "Could not resolve host: no-such-host.invalid"},
      {refused, "Could not connect"},
      {reset.Url("/reset"), "127.0.0.1"},
      {absl::StrCat("https://127.0.0.1:", untrusted.port(), "/"), "certificate"},
      {big_header.Url("/big"), "header"},
      {endless.Url("/endless"), "redirects"},
      {big_body.Url("/body"), "the body exceeds 1073741824 bytes"},
      {no_http.Url("/ssh"), "HTTP"},
  };
  Strings list;
  for (const auto& [url, cause] : urls) list.push_back(url);
  list.push_back(good.Url("/good"));
  const ProgramResult result =
      RunCrawler({"fetch", "--input", "-"}, {.standard_input = absl::StrJoin(list, "\n")});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.err, "");
  const Strings lines = Lines(result.out);
  ASSERT_EQ(lines.size(), list.size());
  for (std::size_t i = 0; i < urls.size(); ++i) {
    const std::string error = Field(lines[i], "error");
    EXPECT_TRUE(absl::StrContains(error, urls[i].second)) << lines[i];
    // Of one with a password the host alone is shown, and invalid bytes are escaped.
    const bool secret = absl::StrContains(urls[i].first, '@');
    EXPECT_TRUE(absl::StrContains(error, secret ? "example.org" : urls[i].first.substr(0, 10)))
        << lines[i];
    EXPECT_FALSE(absl::StrContains(error, "secret")) << lines[i];
  }
  EXPECT_EQ(Field(lines.back(), "error"), "null");
  EXPECT_EQ(Field(lines.back(), "bytes"), "2");
}

TEST(CrawlerFetch, AnUnreadableListIsOneLine) {
  const TemporaryDirectory directory;
  for (const std::string& list : {directory.File("absent"), directory.path()}) {
    const ProgramResult result = RunCrawler({"fetch", "--input", list});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(Lines(result.err).size(), 1u) << result.err;
    EXPECT_TRUE(absl::StrContains(result.err, list)) << result.err;
  }
}

TEST(CrawlerFetch, AFullDiskIsOneLine) {
  WebServer server([](net::HttpRequest&, net::HttpResponse&) {});
  const ProgramResult file = RunCrawler({"fetch", "--output", "/dev/full", server.Url("/")});
  EXPECT_EQ(file.exit_code, 1);
  EXPECT_EQ(file.err, "crawler fetch: cannot write /dev/full: No space left on device\n");
  const std::string command = CrawlerCommand({"fetch", server.Url("/")}) + " >/dev/full";
  const absl::StatusOr<ProgramResult> output = testing::RunProgram({"sh", "-c", command});
  ASSERT_TRUE(output.ok()) << output.status();
  EXPECT_EQ(output->exit_code, 1);
  EXPECT_EQ(output->err, "crawler fetch: cannot write standard output: No space left on device\n");
}

TEST(CrawlerFetch, AnOutputThatCannotBeMadeIsOneLine) {
  for (const std::string_view option : {"--output", "--body-dir"}) {
    const ProgramResult result =
        RunCrawler({"fetch", std::string(option), "/nowhere/at/all", "http://x.invalid/"});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(Lines(result.err).size(), 1u) << result.err;
    EXPECT_TRUE(absl::StrContains(result.err, "/nowhere/at/all")) << result.err;
  }
}

TEST(CrawlerFetch, BodiesAreKeptByteForByte) {
  const TemporaryDirectory root;
  Strings bodies;
  Strings arguments = {"fetch", "--concurrency", "32", "--body-dir"};
  std::uint32_t state = 1;
  for (std::size_t i = 0; i < 300; ++i) {
    std::string body((i * i * 7) % 100'000, '\0');
    for (char& c : body) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
    root.Write(absl::StrCat("dir/", i, i % 2 == 0 ? ".txt" : ".bin"), body);
    bodies.push_back(body);
  }
  const absl::StatusOr<std::unique_ptr<NginxServer>> nginx = NginxServer::Start(
      root.path(), {.server = "gzip on; gzip_types text/plain; gzip_min_length 1;"});
  ASSERT_TRUE(nginx.ok()) << nginx.status();
  const TemporaryDirectory kept;
  arguments.push_back(kept.File("new"));
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    arguments.push_back((*nginx)->Url(absl::StrCat("/dir/", i, i % 2 == 0 ? ".txt" : ".bin")));
  }
  const ProgramResult result = RunCrawler(arguments);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const Strings bytes = Fields(Lines(result.out), "bytes");
  ASSERT_EQ(bytes.size(), bodies.size());
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    const std::string path = kept.File(absl::StrFormat("new/%08d", i + 1));
    EXPECT_TRUE(testing::ReadFile(path) == bodies[i]) << path;
    EXPECT_EQ(bytes[i], absl::StrCat(bodies[i].size()));
  }
}

TEST(CrawlerFetch, ABodyThatBreaksOffIsNotKept) {
  RawServer server([](green::Socket& connection) {
    testing::ReceiveHead(connection);
    (void)connection.SendAll("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  });
  const TemporaryDirectory kept;
  const ProgramResult result = RunCrawler({"fetch", "--body-dir", kept.path(), server.Url("/")});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(access(kept.File("00000001").c_str(), F_OK), -1);
  EXPECT_NE(rmdir(kept.path().c_str()), -1) << "something was left behind";
  mkdir(kept.path().c_str(), 0700);
}

// A named pipe that the test holds open as the program's standard input.
class InputPipe {
 public:
  InputPipe() : path_(directory_.File("input")) {
    EXPECT_EQ(mkfifo(path_.c_str(), 0600), 0);
    fd_ = open(path_.c_str(), O_RDWR | O_CLOEXEC);
  }
  ~InputPipe() { Close(); }
  void Write(std::string_view text) {
    EXPECT_EQ(write(fd_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  // Runs the crawler on it; `exec`, so that signals reach it.
  absl::StatusOr<std::unique_ptr<Program>> Start(const Strings& arguments) {
    return Program::Start(
        {"sh", "-c", absl::StrCat("exec ", CrawlerCommand(arguments), " <", path_)});
  }

 private:
  TemporaryDirectory directory_;
  const std::string path_;
  int fd_ = -1;
};

TEST(CrawlerFetch, StandardInputIsFetchedAsItComes) {
  WebServer server([](net::HttpRequest&, net::HttpResponse&) {});
  InputPipe input;
  absl::StatusOr<std::unique_ptr<Program>> program = input.Start({"fetch", "--input", "-"});
  ASSERT_TRUE(program.ok()) << program.status();
  for (const std::string_view target : {"/one", "/two", "/three"}) {
    input.Write(server.Url(target) + "\n");
    const absl::Status shown = (*program)->WaitForOutput(absl::StrCat(target, "\",\"status\":200"));
    ASSERT_TRUE(shown.ok()) << shown;
  }
  input.Close();
  const absl::StatusOr<ProgramResult> result = (*program)->Wait();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->exit_code, 0);
  EXPECT_EQ(Lines(result->out).size(), 3u);
}

TEST(CrawlerFetch, CtrlCEndsAWaitForStandardInput) {
  WebServer server([](net::HttpRequest&, net::HttpResponse&) {});
  InputPipe input;
  absl::StatusOr<std::unique_ptr<Program>> program = input.Start({"fetch", "--input", "-"});
  ASSERT_TRUE(program.ok()) << program.status();
  input.Write(server.Url("/one") + "\n");
  ASSERT_TRUE((*program)->WaitForOutput("/one").ok());
  (*program)->Signal(SIGINT);
  const absl::StatusOr<ProgramResult> result = (*program)->Wait();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->exit_code, 130);
  EXPECT_EQ(Lines(result->out).size(), 1u);
}

TEST(CrawlerFetch, CtrlCFinishesWhatIsUnderWay) {
  int waiting = 0;
  Event<> four_wait;
  Event<> go;
  WebServer server([&](net::HttpRequest&, net::HttpResponse& response) {
    if (++waiting == 4) four_wait.Send();
    go.Wait();
    (void)response.Write("late");
  });
  const TemporaryDirectory directory;
  std::string list;
  for (int i = 0; i < 100; ++i) absl::StrAppend(&list, server.Url(absl::StrCat("/", i)), "\n");
  absl::StatusOr<std::unique_ptr<Program>> program = Program::Start(
      {CrawlerProgram(), "fetch", "--concurrency", "4", "--input", directory.Write("list", list)});
  ASSERT_TRUE(program.ok()) << program.status();
  ASSERT_TRUE(four_wait.Wait(absl::Seconds(60)));
  (*program)->Signal(SIGINT);
  // It must have seen the signal before the answers come.
  ASSERT_TRUE((*program)->WaitForOutput("finishing what is in flight").ok());
  go.Send();
  const absl::StatusOr<ProgramResult> result = (*program)->Wait();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->exit_code, 130);
  const Strings lines = Lines(result->out);
  EXPECT_EQ(static_cast<int>(lines.size()), waiting);
  EXPECT_LE(lines.size(), 6u);
  EXPECT_EQ(Fields(lines, "bytes"), Strings(lines.size(), "4"));
}

TEST(CrawlerFetch, ASecondCtrlCEndsAtOnce) {
  Event<> asked;
  Event<> never;
  WebServer server([&](net::HttpRequest&, net::HttpResponse&) {
    asked.Send();
    never.Wait();
  });
  absl::StatusOr<std::unique_ptr<Program>> program =
      Program::Start({CrawlerProgram(), "fetch", server.Url("/")});
  ASSERT_TRUE(program.ok()) << program.status();
  ASSERT_TRUE(asked.Wait(absl::Seconds(60)));
  (*program)->Signal(SIGINT);
  ASSERT_TRUE((*program)->WaitForOutput("once more ends at once").ok());
  (*program)->Signal(SIGINT);
  EXPECT_EQ((*program)->Wait()->exit_code, 130);
}

TEST(CrawlerFetch, ALongListTakesNoMoreMemoryThanAShortOne) {
  const TemporaryDirectory root;
  for (int i = 0; i < 7; ++i) root.Write(absl::StrCat(i), "x");
  const absl::StatusOr<std::unique_ptr<NginxServer>> nginx = NginxServer::Start(root.path());
  ASSERT_TRUE(nginx.ok()) << nginx.status();
  // Every tenth is fetched; the others fail without a network.
  constexpr int kLines = 200'000;
  std::string list;
  for (int i = 0; i < kLines; ++i) {
    absl::StrAppend(&list, i % 10 == 0 ? (*nginx)->Url(absl::StrCat("/", i % 7)) : "no-url", "\n");
  }
  const TemporaryDirectory directory;
  const std::string output = directory.File("output");
  const ProgramResult result =
      RunCrawler({"fetch", "--input", directory.Write("list", list), "--output", output});
  list.clear();
  EXPECT_EQ(result.exit_code, 1);
  const Strings lines = Lines(testing::ReadFile(output));
  ASSERT_EQ(lines.size(), static_cast<std::size_t>(kLines));
  for (std::size_t i = 0; i < lines.size(); i += 10) {
    ASSERT_EQ(Field(lines[i], "status"), "200") << lines[i];
  }
#if !defined(VERDANT_ASAN) && !defined(VERDANT_TSAN)  // whose own memory comes on top
  rusage children = {};
  getrusage(RUSAGE_CHILDREN, &children);
  EXPECT_LT(children.ru_maxrss, 64 * 1024);
#endif
}

}  // namespace
}  // namespace verdant::crawler
