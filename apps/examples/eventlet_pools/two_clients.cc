#include "apps/examples/eventlet_pools/two_clients.h"

#include <array>
#include <cstddef>
#include <iostream>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "green/socket.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "net/connect.h"

namespace verdant::examples {
namespace {

// The text of the response, which ends with the connection.
std::string Body(green::Socket& server) {
  std::string response;
  std::array<char, 1024> buffer;
  for (;;) {
    const absl::StatusOr<std::size_t> got = server.Recv(buffer);
    if (!got.ok()) return got.status().ToString();
    if (*got == 0) break;
    response.append(buffer.data(), *got);
  }
  return response.substr(response.rfind('\n') + 1);
}

}  // namespace

void AskSlowlyAndQuickly(std::uint16_t port, absl::Duration patience) {
  const std::string where = absl::StrCat("127.0.0.1:", port);
  Event<> half_is_sent;
  Event<> quick_is_done;
  auto slow = Spawn([&] {
    green::Socket server = *net::Connect(where);
    (void)server.SendAll("GET / HTTP/1.0\r\n");
    half_is_sent.Send();
    (void)quick_is_done.Wait(patience);
    (void)server.SendAll("\r\n");
    const std::string body = Body(server);
    std::cout << "slow client: " << body << "\n";
  });
  auto quick = Spawn([&] {
    half_is_sent.Wait();
    green::Socket server = *net::Connect(where);
    (void)server.SendAll("GET / HTTP/1.0\r\n\r\n");
    const std::string body = Body(server);
    std::cout << "quick client: " << body << "\n";
    quick_is_done.Send();
  });
  slow.Wait();
  quick.Wait();
}

}  // namespace verdant::examples
