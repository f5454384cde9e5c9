#include "apps/crawler/plain_markup.h"

#include <string>

#include "gtest/gtest.h"

namespace verdant::crawler {
namespace {

std::string Left(std::string_view html) { return std::string(html.substr(SkipPlainMarkup(html))); }

TEST(PlainMarkup, TextAndTagsWithoutAttributesAreLeftOut) {
  EXPECT_EQ(Left("just text & more"), "");
  EXPECT_EQ(Left("<p>one<b>two</b></p>three"), "");
  EXPECT_EQ(Left("<H1>Title</H1>"), "");
  EXPECT_EQ(Left(""), "");
}

TEST(PlainMarkup, StopsAtTheFirstTagThatMayHoldALink) {
  EXPECT_EQ(Left("text<p>more<a href=x>y</a>"), "<a href=x>y</a>");
  EXPECT_EQ(Left("<div\nclass=x>"), "<div\nclass=x>");
  EXPECT_EQ(Left("</p ><p>"), "</p ><p>");
  EXPECT_EQ(Left("<br/>"), "<br/>");
  EXPECT_EQ(Left("<my-element>"), "<my-element>");
}

TEST(PlainMarkup, StopsAtWhateverChangesHowTheRestIsRead) {
  for (const char* name : {"script", "STYLE", "title", "textarea", "xmp", "iframe", "noembed",
                           "noscript", "noframes", "plaintext", "svg", "Math"}) {
    const std::string open = "<" + std::string(name) + ">";
    const std::string close = "</" + std::string(name) + ">";
    EXPECT_EQ(Left("x" + open + "y"), open + "y");
    EXPECT_EQ(Left("x" + close + "y"), close + "y");
  }
  EXPECT_EQ(Left("a<!-- <b> -->"), "<!-- <b> -->");
  EXPECT_EQ(Left("a<?pi ?>"), "<?pi ?>");
  EXPECT_EQ(Left("1 < 2"), "< 2");
}

TEST(PlainMarkup, ATagThatIsCutOffIsNotLeftOut) {
  EXPECT_EQ(Left("text<"), "<");
  EXPECT_EQ(Left("text</"), "</");
  EXPECT_EQ(Left("text<di"), "<di");
  EXPECT_EQ(Left("text<script"), "<script");
}

}  // namespace
}  // namespace verdant::crawler
