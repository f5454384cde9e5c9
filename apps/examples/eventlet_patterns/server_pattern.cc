// A server with a green thread for each of up to ten thousand connections, which sends back every
// byte that it gets.
#include <array>
#include <cstddef>
#include <iostream>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "green/socket.h"
#include "hub/green_thread.h"
#include "net/connect.h"
#include "net/listen.h"
#include "net/serve.h"
#include "net/stop_signal.h"

namespace green = verdant::green;
namespace net = verdant::net;

void SendBack(green::Socket& client) {
  std::array<char, 1> byte;
  for (;;) {
    const absl::StatusOr<std::size_t> got = client.Recv(byte);
    if (!got.ok() || *got == 0) return;
    if (!client.SendAll({byte.data(), 1}).ok()) return;
  }
}

int main() {
  green::Socket listener = *net::Listen("127.0.0.1:0");
  net::StopSignal stop;
  net::ServeOptions options;
  options.concurrency = 10000;
  options.stop = &stop;
  auto server = verdant::Spawn([&] { return net::Serve(listener, SendBack, options); });

  // Three clients at once, which all say hello before anyone listens for the answer.
  const std::string where = listener.local()->ToString();
  std::array<green::Socket, 3> clients;
  for (green::Socket& client : clients) client = *net::Connect(where);
  for (green::Socket& client : clients) (void)client.SendAll("hello");
  for (green::Socket& client : clients) {
    std::array<char, 5> answer;
    if (!client.RecvExactly(answer).ok()) return 1;
    std::cout << std::string_view(answer.data(), answer.size()) << "\n";
    client.Close();
  }

  stop.Stop();
  std::cout << "the server ends: " << server.Wait() << "\n";
}
