#include "apps/crawler/utf8.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace verdant::crawler {
namespace {

using namespace std::string_view_literals;

TEST(Utf8, StepsOverWholeCharacters) {
  EXPECT_EQ(NextUtf8("a").bytes, 1u);
  EXPECT_EQ(NextUtf8("\xC3\xA9x").bytes, 2u);
  EXPECT_EQ(NextUtf8("\xE2\x82\xACx").bytes, 3u);
  EXPECT_EQ(NextUtf8("\xF0\x9F\x8C\xB1x").bytes, 4u);
  for (const std::string_view text : {"a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x8C\xB1"}) {
    EXPECT_TRUE(NextUtf8(text).valid) << text;
  }
}

TEST(Utf8, NulIsAnOrdinaryCharacter) {
  EXPECT_TRUE(NextUtf8("\0"sv).valid);
  EXPECT_TRUE(IsValidUtf8("a\0b"sv));
}

TEST(Utf8, RefusesOverlongSurrogateAndTooLargeForms) {
  for (const std::string_view text :
       {"\xC0\x80"sv, "\xC1\xBF"sv, "\xE0\x80\x80"sv, "\xE0\x9F\xBF"sv, "\xED\xA0\x80"sv,
        "\xED\xBF\xBF"sv, "\xF0\x8F\xBF\xBF"sv, "\xF4\x90\x80\x80"sv, "\xF5\x80\x80\x80"sv,
        "\xFF"sv, "\x80"sv}) {
    EXPECT_FALSE(IsValidUtf8(text));
  }
}

TEST(Utf8, AcceptsTheBordersOfEachRange) {
  for (const std::string_view text :
       {"\xC2\x80"sv, "\xDF\xBF"sv, "\xE0\xA0\x80"sv, "\xED\x9F\xBF"sv, "\xEE\x80\x80"sv,
        "\xEF\xBF\xBF"sv, "\xF0\x90\x80\x80"sv, "\xF4\x8F\xBF\xBF"sv}) {
    EXPECT_TRUE(IsValidUtf8(text));
  }
}

TEST(Utf8, InvalidStepsCoverTheMaximalSubpart) {
  EXPECT_EQ(NextUtf8("\xF0\x9F\x8Cz").bytes, 3u);
  EXPECT_EQ(NextUtf8("\xE2\x82").bytes, 2u);
  EXPECT_EQ(NextUtf8("\xE2z").bytes, 1u);
  EXPECT_EQ(NextUtf8("\xED\xA0\x80").bytes, 1u);
  EXPECT_EQ(NextUtf8("\xC3").bytes, 1u);
}

TEST(Utf8, FindsABadByteAnywhereInLongText) {
  for (size_t at = 0; at < 40; ++at) {
    std::string text(40, 'a');
    EXPECT_TRUE(IsValidUtf8(text));
    text[at] = '\xE9';
    EXPECT_FALSE(IsValidUtf8(text)) << at;
  }
  EXPECT_TRUE(IsValidUtf8(""));
}

}  // namespace
}  // namespace verdant::crawler
