#ifndef VERDANT_TESTS_NET_HTTP_SERVER_TESTING_H_
#define VERDANT_TESTS_NET_HTTP_SERVER_TESTING_H_

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "green/socket.h"
#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "net/http_server.h"
#include "net/listen.h"

namespace verdant::net {

// A server on a loopback port, running while this lives, and what the hub's error handler hears
// meanwhile.
class RunningServer {
 public:
  explicit RunningServer(HttpServer::Handler handler, HttpServerOptions options = {})
      : server(std::move(handler), std::move(options)), listener(*Listen("127.0.0.1:0")) {
    Hub::Current().SetErrorHandler([this](const UncaughtError& error) {
      reports.push_back(absl::StrCat(error.context, ": ", DescribeException(error.error)));
    });
    serving = Spawn([this] { return server.Serve(listener); });
  }
  ~RunningServer() {
    server.Stop();
    EXPECT_TRUE(serving.Wait().ok());
    Hub::Current().SetErrorHandler(nullptr);
  }

  green::Socket Dial() { return *green::Socket::Connect(*listener.local()); }
  // Sends `request`, ends the sending side, and returns all that comes back.
  std::string Ask(std::string_view request) {
    green::Socket client = Dial();
    (void)client.SendAll(request);
    (void)client.ShutdownSend();
    return RecvAll(client);
  }
  template <typename Socket>
  static std::string RecvAll(Socket& client) {
    std::string all;
    std::array<char, 4096> buffer;
    for (;;) {
      const absl::StatusOr<std::size_t> got = client.Recv(buffer, absl::Seconds(20));
      if (!got.ok()) return absl::StrCat(all, "<", got.status().message(), ">");
      if (*got == 0) return all;
      all.append(buffer.data(), *got);
    }
  }
  // Receives until `end` has come.
  static std::string RecvUntil(green::Socket& client, std::string_view end) {
    std::string all;
    while (!all.ends_with(end)) {
      char byte;
      const absl::StatusOr<std::size_t> got = client.Recv({&byte, 1}, absl::Seconds(20));
      if (!got.ok()) return absl::StrCat(all, "<", got.status().message(), ">");
      if (*got == 0) return all + "<end>";
      all.push_back(byte);
    }
    return all;
  }

  std::vector<std::string> reports;
  HttpServer server;
  green::Socket listener;
  GreenThread<absl::Status> serving;
};

// A response without its Date and Keep-Alive lines, with "\n" for line ends: "HTTP/1.1 200
// OK\nContent-Length: 2\n\nhi".
inline std::string Plain(std::string_view response) {
  std::string plain;
  std::string_view rest = response;
  while (!rest.empty()) {
    const std::size_t end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 2);
    if (line.starts_with("Date: ") || line.starts_with("Keep-Alive: ")) continue;
    absl::StrAppend(&plain, line, end == std::string_view::npos ? "" : "\n");
  }
  return plain;
}

inline std::string FirstLine(std::string_view response) {
  return std::string(response.substr(0, response.find("\r\n")));
}

}  // namespace verdant::net

#endif  // VERDANT_TESTS_NET_HTTP_SERVER_TESTING_H_
