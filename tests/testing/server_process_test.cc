#include "tests/testing/server_process.h"

#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/testing/program.h"
#include "tests/testing/temporary_directory.h"

namespace verdant::testing {
namespace {

// The whole answer of a server to a request, by a plain connection of bash.
std::string Get(const NginxServer& server, std::string_view path) {
  const auto result =
      RunProgram({"bash", "-c",
                  absl::StrCat("exec 3<>/dev/tcp/127.0.0.1/", server.port(), "; printf 'GET ", path,
                               " HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3")});
  return result.ok() ? result->out : result.status().ToString();
}

TEST(NginxServer, ServesAFolderAndLogsRequests) {
  const TemporaryDirectory root;
  root.Write("a/index.html", "<p>hello</p>");
  const auto server = NginxServer::Start(root.path());
  ASSERT_TRUE(server.ok()) << server.status();
  const std::string answer = Get(**server, "/a/");
  EXPECT_NE(answer.find("200 OK"), std::string::npos) << answer;
  EXPECT_NE(answer.find("Content-Type: text/html"), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n<p>hello</p>")) << answer;
  EXPECT_NE((*server)->access_log().find("GET /a/ 200 12 #"), std::string::npos)
      << (*server)->access_log();
  EXPECT_EQ((*server)->Url("/x"), absl::StrCat("http://127.0.0.1:", (*server)->port(), "/x"));
}

TEST(NginxServer, TakesFurtherDirectives) {
  const TemporaryDirectory root;
  const auto server =
      NginxServer::Start(root.path(), {.server = "location = /there { return 302 /elsewhere; }",
                                       .http = "map $uri $unused { default 1; }"});
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_NE(Get(**server, "/there").find("Location: "), std::string::npos);
}

TEST(NginxServer, SaysWhatIsWrongWithDirectives) {
  const TemporaryDirectory root;
  const auto server = NginxServer::Start(root.path(), {.server = "no_such_directive on;"});
  ASSERT_FALSE(server.ok());
  EXPECT_NE(server.status().message().find("no_such_directive"), std::string::npos)
      << server.status();
}

TEST(NginxServer, SeveralRunSideBySideAndStopWithTheirObjects) {
  const TemporaryDirectory first_root, second_root;
  first_root.Write("who", "first");
  second_root.Write("who", "second");
  auto first = NginxServer::Start(first_root.path());
  auto second = NginxServer::Start(second_root.path());
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_TRUE(Get(**first, "/who").ends_with("first"));
  EXPECT_TRUE(Get(**second, "/who").ends_with("second"));
  const pid_t pid = (*first)->pid();
  first->reset();
  EXPECT_EQ(kill(pid, 0), -1);
  EXPECT_TRUE(Get(**second, "/who").ends_with("second"));
}

}  // namespace
}  // namespace verdant::testing
