#include "net/http_headers.h"

#include <stdexcept>
#include <string>

#include "gtest/gtest.h"

namespace verdant::net {
namespace {

std::string Text(const HttpHeaders& headers) {
  std::string text;
  for (const HttpHeaders::Field field : headers) {
    text += std::string(field.name) + "=" + std::string(field.value) + ";";
  }
  return text;
}

TEST(HttpHeaders, OrderAndRepetitionsAreKept) {
  HttpHeaders headers;
  headers.Add("Accept", "a");
  headers.Add("Host", " h ");
  headers.Add("accept", "b");
  EXPECT_EQ(Text(headers), "Accept=a;Host=h;accept=b;");
  EXPECT_EQ(headers.Get("ACCEPT"), "a");
  EXPECT_EQ(headers.Joined("Accept"), "a, b");
  EXPECT_EQ(headers.Count("Accept"), 2u);
  EXPECT_FALSE(headers.Get("None").has_value());
  EXPECT_EQ(headers.Joined("None"), "");
}

TEST(HttpHeaders, SetReplacesAllOfTheName) {
  HttpHeaders headers;
  headers.Add("A", "1");
  headers.Add("B", "2");
  headers.Add("a", "3");
  headers.Set("A", "4");
  EXPECT_EQ(Text(headers), "B=2;A=4;");
  EXPECT_TRUE(headers.Remove("b"));
  EXPECT_FALSE(headers.Remove("b"));
  EXPECT_EQ(Text(headers), "A=4;");
}

TEST(HttpHeaders, AValueMayComeFromItself) {
  HttpHeaders headers;
  headers.Add("Name", std::string(100, 'v'));
  for (int i = 0; i < 50; ++i) headers.Add(headers[0].name, headers[0].value);
  EXPECT_EQ(headers[50].name, "Name");
  EXPECT_EQ(headers[50].value, std::string(100, 'v'));
}

TEST(HttpHeaders, TokensAreFoundInLists) {
  HttpHeaders headers;
  headers.Add("Connection", "keep-alive ,\tUpgrade");
  headers.Add("Connection", "x-closed");
  EXPECT_TRUE(headers.HasToken("connection", "upgrade"));
  EXPECT_TRUE(headers.HasToken("connection", "Keep-Alive"));
  EXPECT_FALSE(headers.HasToken("connection", "close"));
}

TEST(HttpHeaders, B10_9_WhatCouldSplitAMessageIsRefused) {
  HttpHeaders headers;
  for (const std::string& value :
       {std::string("a\r\nSet-Cookie: b"), std::string("a\nb"), std::string("a\rb"),
        std::string("a\0b", 3), std::string("\x7f")}) {
    EXPECT_THROW(headers.Add("X", value), std::invalid_argument);
  }
  for (const std::string& name : {std::string(""), std::string("a b"), std::string("a:"),
                                  std::string("a\r\n"), std::string("\xc3\xa4")}) {
    EXPECT_THROW(headers.Add(name, "x"), std::invalid_argument);
    EXPECT_THROW(headers.Set(name, "x"), std::invalid_argument);
  }
  EXPECT_TRUE(headers.empty());
  headers.Add("X", "tab\tand \xc3\xa4 are fine");
}

}  // namespace
}  // namespace verdant::net
