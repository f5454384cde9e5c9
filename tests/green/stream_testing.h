#ifndef VERDANT_TESTS_GREEN_STREAM_TESTING_H_
#define VERDANT_TESTS_GREEN_STREAM_TESTING_H_

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

namespace verdant::green {

// Of a test that would otherwise wait for ever for what does not come.
inline constexpr absl::Duration kPatience = absl::Seconds(60);

struct Connection {
  Socket client;
  Socket server;
};

inline Connection TcpConnection() {
  Socket listener = *Socket::Listen(Address::LoopbackV4(0));
  Socket client = *Socket::Connect(*listener.local());
  return {std::move(client), *listener.Accept()};
}

// As much as arrives until the end of the stream.
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

// Sends balls of four bytes from one to the other and back, each after the last.
inline void PlayPingPong(Stream& near, Stream& far, int balls) {
  auto echo = Spawn([&] {
    std::array<char, 4> ball;
    while (far.RecvExactly(ball).ok()) ASSERT_TRUE(far.SendAll({ball.data(), 4}).ok());
  });
  for (int i = 0; i < balls; ++i) {
    const std::string ball = {'b', static_cast<char>(i), static_cast<char>(i >> 8), '.'};
    ASSERT_TRUE(near.SendAll(ball).ok());
    ASSERT_EQ(RecvText(near, 4), ball);
  }
  ASSERT_TRUE(near.ShutdownSend().ok());
  echo.Wait();
}

// Bytes that do not repeat within any buffer.
inline std::string Pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>((i * 131) >> 3);
  return text;
}

}  // namespace verdant::green

#endif  // VERDANT_TESTS_GREEN_STREAM_TESTING_H_
