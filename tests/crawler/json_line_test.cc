#include "apps/crawler/json_line.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace verdant::crawler {
namespace {

using namespace std::string_view_literals;

std::string Quoted(std::string_view text) {
  std::string out;
  AppendJsonString(text, &out);
  return out;
}

TEST(JsonLine, WritesFieldsInCallOrderOnOneLine) {
  std::string out = "before\n";
  JsonLine(&out)
      .String("url", "http://h/")
      .Int("status", 200)
      .Fixed("elapsed_ms", 1.25, 3)
      .Bool("ok", true)
      .Null("error")
      .End();
  EXPECT_EQ(out,
            "before\n{\"url\":\"http://h/\",\"status\":200,\"elapsed_ms\":1.250,\"ok\":true,"
            "\"error\":null}\n");
}

TEST(JsonLine, AnEmptyObjectIsValid) {
  std::string out;
  JsonLine(&out).End();
  EXPECT_EQ(out, "{}\n");
}

TEST(JsonLine, WritesExtremeIntegers) {
  std::string out;
  JsonLine(&out)
      .Int("a", std::numeric_limits<int64_t>::min())
      .Int("b", std::numeric_limits<int64_t>::max())
      .End();
  EXPECT_EQ(out, "{\"a\":-9223372036854775808,\"b\":9223372036854775807}\n");
}

TEST(JsonLine, NeverWritesExponentsOrNonNumbers) {
  std::string out;
  JsonLine(&out)
      .Fixed("big", 1e20, 0)
      .Fixed("small", 1e-9, 3)
      .Fixed("nan", std::nan(""), 3)
      .Fixed("inf", -std::numeric_limits<double>::infinity(), 3)
      .End();
  EXPECT_EQ(out, "{\"big\":100000000000000000000,\"small\":0.000,\"nan\":null,\"inf\":null}\n");
}

TEST(JsonLine, ClampsTheNumberOfDecimals) {
  std::string out;
  JsonLine(&out).Fixed("x", 0.5, -3).Fixed("y", 0.5, 99).End();
  EXPECT_EQ(out, "{\"x\":0,\"y\":0.50000000000000000}\n");
}

TEST(JsonString, EscapesQuotesBackslashesAndControls) {
  EXPECT_EQ(Quoted("a\"b\\c/"), "\"a\\\"b\\\\c/\"");
  EXPECT_EQ(Quoted("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"");
  EXPECT_EQ(Quoted("\0\x01\x1B\x1F\x7F"sv), "\"\\u0000\\u0001\\u001b\\u001f\\u007f\"");
}

TEST(JsonString, EscapesC1ControlsAndLineSeparators) {
  EXPECT_EQ(Quoted("\xC2\x80\xC2\x9B\xC2\x9F\xC2\xA0"), "\"\\u0080\\u009b\\u009f\xC2\xA0\"");
  EXPECT_EQ(Quoted("\xE2\x80\xA8|\xE2\x80\xA9|\xE2\x80\xAA"), "\"\\u2028|\\u2029|\xE2\x80\xAA\"");
}

TEST(JsonString, PassesValidUtf8Through) {
  EXPECT_EQ(Quoted("caf\xC3\xA9 \xF0\x9F\x8C\xB1"), "\"caf\xC3\xA9 \xF0\x9F\x8C\xB1\"");
}

TEST(JsonString, ReplacesEachInvalidSubpartOnce) {
  EXPECT_EQ(Quoted("a\xFFz"), "\"a\xEF\xBF\xBDz\"");
  EXPECT_EQ(Quoted("\xF0\x9F\x8C"), "\"\xEF\xBF\xBD\"");
  EXPECT_EQ(Quoted("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST(JsonString, NoInputByteBreaksTheLine) {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  const std::string out = Quoted(all);
  for (const char c : out) EXPECT_GE(static_cast<unsigned char>(c), 0x20u);
  EXPECT_EQ(out.find('"', 1), out.find("\\\"") + 1);
}

TEST(JsonString, EscapesKeysToo) {
  std::string out;
  JsonLine(&out).Int("a\"\n", 1).End();
  EXPECT_EQ(out, "{\"a\\\"\\n\":1}\n");
}

}  // namespace
}  // namespace verdant::crawler
