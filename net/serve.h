#ifndef VERDANT_NET_SERVE_H_
#define VERDANT_NET_SERVE_H_

#include <cstddef>
#include <exception>
#include <functional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "green/socket.h"
#include "net/stop_signal.h"

namespace verdant::net {

// Thrown by a connection's handler: that connection closes and the server ends in good order (row
// A11.2, decision 9).
class StopServe : public std::exception {
 public:
  const char* what() const noexcept override { return "StopServe"; }
};

// What a server does with one connection, whose peer() is the client. Runs in a green thread of its
// own; the connection closes when it returns or throws. It may move the socket elsewhere to keep
// it.
using ConnectionHandler = std::function<void(green::Socket& connection)>;

struct ServeOptions {
  // Connections handled at a time. At the limit nothing more is accepted: clients wait in the
  // listener's backlog (row A11.3).
  std::size_t concurrency = 1000;
  // Ends the server from outside. May be null; must outlive the call.
  StopSignal* stop = nullptr;
  // How long handlers may go on once the server stops accepting; then they are killed.
  absl::Duration grace = absl::InfiniteDuration();
};

// Accepts connections and runs `handler` for each, until a handler throws StopServe, `options.stop`
// stops, or the listener cannot be used any more; then waits for the handlers still running.
// Returns OK in the first two cases, and the listener's error in the third: closing the listener is
// one (EBADF). Never closes the listener.
//
// Other exceptions of a handler go to the hub's error handler and end that connection only
// (decision 9). Errors of accept that concern one connection are passed over; after those that
// concern the machine (no descriptors, no memory) it tries again, after 10 ms at first and a second
// at most, and tells the hub's error handler once for each such time (row B10.5). If the calling
// green thread is killed or timed out, so are the handlers, before the exception goes on: none
// outlives the call. Throws std::logic_error for a concurrency of 0.
//
// Serve() has nothing accepted ahead of a free place. A listener whose owner has called
// AcceptAhead() is served as well; then up to 256 clients and more wait in it instead of the
// backlog, and those left when the server ends are the next to be accepted on it.
absl::Status Serve(green::Socket& listener, ConnectionHandler handler,
                   const ServeOptions& options = {});
absl::Status Serve(green::Socket& listener, ConnectionHandler handler, std::size_t concurrency);

}  // namespace verdant::net

#endif  // VERDANT_NET_SERVE_H_
