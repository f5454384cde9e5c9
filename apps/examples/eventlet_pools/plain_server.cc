#include "apps/examples/eventlet_pools/plain_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <string>

namespace verdant::examples {

bool Complete(std::string_view request) {
  return request.find("\r\n\r\n") != request.npos || request.find("\n\n") != request.npos;
}

void PrintRequest(std::string_view request) {
  std::string lines(request.substr(0, request.find_last_not_of("\r\n") + 1));
  lines.erase(std::remove(lines.begin(), lines.end(), '\r'), lines.end());
  std::cout << std::string(40, '-') + "\n" + lines + "\n";
}

int PlainListen(bool blocking) {
  const int listener =
      socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | (blocking ? 0 : SOCK_NONBLOCK), 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
      listen(listener, 16) == 0) {
    return listener;
  }
  close(listener);
  return -1;
}

std::uint16_t PortOf(int listener) {
  sockaddr_in address = {};
  socklen_t size = sizeof(address);
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

}  // namespace verdant::examples
