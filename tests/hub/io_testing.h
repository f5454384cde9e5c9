#ifndef VERDANT_TESTS_HUB_IO_TESTING_H_
#define VERDANT_TESTS_HUB_IO_TESTING_H_

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <stdexcept>
#include <utility>

#include "absl/status/statusor.h"
#include "hub/io.h"
#include "tests/testing/temporary_directory.h"

namespace verdant {

// A connected pair of non-blocking stream sockets.
struct Pair {
  Pair() {
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd.data()) != 0) abort();
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  ~Pair() {
    for (const int f : fd) {
      if (f >= 0) close(f);
    }
  }
  void Close(int which) { close(std::exchange(fd[static_cast<std::size_t>(which)], -1)); }
  std::array<int, 2> fd;
};

// A regular file, which no poller can watch; it has no name any more, and the caller closes it.
inline int OpenRegularFile() {
  const testing::TemporaryDirectory directory;
  const int fd = open(directory.Write("file", "").c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) abort();
  return fd;
}

inline IoDescriptor MustRegister(int fd) {
  absl::StatusOr<IoDescriptor> descriptor = IoDescriptor::Register(fd);
  if (!descriptor.ok()) throw std::runtime_error(descriptor.status().ToString());
  return *std::move(descriptor);
}

}  // namespace verdant

#endif  // VERDANT_TESTS_HUB_IO_TESTING_H_
