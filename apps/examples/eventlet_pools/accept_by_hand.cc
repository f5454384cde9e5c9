// What a green accept does inside: try the call, and if it would block let others run until the
// descriptor is ready.
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <iostream>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "apps/examples/eventlet_pools/plain_server.h"
#include "green/socket.h"
#include "hub/green_thread.h"
#include "hub/io.h"
#include "net/connect.h"

namespace examples = verdant::examples;

int Accept(verdant::IoDescriptor& listener, verdant::Deadline deadline) {
  for (;;) {
    const int client = accept4(listener.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client >= 0 || errno != EAGAIN) return client;
    std::cout << "nobody there yet\n";
    listener.ReadWouldBlock();
    switch (listener.WaitReadable(deadline)) {
      case verdant::IoWait::kReady:
        std::cout << "somebody knocks\n";
        break;
      case verdant::IoWait::kTimedOut:
        std::cout << "timed out\n";
        return -1;
      case verdant::IoWait::kClosed:
        return -1;
    }
  }
}

int main() {
  const int fd = examples::PlainListen(false);
  absl::StatusOr<verdant::IoDescriptor> listener = verdant::IoDescriptor::Register(fd);
  if (!listener.ok()) return 1;

  Accept(*listener, absl::Milliseconds(1));
  auto client = verdant::Spawn([where = absl::StrCat("127.0.0.1:", examples::PortOf(fd))] {
    std::cout << "a client connects\n";
    return verdant::net::Connect(where).ok();
  });
  const int connection = Accept(*listener, verdant::Deadline::Never());
  std::cout << "accepted: " << std::boolalpha << (connection >= 0) << "\n";
  std::cout << "connected: " << client.Wait() << "\n";

  close(connection);
  listener->Unregister();
  close(fd);
}
