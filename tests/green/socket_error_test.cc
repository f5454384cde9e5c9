#include "green/socket_error.h"

#include <errno.h>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace verdant::green {
namespace {

TEST(SocketError, AStatusKeepsTheErrnoItCameFrom) {
  for (const int error : {ECONNREFUSED, ECONNRESET, EBADF, EPIPE, ENOTCONN, ETIMEDOUT, EMFILE}) {
    EXPECT_EQ(ErrnoOf(internal::ErrnoStatus(error, "connect")), error);
  }
}

TEST(SocketError, TheMessageIsWhatWasDoneAndWhy) {
  const absl::Status status = internal::ErrnoStatus(ECONNREFUSED, "connect to 127.0.0.1:80");
  EXPECT_EQ(status.message(), "connect to 127.0.0.1:80: Connection refused");
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
}

TEST(SocketError, TheCodeIsTheCanonicalOne) {
  EXPECT_EQ(internal::ErrnoStatus(EBADF, "recv").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(internal::ErrnoStatus(EACCES, "bind").code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(internal::ErrnoStatus(EMFILE, "accept").code(), absl::StatusCode::kResourceExhausted);
}

TEST(SocketError, OtherFailuresHaveNone) {
  EXPECT_EQ(ErrnoOf(absl::OkStatus()), 0);
  EXPECT_EQ(ErrnoOf(absl::DeadlineExceededError("recv: timed out")), 0);
}

}  // namespace
}  // namespace verdant::green
