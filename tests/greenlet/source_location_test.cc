#include "greenlet/source_location.h"

#include <string>

#include "gtest/gtest.h"

namespace verdant {
namespace {

SourceLocation CalledFrom(SourceLocation site = SourceLocation::current()) { return site; }
SourceLocation Through(SourceLocation site = SourceLocation::current()) { return CalledFrom(site); }

TEST(SourceLocation, IsNowhereByDefault) {
  constexpr SourceLocation nowhere;
  EXPECT_EQ(nowhere.line(), 0u);
  EXPECT_STREQ(nowhere.file_name(), "");
}

TEST(SourceLocation, CurrentIsWhereItIsWritten) {
  const SourceLocation here = SourceLocation::current();
  EXPECT_EQ(here.line(), static_cast<unsigned>(__LINE__ - 1));
  EXPECT_NE(std::string(here.file_name()).find("source_location_test.cc"), std::string::npos);
}

TEST(SourceLocation, AsADefaultArgumentItIsTheCallersLine) {
  const SourceLocation here = CalledFrom();
  EXPECT_EQ(here.line(), static_cast<unsigned>(__LINE__ - 1));
  const SourceLocation passed_on = Through();
  EXPECT_EQ(passed_on.line(), static_cast<unsigned>(__LINE__ - 1));
}

TEST(SourceLocation, IsAConstantAndACopy) {
  constexpr SourceLocation fixed = SourceLocation::current("file.cc", 7);
  static_assert(fixed.line() == 7);
  const SourceLocation copy = fixed;
  EXPECT_STREQ(copy.file_name(), "file.cc");
  EXPECT_EQ(copy.line(), 7u);
}

}  // namespace
}  // namespace verdant
