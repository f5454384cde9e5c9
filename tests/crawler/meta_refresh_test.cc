#include "apps/crawler/meta_refresh.h"

#include <cstdint>
#include <optional>
#include <string_view>

#include "gtest/gtest.h"

namespace verdant::crawler {
namespace {

void Expect(std::string_view content, int64_t seconds, std::string_view url) {
  const std::optional<MetaRefresh> refresh = ParseMetaRefresh(content);
  ASSERT_TRUE(refresh.has_value()) << content;
  EXPECT_EQ(refresh->seconds, seconds) << content;
  EXPECT_EQ(refresh->url, url) << content;
}

TEST(MetaRefresh, ReadsTheUsualForms) {
  Expect("5", 5, "");
  Expect("0;url=next.html", 0, "next.html");
  Expect("5; URL=next.html", 5, "next.html");
  Expect("5, url = next.html", 5, "next.html");
  Expect("5 url=next.html", 5, "next.html");
  Expect(" 5 ; url='next.html' ", 5, "next.html");
  Expect("5;url=\"a b\" junk", 5, "a b");
  Expect("5;next.html", 5, "next.html");
  Expect("5; 'next.html'", 5, "next.html");
}

TEST(MetaRefresh, ReadsOddFormsAsBrowsersDo) {
  Expect("5;", 5, "");
  Expect("5;url=", 5, "");
  Expect("5;url", 5, "url");
  Expect("5;urls=x", 5, "urls=x");
  Expect("5;u", 5, "u");
  Expect("5.9;url=x", 5, "x");
  Expect(".5;url=x", 0, "x");
  Expect("5..2.1;url=x", 5, "x");
  Expect("5;url='x", 5, "x");
  Expect("5\n;\turl=\fx", 5, "x");
}

TEST(MetaRefresh, RefusesWhatBrowsersRefuse) {
  for (const std::string_view content :
       {"", "  ", "url=next.html", "x5;url=y", "-1;url=y", "5x;url=y", ";url=y", "+5"}) {
    EXPECT_FALSE(ParseMetaRefresh(content).has_value()) << content;
  }
}

TEST(MetaRefresh, HugeTimesAreCapped) { Expect("99999999999999999999999;url=x", 2147483647, "x"); }

}  // namespace
}  // namespace verdant::crawler
