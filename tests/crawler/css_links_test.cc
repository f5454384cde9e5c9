#include "apps/crawler/css_links.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace verdant::crawler {
namespace {

CssLinks Extract(std::string_view css, const CssLimits& limits = {}) {
  CssLinkExtractor extractor(limits);
  extractor.Feed(css);
  return extractor.Finish();
}

// The URLs, those of imports with "@" before them.
std::vector<std::string> Urls(const CssLinks& css) {
  std::vector<std::string> urls;
  for (const CssLink& link : css.links)
    urls.push_back(absl::StrCat(link.import ? "@" : "", link.url));
  return urls;
}

std::vector<std::string> Urls(std::string_view css) { return Urls(Extract(css)); }

using List = std::vector<std::string>;

TEST(CssLinks, UrlsStandQuotedOrNot) {
  EXPECT_EQ(Urls("a { background: url(one.png) } b { src: URL( 'two.png' ), url(\"three.png\") }"
                 "c { cursor: Url(  four.cur\n) }"),
            (List{"one.png", "two.png", "three.png", "four.cur"}));
}

TEST(CssLinks, ImportsAreStringsOrUrls) {
  EXPECT_EQ(Urls("@import 'a.css';@IMPORT url(b.css) screen;@import/**/url( \"c.css\" );"
                 "@import \"d.css\" layer(x) supports(display: grid);"),
            (List{"@a.css", "@b.css", "@c.css", "@d.css"}));
}

TEST(CssLinks, OnlyTheStringRightAfterImportIsItsTarget) {
  EXPECT_EQ(Urls("@import; 'x' @import screen 'y'; @importer 'z'; @import { 'v' }"), List{});
}

TEST(CssLinks, EscapesAreDecoded) {
  EXPECT_EQ(
      Urls(R"(a{b:url(a\ b\29.png);c:\75rl("\64 \"e\.png");d:u\52 L(x)} @\69mport "\2e./y";)"),
      (List{"a b).png", "d\"e.png", "x", "@../y"}));
}

TEST(CssLinks, NamesThatOnlyEndAsUrlAreNone) {
  EXPECT_EQ(Urls("a{b:curl(x); c:url-prefix(y); d:url (z); e:myurl('v'); f: local(\"w\")}"),
            List{});
}

TEST(CssLinks, CommentsAndStringsHoldNone) {
  EXPECT_EQ(Urls("/* url(a) @import 'b'; */ a::after { content: \"url(c) @import 'd'\" }"
                 "b { background: url(/*e*/) } /* url(f)"),
            List{"/*e*/"});
}

TEST(CssLinks, DataFragmentsAndEmptyOnesAreLeftOut) {
  EXPECT_EQ(Urls("a{b:url(data:image/png;base64,AAAA);c:url('DATA:,x');d:url(#shape);e:url();"
                 "f:url('');g:url(' ');h:url(file.svg#part)}@import '';"),
            List{"file.svg#part"});
}

TEST(CssLinks, NamespaceNamesAreNone) {
  EXPECT_EQ(Urls("@namespace svg url(http://example.org/svg); @namespace 'http://example.org/x';"
                 "@namespace url('http://example.org/y'); a{b:url(z)}"),
            List{"z"});
}

TEST(CssLinks, AStyleAttributeIsReadAsWell) {
  EXPECT_EQ(Urls("color: red; background-image: url(a.png), url(b.png)"), (List{"a.png", "b.png"}));
}

TEST(CssLinks, WhatTheEndCutsOffCounts) {
  EXPECT_EQ(Urls("a{b:url(one"), List{"one"});
  EXPECT_EQ(Urls("a{b:url('two"), List{"two"});
  EXPECT_EQ(Urls("@import 'three"), List{"@three"});
}

TEST(CssLinks, MalformedUrlsAreNoneAndTheRestIsRead) {
  EXPECT_EQ(Urls("a{b:url(x y);c:url(x'y);d:url(good)} e{f:\"unended\n;g:url(fine)}"),
            (List{"good", "fine"}));
}

