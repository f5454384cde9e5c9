#include "net/http_status.h"

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace verdant::net {
namespace {

TEST(HttpStatus, PhrasesAreTheRegisteredOnes) {
  EXPECT_EQ(HttpReason(200), "OK");
  EXPECT_EQ(HttpReason(404), "Not Found");
  EXPECT_EQ(HttpReason(599), "Unknown");
}

TEST(HttpDate, IsTheFixedFormatOfRfc9110) {
  EXPECT_EQ(HttpDate(absl::FromUnixSeconds(784111777)), "Sun, 06 Nov 1994 08:49:37 GMT");
}

}  // namespace
}  // namespace verdant::net
