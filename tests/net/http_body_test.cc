#include "net/http_body.h"

#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

namespace verdant::net {
namespace {

struct Decoded {
  std::string data;
  std::size_t taken = 0;
};

// Feeds `input` in pieces of `step` bytes, as far as the decoder takes it.
Decoded DecodeTorn(HttpBodyDecoder& decoder, std::string_view input, std::size_t step,
                   std::size_t max_data = std::string_view::npos) {
  Decoded decoded;
  while (decoded.taken < input.size() && !decoder.done() && !decoder.failed()) {
    std::string_view data;
    decoded.taken += decoder.Decode(input.substr(decoded.taken, step), &data, max_data);
    EXPECT_LE(data.size(), max_data);
    decoded.data += data;
  }
  return decoded;
}

HttpBodyDecoder Chunked(const HttpLimits& limits = {}) {
  return HttpBodyDecoder(HttpFraming::kChunked, 0, limits);
}

TEST(HttpBodyDecoder, WithoutABodyItTakesNothing) {
  HttpBodyDecoder none;
  EXPECT_TRUE(none.done());
  HttpBodyDecoder empty(HttpFraming::kLength, 0, {});
  EXPECT_TRUE(empty.done());
  std::string_view data;
  EXPECT_EQ(none.Decode("GET", &data), 0u);
}

TEST(HttpBodyDecoder, ALengthIsCountedOff) {
  for (std::size_t step = 1; step < 12; ++step) {
    HttpBodyDecoder decoder(HttpFraming::kLength, 5, {});
    EXPECT_EQ(decoder.remaining_in_piece(), 5u);
    const Decoded decoded = DecodeTorn(decoder, "helloGET", step);
    EXPECT_EQ(decoded.data, "hello");
    EXPECT_EQ(decoded.taken, 5u);
    EXPECT_TRUE(decoder.done());
  }
}

TEST(HttpBodyDecoder, ChunksTornAnywhereGiveTheSameContent) {
  const std::string body =
      "5\r\nhello\r\n1;name\r\n \r\n006 ; a=b;c=\"d;\\\"e\" ; f\r\nworld!\r\nA\r\n0123456789\r\n"
      "0;last\r\nTrailer: x\r\nOther:\r\n\r\n";
  for (std::size_t step = 1; step <= body.size() + 3; ++step) {
    for (const std::size_t max_data : {std::size_t{1}, std::size_t{4}, std::size_t{1000}}) {
      HttpBodyDecoder decoder = Chunked();
      const Decoded decoded = DecodeTorn(decoder, body + "GET", step, max_data);
      EXPECT_EQ(decoded.data, "hello world!0123456789") << step;
      EXPECT_EQ(decoded.taken, body.size()) << step;
      EXPECT_TRUE(decoder.done());
    }
  }
}

TEST(HttpBodyDecoder, B10_10_WhatIsMalformedIsRefusedHoweverItIsTorn) {
  const std::vector<std::string> cases = {
      "\r\n",
      "x\r\n",
      "-5\r\nhello\r\n",
      "+5\r\nhello\r\n",
      "0x5\r\nhello\r\n",
      " 5\r\nhello\r\n",
      "5 \r\nhello\r\n",
      "5\nhello\r\n",
      "5\r\nhello\n",
      "5\r\nhello!\r\n",
      "5\r\nhell\r\n0\r\n\r\n",
      "5\r\nhelloGE\r\n",
      "00000000000000005\r\nhello\r\n",
      "5;\r\nhello\r\n",
      "5;=x\r\nhello\r\n",
      "5;a=\r\nhello\r\n",
      "5;a=\"x\r\nhello\r\n",
      "5;a=\"x\\\"\r\nhello\r\n",
      "5;a b\r\nhello\r\n",
      "5,a\r\nhello\r\n",
      "5;a\rb\r\nhello\r\n",
      "5;a\nb\r\nhello\r\n",
      "5;\x01\r\nhello\r\n",
      "0\r\nno colon\r\n\r\n",
      "0\r\nbad name: x\r\n\r\n",
      "0\r\nX: a\rb\r\n\r\n",
      "0\r\nX: a\n\r\n",
      "0\r\n\n",
      "0\n\n",
  };
  for (const std::string& body : cases) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{3}, body.size()}) {
      HttpBodyDecoder decoder = Chunked();
      DecodeTorn(decoder, body, step);
      EXPECT_TRUE(decoder.failed()) << body;
      EXPECT_EQ(decoder.error().status, 400) << body;
      EXPECT_FALSE(decoder.error().detail.empty());
    }
  }
}

TEST(HttpBodyDecoder, TheWholeBodyHasALimit) {
  HttpLimits limits;
  limits.body = 10;
  HttpBodyDecoder fits = Chunked(limits);
  EXPECT_EQ(DecodeTorn(fits, "5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n", 100).data, "helloworld");
  EXPECT_TRUE(fits.done());
  for (const char* body : {"b\r\n", "5\r\nhello\r\n6\r\n", "ffffffffffffffff\r\n",
                           "5\r\nhello\r\nffffffffffffffff\r\n"}) {
    HttpBodyDecoder decoder = Chunked(limits);
    DecodeTorn(decoder, body, 100);
    ASSERT_TRUE(decoder.failed()) << body;
    EXPECT_EQ(decoder.error().status, 413) << body;
  }
}

TEST(HttpBodyDecoder, B10_10_ExtensionsAndTrailersHaveLimits) {
  for (const std::size_t step : {std::size_t{1}, std::size_t{100000}}) {
    HttpBodyDecoder fits = Chunked();
    DecodeTorn(
        fits,
        "1;" + std::string(8191, 'e') + "\r\nx\r\n0\r\nX: " + std::string(8000, 't') + "\r\n\r\n",
        step);
    EXPECT_TRUE(fits.done()) << fits.error().detail;
    HttpBodyDecoder extension = Chunked();
    DecodeTorn(extension, "1;" + std::string(8192, 'e') + "\r\nx\r\n", step);
    EXPECT_EQ(extension.error().detail, "a chunk's extension is too long");
    HttpBodyDecoder endless = Chunked();
    EXPECT_LT(DecodeTorn(endless, "1;" + std::string(100000, 'e'), step).taken, 8300u);
    EXPECT_TRUE(endless.failed());
    HttpBodyDecoder trailers = Chunked();
    std::string many = "0\r\n";
    for (int i = 0; i < 3000; ++i) many += "X: y\r\n";
    DecodeTorn(trailers, many, step);
    EXPECT_EQ(trailers.error().detail, "the trailers are too large");
  }
}

}  // namespace
}  // namespace verdant::net
