#include "net/http_parser.h"

#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace verdant::net {
namespace {

// Feeds `input` in pieces of `step` bytes, as far as the parser takes it; returns how much it took.
std::size_t FeedTorn(HttpRequestParser& parser, std::string_view input, std::size_t step) {
  std::size_t taken = 0;
  while (taken < input.size() && !parser.done() && !parser.failed()) {
    taken += parser.Feed(input.substr(taken, step));
  }
  return taken;
}

std::string Summary(const HttpRequestHead& head) {
  std::string text = absl::StrCat(head.method(), " ", head.target(), " 1.", head.version_minor());
  for (const HttpHeaders::Field field : head.headers()) {
    absl::StrAppend(&text, " [", field.name, "|", field.value, "]");
  }
  return text;
}

TEST(HttpRequestParser, ARequestTornAnywhereIsTheSameRequest) {
  const std::string head =
      "POST /a/b?c=d&e HTTP/1.1\r\nHost: example.org:80\r\nX-Empty:\r\nX-Space: \t a b \t\r\n"
      "Content-Length: 5\r\n\r\n";
  for (std::size_t step = 1; step <= head.size() + 5; ++step) {
    HttpRequestParser parser;
    EXPECT_TRUE(parser.idle());
    EXPECT_EQ(FeedTorn(parser, head + "body!GET", step), head.size()) << step;
    ASSERT_TRUE(parser.done()) << step;
    const HttpRequestHead request = parser.TakeHead();
    EXPECT_EQ(
        Summary(request),
        "POST /a/b?c=d&e 1.1 [Host|example.org:80] [X-Empty|] [X-Space|a b] [Content-Length|5]");
    EXPECT_EQ(request.path(), "/a/b");
    EXPECT_EQ(request.query(), "c=d&e");
    EXPECT_EQ(request.framing(), HttpFraming::kLength);
    EXPECT_EQ(request.content_length(), 5u);
    EXPECT_TRUE(parser.idle());
  }
}

TEST(HttpRequestParser, OneAfterTheOther) {
  HttpRequestParser parser;
  const std::string input =
      "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /2 HTTP/1.1\r\nHost: b\r\n\r\n";
  std::size_t at = parser.Feed(input);
  ASSERT_TRUE(parser.done());
  EXPECT_EQ(Summary(parser.TakeHead()), "GET /1 1.1 [Host|a]");
  at += parser.Feed(std::string_view(input).substr(at));
  EXPECT_EQ(at, input.size());
  ASSERT_TRUE(parser.done());
  EXPECT_EQ(Summary(parser.TakeHead()), "GET /2 1.1 [Host|b]");
}

TEST(HttpRequestParser, FormsOfTheTarget) {
  const std::vector<std::vector<std::string>> cases = {
      // request line, path, query
      {"GET / HTTP/1.1", "/", ""},
      {"GET /x?y?z HTTP/1.1", "/x", "y?z"},
      {"GET /x? HTTP/1.1", "/x", ""},
      {"GET //x HTTP/1.1", "//x", ""},
      {"GET http://h/p?q HTTP/1.1", "/p", "q"},
      {"GET http://h HTTP/1.1", "/", ""},
      {"GET HTTPS://h?q HTTP/1.1", "/", "q"},
      {"OPTIONS * HTTP/1.1", "*", ""},
      {"CONNECT h:443 HTTP/1.1", "h:443", ""},
      {"GET /\xc3\xa4 HTTP/1.1", "/\xc3\xa4", ""},
      {"M-SEARCH / HTTP/1.1", "/", ""},
  };
  for (const auto& c : cases) {
    HttpRequestParser parser;
    parser.Feed(c[0] + "\r\nHost: h\r\n\r\n");
    ASSERT_TRUE(parser.done()) << c[0] << ": " << parser.error().detail;
    const HttpRequestHead head = parser.TakeHead();
    EXPECT_EQ(head.path(), c[1]) << c[0];
    EXPECT_EQ(head.query(), c[2]) << c[0];
  }
}

struct Malformed {
  std::string input;
  int status;
  std::string detail;  // a part of it
};

TEST(HttpRequestParser, WhatIsMalformedIsRefusedHoweverItIsTorn) {
  const std::string get = "GET / HTTP/1.1\r\nHost: h\r\n";
  const std::string post = "POST / HTTP/1.1\r\nHost: h\r\n";
  const std::vector<Malformed> cases = {
      // Request lines.
      {"GET /\r\n", 400, "malformed request line"},
      {"GET\r\n", 400, "malformed request line"},
      {" GET / HTTP/1.1\r\n", 400, "malformed request line"},
      {"GET  / HTTP/1.1\r\n", 400, "malformed request line"},
      {"GET /  HTTP/1.1\r\n", 400, "malformed request line"},
      {"GET / x HTTP/1.1\r\n", 400, "malformed request line"},
      {"GET / HTTP/1.1 \r\n", 400, "malformed request line"},
      {"GET / http/1.1\r\n", 400, "malformed request line"},
      {"GET / HTTP/1\r\n", 400, "malformed request line"},
      {"GET / HTTP/1.10\r\n", 400, "malformed request line"},
      {"GET / HTTP/+1.1\r\n", 400, "malformed request line"},
      {"GET x HTTP/1.1\r\n", 400, "malformed request line"},
      {"GET * HTTP/1.1\r\n", 400, "malformed request line"},
      {"GET ftp://h/ HTTP/1.1\r\n", 400, "malformed request line"},
      {"CONNECT /x HTTP/1.1\r\n", 400, "malformed request line"},
      {"G<T / HTTP/1.1\r\n", 400, "malformed request line"},
      {std::string("GET /\0 HTTP/1.1\r\n", 18), 400, "malformed request line"},
      {"GET /\x7f HTTP/1.1\r\n", 400, "malformed request line"},
      {"GET /a\rb HTTP/1.1\r\n", 400, "malformed request line"},
      {"GET / HTTP/1.1\n", 400, "CR LF"},
      {"\n", 400, "CR LF"},
      {"\r\n\r\n\r\n", 400, "no request line"},
      {"\x16\x03\x01\x02 \n", 400, "CR LF"},
      {"GET / HTTP/2.0\r\n", 505, "HTTP/2.0"},
      {"GET / HTTP/0.9\r\n", 505, "HTTP/0.9"},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "malformed request line"},
      // Headers.
      {get + "X\r\n", 400, "malformed header line 'X'"},
      {get + "X y: z\r\n", 400, "malformed header line"},
      {get + "X : y\r\n", 400, "malformed header line"},
      {get + ": y\r\n", 400, "malformed header line"},
      {get + " folded\r\n", 400, "malformed header line"},
      {get + "\tX: folded\r\n", 400, "malformed header line"},
      {get + "X: a\rb\r\n", 400, "malformed header line"},
      {get + "X: a\r\r\n", 400, "malformed header line"},
      {get + std::string("X: \0\r\n", 6), 400, "malformed header line"},
      {get + "X: a\n", 400, "CR LF"},
      {get + "\n", 400, "CR LF"},
      // Hosts.
      {"GET / HTTP/1.1\r\n\r\n", 400, "no Host"},
      {get + "Host: other\r\n\r\n", 400, "several Host"},
      {"GET / HTTP/1.0\r\nHost: a\r\nhost: a\r\n\r\n", 400, "several Host"},
      {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "malformed Host"},
      {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, "malformed Host"},
      {"GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", 400, "malformed Host"},
      {"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400, "malformed Host"},
      // A16.3 and decision 18: where could a body end?
      {post + "Content-Length: -1\r\n\r\n", 400, "malformed Content-Length"},
      {post + "Content-Length: +1\r\n\r\n", 400, "malformed Content-Length"},
      {post + "Content-Length: 0x1\r\n\r\n", 400, "malformed Content-Length"},
      {post + "Content-Length: 1 1\r\n\r\n", 400, "malformed Content-Length"},
      {post + "Content-Length:\r\n\r\n", 400, "malformed Content-Length"},
      {post + "Content-Length: 5, 5\r\n\r\n", 400, "malformed Content-Length"},
      {post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", 400, "malformed Content-Length"},
      {post + "Content-Length: 5\r\nContent-length: 6\r\n\r\n", 400, "malformed Content-Length"},
      {post + "Content-Length: 9223372036854775808\r\n\r\n", 400, "malformed Content-Length"},
      {post + "Content-Length: 99999999999999999999999\r\n\r\n", 400, "malformed Content-Length"},
      {post + "Content-Length: 9223372036854775807\r\n\r\n", 413, "too large"},
      {post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "both"},
      {post + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400, "both"},
      {post + "Transfer-Encoding: gzip\r\nContent-Length: 3\r\n\r\n", 400, "both"},
      {post + "Transfer-Encoding: gzip\r\n\r\n", 501, "'gzip'"},
      {post + "Transfer-Encoding: identity\r\n\r\n", 501, "'identity'"},
      {post + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501, "'gzip, chunked'"},
      {post + "Transfer-Encoding: chunked, chunked\r\n\r\n", 501, "'chunked, chunked'"},
      {post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 501,
       "'chunked, chunked'"},
      {post + "Transfer-Encoding: xchunked\r\n\r\n", 501, "'xchunked'"},
      {post + "Transfer-Encoding: chunked;q=1\r\n\r\n", 501, "'chunked;q=1'"},
      {post + "Transfer-Encoding: \"chunked\"\r\n\r\n", 501, "chunked"},
      {post + "Transfer-Encoding:\r\n\r\n", 501, "''"},
      {post + "Transfer-Encoding: \x0b"
              "chunked\r\n\r\n",
       400, "malformed header line"},
      {post + "Transfer-Encoding : chunked\r\n\r\n", 400, "malformed header line"},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "in HTTP/1.0"},
      {get + "Expect: miracles\r\n\r\n", 417, "'miracles'"},
  };
  for (const Malformed& c : cases) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, c.input.size() + 1}) {
      HttpRequestParser parser;
      FeedTorn(parser, c.input, step);
      ASSERT_TRUE(parser.failed()) << c.input;
      EXPECT_EQ(parser.error().status, c.status) << c.input;
      EXPECT_NE(parser.error().detail.find(c.detail), std::string::npos)
          << c.input << ": " << parser.error().detail;
      EXPECT_EQ(parser.Feed("GET / HTTP/1.1\r\n"), 0u);
    }
  }
}

