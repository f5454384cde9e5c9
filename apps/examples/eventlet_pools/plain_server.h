#ifndef VERDANT_APPS_EXAMPLES_EVENTLET_POOLS_PLAIN_SERVER_H_
#define VERDANT_APPS_EXAMPLES_EVENTLET_POOLS_PLAIN_SERVER_H_

#include <cstdint>
#include <string_view>

namespace verdant::examples {

// What all the servers here answer.
inline constexpr std::string_view kAnswer =
    "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\nGood morning";

// The head of a request has come whole: there is an empty line.
bool Complete(std::string_view request);

// Prints the request of a client below a line of dashes.
void PrintRequest(std::string_view request);

// A socket of the system's, which knows nothing of green threads: listens on a loopback port of the
// kernel's choice. -1 on failure.
int PlainListen(bool blocking);
std::uint16_t PortOf(int listener);

}  // namespace verdant::examples

#endif  // VERDANT_APPS_EXAMPLES_EVENTLET_POOLS_PLAIN_SERVER_H_
