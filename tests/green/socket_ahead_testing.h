#ifndef VERDANT_TESTS_GREEN_SOCKET_AHEAD_TESTING_H_
#define VERDANT_TESTS_GREEN_SOCKET_AHEAD_TESTING_H_

#include <array>
#include <cstddef>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "green/socket.h"
#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "tests/hub/poller_testing.h"

namespace verdant::green {

inline constexpr absl::Duration kPatience = absl::Seconds(60);

// Over each poller: over all but io_uring it must only change nothing.
class SocketAhead : public PollerTest {
 protected:
  // Whether the kernel does anything ahead here; asked of it by a pair of its own.
  static bool Works() { return Socket::Pair(SOCK_STREAM)->first.ReceiveAhead(); }
};

struct Connection {
  Socket client;
  Socket server;
};

// Both ends receive ahead.
inline Connection TcpConnection() {
  Socket listener = *Socket::Listen(Address::LoopbackV4(0));
  Socket client = *Socket::Connect(*listener.local());
  Connection made = {std::move(client), *listener.Accept()};
  EXPECT_EQ(made.client.ReceiveAhead(), made.server.ReceiveAhead());
  return made;
}

inline std::pair<Socket, Socket> UnixPair() {
  auto pair = *Socket::Pair(SOCK_STREAM);
  EXPECT_EQ(pair.first.ReceiveAhead(), pair.second.ReceiveAhead());
  return pair;
}

inline std::string RecvAll(Stream& stream) {
  std::string all;
  std::array<char, 5000> buffer;
  for (;;) {
    const absl::StatusOr<std::size_t> got = stream.Recv(buffer, kPatience);
    EXPECT_TRUE(got.ok()) << got.status();
    if (!got.ok() || *got == 0) return all;
    all.append(buffer.data(), *got);
  }
}

inline std::string RecvText(Stream& stream, std::size_t size) {
  std::string text(size, '\0');
  const absl::Status status = stream.RecvExactly(text, kPatience);
  EXPECT_TRUE(status.ok()) << status;
  return text;
}

inline std::string Pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>((i * 131) >> 3);
  return text;
}

// Until what has been sent has been taken, where it is.
inline void LetItCome(const Socket& socket) {
  const Deadline deadline = kPatience;
  while (!socket.HoldsAhead() && !deadline.Passed()) Sleep(absl::Microseconds(100));
  EXPECT_TRUE(socket.HoldsAhead());
}

}  // namespace verdant::green

#endif  // VERDANT_TESTS_GREEN_SOCKET_AHEAD_TESTING_H_
