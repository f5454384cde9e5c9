// The same server with green threads: nobody holds up anybody, and it is a loop again. No OS thread
// but this one, in which the clients run as well.
#include <array>
#include <cstddef>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "apps/examples/eventlet_pools/plain_server.h"
#include "apps/examples/eventlet_pools/two_clients.h"
#include "green/socket.h"
#include "hub/green_thread.h"
#include "net/listen.h"

namespace examples = verdant::examples;
namespace green = verdant::green;

void Answer(green::Socket client) {
  std::string request;
  std::array<char, 1024> buffer;
  while (!examples::Complete(request)) {
    const absl::StatusOr<std::size_t> got = client.Recv(buffer);
    if (!got.ok() || *got == 0) return;
    request.append(buffer.data(), *got);
  }
  examples::PrintRequest(request);
  (void)client.SendAll(examples::kAnswer);
}

int main() {
  green::Socket listener = *verdant::net::Listen("127.0.0.1:0");
  auto server = verdant::Spawn([&listener] {
    for (;;) {
      absl::StatusOr<green::Socket> client = listener.Accept();
      if (client.ok()) verdant::SpawnN(Answer, *std::move(client));
    }
  });
  examples::AskSlowlyAndQuickly(listener.local()->port(), absl::Minutes(1));
  server.KillAndJoin();
}
