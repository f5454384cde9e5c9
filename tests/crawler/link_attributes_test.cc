#include "apps/crawler/link_attributes.h"

#include "gtest/gtest.h"

namespace verdant::crawler {
namespace {

TEST(LinkAttributes, EachNameHasItsOwnPlaceAndOthersHaveNone) {
  LinkAttributes attributes;
  for (const char* name : {"href", "src", "srcset", "imagesrcset", "data", "poster", "rel", "name",
                           "content", "http-equiv", "xlink:href"}) {
    LinkAttributes::Value* slot = attributes.Slot(name);
    ASSERT_NE(slot, nullptr) << name;
    EXPECT_FALSE(slot->has_value()) << name;
    *slot = name;
  }
  EXPECT_EQ(attributes.href, "href");
  EXPECT_EQ(attributes.http_equiv, "http-equiv");
  EXPECT_EQ(attributes.xlink_href, "xlink:href");
  for (const char* name : {"", "id", "alt", "class", "hrefs", "SRC", "onclick", "placeholder"}) {
    EXPECT_EQ(attributes.Slot(name), nullptr) << name;
  }
}

TEST(LinkAttributes, OnlyTheWhiteSpaceOfHtmlIsStripped) {
  EXPECT_EQ(StripHtmlSpace(" \t\r\n\fa b\n "), "a b");
  EXPECT_EQ(StripHtmlSpace("\v a\xc2\xa0"), "\v a\xc2\xa0");
  EXPECT_EQ(StripHtmlSpace(" \n"), "");
  EXPECT_EQ(StripHtmlSpace(""), "");
}

TEST(LinkAttributes, WordsAreFoundWholeInCapitalAndSmallLetters) {
  EXPECT_TRUE(HasWord("nofollow", "nofollow"));
  EXPECT_TRUE(HasWord("external\n NoFollow\tme", "nofollow"));
  EXPECT_FALSE(HasWord("nofollowed dont-nofollow no follow", "nofollow"));
  EXPECT_FALSE(HasWord("external,nofollow", "nofollow"));
  EXPECT_FALSE(HasWord(" ", "nofollow"));
  EXPECT_FALSE(HasWord("", "nofollow"));
}

TEST(LinkAttributes, OnlyHttpCanBeFetched) {
  for (const char* url : {"mailto:a@b", "javascript:void(0)", "data:,x", "TEL:1", "a+b.c-1:x"}) {
    EXPECT_TRUE(HasForeignScheme(url)) << url;
  }
  for (const char* url : {"http://a", "HTTPS://a", "//a:80/", "a/b:c", "?q=a:b", "#a:b", ":x",
                          "1a:b", "", "plain", "a b:c"}) {
    EXPECT_FALSE(HasForeignScheme(url)) << url;
  }
}

}  // namespace
}  // namespace verdant::crawler