TEST(CssLinks, ChunksMayBeCutAnywhere) {
  const std::string css =
      "\xEF\xBB\xBF@charset \"utf-8\";/* url(no) */@import /**/ 'a.css' screen;@import url( "
      "\"b.css\" );"
      "<!-- x{y:1e+5 -1 --v;z:url(  \"c\\64 .png\" );w:url( e\xC3\xA9\\)f.png )} -->"
      "@font-face{src:local('no'),url(data:font/woff;base64,AA==),url(\"g.woff2?#h\")}";
  const List whole = Urls(css);
  ASSERT_EQ(whole.size(), 5u);
  for (size_t first = 0; first <= css.size(); ++first) {
    // Padding brings the cut to where the extractor's own steps end.
    const std::string padding(16 * 1024 - first, ' ');
    EXPECT_EQ(Urls(absl::StrCat(padding, css)), whole) << first;
  }
  CssLinkExtractor extractor;
  for (const char c : css) extractor.Feed(std::string_view(&c, 1));
  EXPECT_EQ(Urls(extractor.Finish()), whole);
}

TEST(CssLinks, TokensMayBeLongerThanAStep) {
  const std::string font = absl::StrCat("a{b:url(data:font/woff;base64,", std::string(300'000, 'A'),
                                        ")} c{d:url(after.png)}");
  const CssLinks css = Extract(font);
  EXPECT_EQ(Urls(css), List{"after.png"});
  EXPECT_FALSE(css.truncated);
}

TEST(CssLinks, ATokenBeyondTheLimitEndsTheStylesheet) {
  CssLimits limits;
  limits.max_token_bytes = 100'000;
  const CssLinks css = Extract(
      absl::StrCat("a{b:url(before)} /*", std::string(300'000, 'x'), "*/ a{b:url(after)}"), limits);
  EXPECT_EQ(Urls(css), List{"before"});
  EXPECT_TRUE(css.truncated);
}

TEST(CssLinks, TheNumberAndLengthOfLinksAreBounded) {
  CssLimits limits;
  limits.max_links = 2;
  limits.max_url_bytes = 4;
  const CssLinks css = Extract("a{b:url(1)url(12345)url(2)url(3)url(4)}", limits);
  EXPECT_EQ(Urls(css), (List{"1", "2"}));
  EXPECT_TRUE(css.truncated);
}

TEST(CssLinks, AnExtractorServesManyStylesheets) {
  CssLinkExtractor extractor;
  for (int i = 0; i < 3; ++i) {
    extractor.Feed("@import");
    EXPECT_EQ(Urls(extractor.Finish()), List{});
    extractor.Feed("'not an import' url(x) /*");
    EXPECT_EQ(Urls(extractor.Finish()), List{"x"});
    extractor.Feed(std::string(1'000'000, '"'));
    EXPECT_EQ(Urls(extractor.Finish()), List{});
  }
}

TEST(CssLinks, InvalidBytesBecomeReplacementCharacters) {
  EXPECT_EQ(Urls("a{b:url(x\xFFy)}"), List{"x\xEF\xBF\xBDy"});
  EXPECT_EQ(Urls(std::string_view("a{b:url(x\0y)}", 14)), List{"x\xEF\xBF\xBDy"});
}

// Every sequence of a few of the bytes that mean something, each before a link that must be found
// unless they open a string, comment, url or escape over it; none may hang or crash.
TEST(CssLinks, AnyBytesAreTaken) {
  constexpr std::string_view kBytes = "\\\"'()/*@-u<!>#1e+.{};\n \xC3\xE2\x80\xFF\xED\xA0\x01";
  for (const char a : kBytes) {
    for (const char b : kBytes) {
      for (const char c : kBytes) {
        const std::string text{a, b, c};
        EXPECT_LE(Urls(absl::StrCat(text, "url(x)")).size(), 1u);
        EXPECT_LE(Urls(absl::StrCat("@import url(", text)).size(), 1u);
      }
    }
  }
}

TEST(CssLinks, TheQuickLookMissesNothing) {
  EXPECT_FALSE(MayHoldCssLinks("color: rgb(1, 2, 3); width: calc(1px + 2px)"));
  EXPECT_FALSE(MayHoldCssLinks("@media print { a { color: red } }"));
  EXPECT_FALSE(MayHoldCssLinks(""));
  EXPECT_FALSE(MayHoldCssLinks("(@"));
  EXPECT_TRUE(MayHoldCssLinks("background: URL(x)"));
  EXPECT_TRUE(MayHoldCssLinks("@Import 'x'"));
  EXPECT_TRUE(MayHoldCssLinks("background: u\\72l(x)"));
}

}  // namespace
}  // namespace verdant::crawler
