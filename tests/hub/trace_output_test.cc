#include "hub/internal/trace_output.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "gtest/gtest.h"
#include "tests/testing/temporary_directory.h"

namespace verdant::internal {
namespace {

template <typename Fill>
std::string Written(Fill fill) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory.File("out");
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  TraceOutput out(fd);
  fill(out);
  out.Flush();
  EXPECT_EQ(out.error(), 0);
  close(fd);
  return testing::ReadFile(path);
}

TEST(TraceOutput, NumbersAreDecimalFromZeroToTheLargest) {
  EXPECT_EQ(Written([](TraceOutput& out) { out.Number(0); }), "0");
  EXPECT_EQ(Written([](TraceOutput& out) { out.Number(UINT64_MAX); }), "18446744073709551615");
}

TEST(TraceOutput, MicrosecondsKeepTheirNanoseconds) {
  EXPECT_EQ(Written([](TraceOutput& out) { out.Micros(0); }), "0.000");
  EXPECT_EQ(Written([](TraceOutput& out) { out.Micros(1); }), "0.001");
  EXPECT_EQ(Written([](TraceOutput& out) { out.Micros(1234567); }), "1234.567");
}

TEST(TraceOutput, WhatIsNotUtf8IsReplacedByteByByte) {
  const auto quoted = [](std::string_view text) {
    return Written([text](TraceOutput& out) { out.Quoted(text); });
  };
  EXPECT_EQ(quoted("a\"b\\c\n"), R"("a\"b\\c\u000a")");
  EXPECT_EQ(quoted("\xf4\x8f\xbf\xbf"), "\"\xf4\x8f\xbf\xbf\"");
  EXPECT_EQ(quoted("\xf4\x90\x80\x80"), R"("\ufffd\ufffd\ufffd\ufffd")");
  EXPECT_EQ(quoted("\xe0\x9f\xbf"), R"("\ufffd\ufffd\ufffd")");
  EXPECT_EQ(quoted("\xc3"), R"("\ufffd")");
  EXPECT_EQ(quoted("\xc3x"), R"("\ufffdx")");
}

TEST(TraceOutput, MoreThanItsBufferArrivesWhole) {
  const std::string text(100000, 'x');
  EXPECT_EQ(Written([&](TraceOutput& out) { out.Text(text); }), text);
}

TEST(TraceOutput, AfterAnErrorTheRestIsDropped) {
  const int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  TraceOutput out(fd);
  out.Text(std::string(10000, 'x'));
  out.Flush();
  EXPECT_EQ(out.error(), ENOSPC);
  close(fd);
}

}  // namespace
}  // namespace verdant::internal
