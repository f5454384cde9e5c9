// The same server by Serve(), which accepts, limits and waits; a client's "stop" ends it.
#include "net/serve.h"

#include <array>
#include <cstddef>
#include <iostream>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "green/socket.h"
#include "hub/green_thread.h"
#include "net/connect.h"
#include "net/listen.h"

namespace green = verdant::green;
namespace net = verdant::net;

void Handle(green::Socket& connection) {
  std::array<char, 1024> buffer;
  for (;;) {
    const absl::StatusOr<std::size_t> got = connection.Recv(buffer);
    if (!got.ok() || *got == 0) return;
    const std::string_view text(buffer.data(), *got);
    if (text == "stop") throw net::StopServe();
    if (!connection.SendAll(text).ok()) return;
  }
}

int main() {
  green::Socket listener = *net::Listen("127.0.0.1:0");
  auto server = verdant::Spawn([&listener] { return net::Serve(listener, Handle, 1000); });

  green::Socket connection = *net::Connect(listener.local()->ToString());
  for (std::string_view text : {"one", "two", "stop"}) {
    if (!connection.SendAll(text).ok()) break;
    std::array<char, 1024> buffer;
    const absl::StatusOr<std::size_t> got = connection.Recv(buffer);
    const std::string_view answer(buffer.data(), got.ok() ? *got : 0);
    std::cout << text << ": " << (answer.empty() ? "no answer" : answer) << "\n";
  }
  std::cout << "the server ends: " << server.Wait() << "\n";
}
