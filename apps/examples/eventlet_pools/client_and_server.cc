// An echo server that handles up to ten thousand connections at a time, each in a green thread, and
// a client that tells it three lines.
#include <array>
#include <cstddef>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "green/socket.h"
#include "hub/green_thread.h"
#include "net/connect.h"
#include "net/listen.h"
#include "pool/green_pool.h"

namespace green = verdant::green;
namespace net = verdant::net;

void Echo(green::Socket client) {
  std::array<char, 1024> buffer;
  for (;;) {
    const absl::StatusOr<std::size_t> got = client.Recv(buffer);
    if (!got.ok() || *got == 0) break;
    const std::string_view text(buffer.data(), *got);
    std::cout << "server: " << text << "\n";
    if (!client.SendAll(text).ok()) break;
  }
  std::cout << "server: the client has gone\n";
}

int main() {
  green::Socket listener = *net::Listen("127.0.0.1:0");
  verdant::GreenPool pool(10000);
  auto server = verdant::Spawn([&] {
    for (;;) {
      absl::StatusOr<green::Socket> client = listener.Accept();
      if (client.ok()) pool.SpawnN(Echo, *std::move(client));
    }
  });

  {
    green::Socket connection = *net::Connect(listener.local()->ToString());
    std::array<char, 1024> buffer;
    for (std::string_view line : {"hello", "how are you", "good bye"}) {
      if (!connection.SendAll(line).ok()) break;
      const absl::StatusOr<std::size_t> got = connection.Recv(buffer);
      if (!got.ok()) break;
      std::cout << "client: " << std::string_view(buffer.data(), *got) << "\n";
    }
  }
  pool.WaitAll();
  server.KillAndJoin();
}
