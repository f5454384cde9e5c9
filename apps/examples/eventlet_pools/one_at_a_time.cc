// A web server with calls that block its OS thread: whoever comes second waits until the first is
// done, however slow that one is.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "apps/examples/eventlet_pools/plain_server.h"
#include "apps/examples/eventlet_pools/two_clients.h"

namespace examples = verdant::examples;

void ServeTwo(int listener, std::vector<std::string>& requests) {
  for (int served = 0; served < 2; ++served) {
    const int client = accept(listener, nullptr, nullptr);
    std::string request;
    std::array<char, 1024> buffer;
    while (!examples::Complete(request)) {
      const ssize_t got = recv(client, buffer.data(), buffer.size(), 0);
      if (got <= 0) break;
      request.append(buffer.data(), static_cast<std::size_t>(got));
    }
    send(client, examples::kAnswer.data(), examples::kAnswer.size(), MSG_NOSIGNAL);
    close(client);
    requests.push_back(std::move(request));
  }
}

int main() {
  const int listener = examples::PlainListen(true);
  std::vector<std::string> requests;
  std::thread server(ServeTwo, listener, std::ref(requests));
  examples::AskSlowlyAndQuickly(examples::PortOf(listener), absl::Milliseconds(30));
  server.join();
  for (const std::string& request : requests) examples::PrintRequest(request);
  close(listener);
}