TEST(HttpRequestParser, A16_1_ALineOfTheLimitIsTooLong) {
  for (const std::size_t step : {std::size_t{1}, std::size_t{1000}, std::size_t{100000}}) {
    const std::string fits = "GET /" + std::string(8191 - 16, 'a') + " HTTP/1.1\r\n";
    ASSERT_EQ(fits.size(), 8191u);
    HttpRequestParser good;
    FeedTorn(good, fits + "Host: h\r\n\r\n", step);
    EXPECT_TRUE(good.done());
    HttpRequestParser bad;
    FeedTorn(bad, "GET /a" + fits.substr(5), step);
    ASSERT_TRUE(bad.failed());
    EXPECT_EQ(bad.error().status, 414);
    HttpRequestParser endless;
    EXPECT_EQ(FeedTorn(endless, std::string(100000, 'x'), step), 8192u);
    EXPECT_EQ(endless.error().status, 414);
  }
}

TEST(HttpRequestParser, A16_2_HeadersHaveLimits) {
  const std::string start = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (const std::size_t step : {std::size_t{1}, std::size_t{1000}, std::size_t{1000000}}) {
    HttpRequestParser fits;
    FeedTorn(fits, start + "X: " + std::string(8191 - 5, 'v') + "\r\n\r\n", step);
    EXPECT_TRUE(fits.done());
    HttpRequestParser line;
    FeedTorn(line, start + "X: " + std::string(8191 - 4, 'v') + "\r\n\r\n", step);
    EXPECT_EQ(line.error().status, 400);
    EXPECT_EQ(line.error().reason, "Header Line Too Long");
    HttpRequestParser all;
    std::string many = start;
    for (int i = 0; i < 20; ++i) many += "X: " + std::string(4000, 'v') + "\r\n";
    FeedTorn(all, many, step);
    EXPECT_EQ(all.error().status, 400);
    EXPECT_EQ(all.error().reason, "Headers Too Large");
    HttpRequestParser count;
    many = start;
    for (int i = 0; i < 256; ++i) many += "X:\r\n";
    FeedTorn(count, many, step);
    EXPECT_EQ(count.error().reason, "Headers Too Large");
  }
}

