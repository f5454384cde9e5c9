// Sends back every line that it gets:
//
//   echo_server PORT   until Ctrl-C; try `telnet localhost PORT`
//   echo_server        with two visitors of its own, and ends when they have gone
#include <array>
#include <csignal>
#include <cstddef>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "green/socket.h"
#include "hub/green_thread.h"
#include "hub/watcher/signal.h"
#include "net/connect.h"
#include "net/listen.h"
#include "net/serve.h"
#include "net/stop_signal.h"

namespace green = verdant::green;
namespace net = verdant::net;

class LineReader {
 public:
  explicit LineReader(green::Socket& socket) : socket_(socket) {}

  // The next line with its end, or what stands after the last one; nothing at the end.
  std::optional<std::string> Next() {
    std::size_t end;
    while ((end = unread_.find('\n')) == unread_.npos) {
      std::array<char, 4096> buffer;
      const absl::StatusOr<std::size_t> got = socket_.Recv(buffer);
      if (!got.ok() || *got == 0) break;
      unread_.append(buffer.data(), *got);
    }
    if (unread_.empty()) return std::nullopt;
    std::string line = unread_.substr(0, end == unread_.npos ? end : end + 1);
    unread_.erase(0, line.size());
    return line;
  }

 private:
  green::Socket& socket_;
  std::string unread_;
};

void Echo(green::Socket& client) {
  std::cout << "a client has come\n";
  LineReader lines(client);
  while (std::optional<std::string> line = lines.Next()) {
    if (!client.SendAll(*line).ok()) break;
    std::cout << "sent back: " << *line << std::flush;
  }
  std::cout << "a client has gone\n";
}

void Visit(const std::string& where, const std::vector<std::string>& lines) {
  green::Socket server = *net::Connect(where);
  LineReader answers(server);
  for (const std::string& line : lines) {
    (void)server.SendAll(line + "\n");
    const std::string answer = answers.Next().value_or("no answer\n");
    std::cout << "visitor: " << answer;
  }
  (void)server.ShutdownSend();
  (void)answers.Next();  // nothing, once the server has let go as well
}

int main(int argc, char** argv) {
  const bool by_itself = argc < 2;
  absl::StatusOr<green::Socket> listener =
      net::Listen(absl::StrCat("127.0.0.1:", by_itself ? "0" : argv[1]));
  if (!listener.ok()) {
    std::cerr << listener.status() << "\n";
    return 1;
  }
  if (!by_itself) std::cout << "listening on port " << listener->local()->port() << std::endl;
  net::StopSignal stop;
  const verdant::SignalWatcher interrupt(SIGINT, [&stop] { stop.Stop(); });
  if (by_itself) {
    verdant::SpawnN([&stop, where = listener->local()->ToString()] {
      Visit(where, {"one", "two"});
      Visit(where, {"three"});
      stop.Stop();
    });
  }

  net::ServeOptions options;
  options.stop = &stop;
  options.grace = absl::Milliseconds(100);  // then clients that stay on are let go
  const absl::Status end = net::Serve(*listener, Echo, options);
  std::cout << "the server ends: " << end << "\n";
  return end.ok() ? 0 : 1;
}
