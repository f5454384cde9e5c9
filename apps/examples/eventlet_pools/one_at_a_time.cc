// A web server with calls that block its OS thread: whoever comes second waits until the first is
// done, however slow that one is.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>

#include "absl/time/time.h"
#include "apps/examples/eventlet_pools/plain_server.h"
#include "apps/examples/eventlet_pools/two_clients.h"

namespace examples = verdant::examples;

void ServeTwo(int listener) {
  for (int served = 0; served < 2; ++served) {
    const int client = accept(listener, nullptr, nullptr);
    std::string request;
    std::array<char, 1024> buffer;
    while (!examples::Complete(request)) {
      const ssize_t got = recv(client, buffer.data(), buffer.size(), 0);
      if (got <= 0) break;
      request.append(buffer.data(), static_cast<std::size_t>(got));
    }
    examples::PrintRequest(request);
    send(client, examples::kAnswer.data(), examples::kAnswer.size(), MSG_NOSIGNAL);
    close(client);
  }
}

int main() {
  const int listener = examples::PlainListen(true);
  std::thread server(ServeTwo, listener);
  examples::AskSlowlyAndQuickly(examples::PortOf(listener), absl::Milliseconds(30));
  server.join();
  close(listener);
}
