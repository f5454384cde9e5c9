#ifndef VERDANT_TESTS_GREEN_SOCKET_AHEAD_TESTING_H_
#define VERDANT_TESTS_GREEN_SOCKET_AHEAD_TESTING_H_

#include <utility>

#include "absl/time/time.h"
#include "green/socket.h"
#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "tests/green/stream_testing.h"
#include "tests/hub/poller_testing.h"

namespace verdant::green {

// Over each poller: over all but io_uring it must only change nothing.
class SocketAhead : public PollerTest {
 protected:
  // Whether the kernel does anything ahead here; asked of it by a pair of its own.
  static bool Works() { return Socket::Pair(SOCK_STREAM)->first.ReceiveAhead(); }
};

// Both ends receive ahead.
inline Connection TcpAhead() {
  Connection made = TcpConnection();
  EXPECT_EQ(made.client.ReceiveAhead(), made.server.ReceiveAhead());
  return made;
}

inline std::pair<Socket, Socket> UnixAhead() {
  auto pair = *Socket::Pair(SOCK_STREAM);
  EXPECT_EQ(pair.first.ReceiveAhead(), pair.second.ReceiveAhead());
  return pair;
}

// Until what has been sent has been taken, where it is.
inline void LetItCome(const Socket& socket) {
  const Deadline deadline = kPatience;
  while (!socket.HoldsAhead() && !deadline.Passed()) Sleep(absl::Microseconds(100));
  EXPECT_TRUE(socket.HoldsAhead());
}

}  // namespace verdant::green

#endif  // VERDANT_TESTS_GREEN_SOCKET_AHEAD_TESTING_H_