TEST(HttpRequestParser, A16_7_WhetherTheClientWillAskAgain) {
  const auto keep_alive = [](const std::string& version, const std::string& connection) {
    HttpRequestParser parser;
    parser.Feed("GET / HTTP/" + version + "\r\nHost: h\r\n" + connection + "\r\n");
    EXPECT_TRUE(parser.done()) << parser.error().detail;
    return parser.TakeHead().keep_alive();
  };
  EXPECT_TRUE(keep_alive("1.1", ""));
  EXPECT_TRUE(keep_alive("1.9", ""));
  EXPECT_FALSE(keep_alive("1.1", "Connection: close\r\n"));
  EXPECT_FALSE(keep_alive("1.1", "Connection: TE, Close\r\n"));
  EXPECT_FALSE(keep_alive("1.0", ""));
  EXPECT_TRUE(keep_alive("1.0", "Connection: Keep-Alive\r\n"));
}

TEST(HttpRequestParser, A16_5_WhetherTheClientWaitsToContinue) {
  const auto expects = [](const std::string& version, const std::string& headers) {
    HttpRequestParser parser;
    parser.Feed("POST / HTTP/" + version + "\r\nHost: h\r\nExpect: 100-Continue\r\n" + headers +
                "\r\n");
    EXPECT_TRUE(parser.done()) << parser.error().detail;
    return parser.TakeHead().expects_continue();
  };
  EXPECT_TRUE(expects("1.1", "Content-Length: 1\r\n"));
  EXPECT_TRUE(expects("1.1", "Transfer-Encoding: CHUNKED\r\n"));
  EXPECT_FALSE(expects("1.1", ""));
  EXPECT_FALSE(expects("1.0", "Content-Length: 1\r\n"));
}

TEST(ParseContentLength, TakesDigitsBelow2To63) {
  EXPECT_EQ(ParseContentLength("0"), 0u);
  EXPECT_EQ(ParseContentLength("007"), 7u);
  EXPECT_EQ(ParseContentLength("9223372036854775807"), 9223372036854775807u);
  for (const char* text :
       {"", " 1", "1 ", "-0", "+1", "1,1", "0x1", "1e3", "9223372036854775808"}) {
    EXPECT_FALSE(ParseContentLength(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace verdant::net
