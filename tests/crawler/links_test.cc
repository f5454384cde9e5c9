#include "apps/crawler/links.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "apps/crawler/link_kind.h"
#include "gtest/gtest.h"

namespace verdant::crawler {
namespace {

using namespace std::string_view_literals;

PageLinks Extract(std::string_view html, const LinkLimits& limits = {}) {
  LinkExtractor extractor("VerdantBot", limits);
  extractor.Feed(html);
  return extractor.Finish();
}

// "element@attribute=url" for each link.
std::vector<std::string> Described(const PageLinks& page) {
  std::vector<std::string> out;
  for (const Link& link : page.links) {
    out.push_back(absl::StrCat(LinkElementName(link.element), "@",
                               LinkAttributeName(link.attribute), "=", link.url));
  }
  return out;
}

using Strings = std::vector<std::string>;

TEST(Links, FindsEveryElementInDocumentOrder) {
  const PageLinks page = Extract(R"(<!DOCTYPE html><html><head>
      <link rel=stylesheet href=s.css imagesrcset="i1.png 1x, i2.png 2x">
      <script src="j.js"></script><meta http-equiv=refresh content="5; url=r.html"></head>
      <body><a href="a.html">x</a><map><area href=area.html></map><img src=i.png
      srcset="x1.png 1x, x2.png 2x"><iframe src=f.html></iframe>
      <picture><source srcset="p.webp" src=q.mp4></picture><video src=v.mp4 poster=v.jpg></video>
      <audio src=a.ogg></audio><embed src=e.swf><object data=o.pdf></object><track src=t.vtt>
      <input type=image src=in.png><image src=old.png>)");
  EXPECT_EQ(Described(page),
            (Strings{"link@href=s.css",      "link@imagesrcset=i1.png", "link@imagesrcset=i2.png",
                     "script@src=j.js",      "meta@content=r.html",     "a@href=a.html",
                     "area@href=area.html",  "img@src=i.png",           "img@srcset=x1.png",
                     "img@srcset=x2.png",    "iframe@src=f.html",       "source@src=q.mp4",
                     "source@srcset=p.webp", "video@src=v.mp4",         "video@poster=v.jpg",
                     "audio@src=a.ogg",      "embed@src=e.swf",         "object@data=o.pdf",
                     "track@src=t.vtt",      "input@src=in.png",        "img@src=old.png"}));
  EXPECT_EQ(Described(Extract("<frameset><frame src=f.html></frameset>")),
            Strings{"frame@src=f.html"});
}

TEST(Links, FindsWhatStylesName) {
  EXPECT_EQ(Described(Extract(R"html(<a href=1 style="background: url(&quot;a.png&quot;)">
      <style media=print>@import "b.css"; p { background: url( c.png ) } </styles> q { r: url(d) }
      </style><p style="color: rgb(1, 2, 3)"><p STYLE='x:url(#f) url(data:,x) url(mailto:x)'>
      <svg><style>a { b: url(e) }</style></svg><!-- <style>url(no)</style> --><i href=2>)html")),
            (Strings{"a@href=1", "style@url()=a.png", "style@@import=b.css", "style@url()=c.png",
                     "style@url()=d", "style@url()=e"}));
  EXPECT_EQ(Described(Extract("<style>a { b: url(cut")), Strings{"style@url()=cut"});
}

TEST(Links, AStyleOfOneDocumentDoesNotGoOnInTheNext) {
  LinkExtractor extractor("VerdantBot");
  extractor.Feed("<style>a { b: url(");
  EXPECT_TRUE(extractor.Finish().links.empty());
  extractor.Feed("x) url(y) <a href=z><p style=b:url(w)>");
  EXPECT_EQ(Described(extractor.Finish()), (Strings{"a@href=z", "style@url()=w"}));
}

TEST(Links, OfTwoStyleAttributesTheFirstCounts) {
  EXPECT_EQ(Described(Extract("<p style=a:url(1) style=a:url(2)><p style style=a:url(3)>")),
            Strings{"style@url()=1"});
}

TEST(Links, ALongStyleInManyChunksIsReadWhole) {
  std::string html = "<style>";
  Strings expected;
  for (int i = 0; i < 3000; ++i) {
    absl::StrAppend(&html, ".c", i, " < b { background: url('", i, ".png') }\n");
    expected.push_back(absl::StrCat("style@url()=", i, ".png"));
  }
  html.append("</style>");
  LinkExtractor extractor("VerdantBot");
  for (size_t i = 0; i < html.size(); i += 7) extractor.Feed(std::string_view(html).substr(i, 7));
  EXPECT_EQ(Described(extractor.Finish()), expected);
}

TEST(Links, ReadsAllAttributeSpellings) {
  EXPECT_EQ(Described(Extract("<A HREF='1'></A><a href = \"2\"><a href=3><a\nhref\n=\n4\n>"
                              "<a href=5/><a class=x href='6'id=y><a HrEf=7 href=8>")),
            (Strings{"a@href=1", "a@href=2", "a@href=3", "a@href=4", "a@href=5/", "a@href=6",
                     "a@href=7"}));
}

TEST(Links, DecodesEntities) {
  EXPECT_EQ(
      Described(Extract("<a href=\"?a=1&amp;b=2&lt;&#x26;&#38&copy=1&copy;&notit;&unknown;\">")),
      Strings{"a@href=?a=1&b=2<&&&copy=1\xC2\xA9&notit;&unknown;"});
}

TEST(Links, StripsWhiteSpaceAroundAndKeepsItInside) {
  EXPECT_EQ(Described(Extract("<a href=\"\n\t a b\f\r\n\">")), Strings{"a@href=a b"});
}

TEST(Links, LeavesOutWhatIsNoLink) {
  EXPECT_TRUE(Extract("<a href=\"\"><a href=\"  \"><a href><a name=x><a href=mailto:a@b>"
                      "<a href=' JavaScript:void(0)'><img src=data:image/png;base64,AAAA>"
                      "<a href=tel:+1><a href=ftp://h/>")
                  .links.empty());
  EXPECT_EQ(Described(Extract("<a href=HTTP://h/><a href=https:x><a href=./a:b><a href=1a:b>")),
            (Strings{"a@href=HTTP://h/", "a@href=https:x", "a@href=./a:b", "a@href=1a:b"}));
}

TEST(Links, TextIsNoMarkup) {
  const std::string_view kLink = "<a href=no>x</a>";
  for (const std::string_view element :
       {"script", "style", "textarea", "title", "iframe", "noembed", "noframes", "xmp", "STYLE"}) {
    EXPECT_EQ(
        Described(Extract(absl::StrCat("<", element, ">", kLink, "</", element, "><a href=yes>"))),
        Strings{"a@href=yes"})
        << element;
  }
  EXPECT_TRUE(Extract(absl::StrCat("<plaintext>", kLink, "</plaintext>", kLink)).links.empty());
  EXPECT_TRUE(Extract(absl::StrCat("<!-- ", kLink, " -->")).links.empty());
  EXPECT_TRUE(Extract("<p title='<a href=no>'>&lt;a href=no></p>").links.empty());
}

TEST(Links, ScriptsEndWhereBrowsersEndThem) {
  EXPECT_EQ(Described(Extract("<script>'</scrip><a href=no>'</script ><a href=1>")),
            Strings{"a@href=1"});
  EXPECT_EQ(Described(Extract("<script><!-- <script><a href=no></script> --></script><a href=2>")),
            Strings{"a@href=2"});
  EXPECT_EQ(Described(Extract("<script><!-- </script><a href=3>")), Strings{"a@href=3"});
  EXPECT_EQ(Described(Extract("<script src=s/><a href=no></script><a href=4>")),
            (Strings{"script@src=s/", "a@href=4"}));
}

TEST(Links, NoscriptAndTemplateAreRead) {
  EXPECT_EQ(Described(Extract("<noscript><a href=1></noscript><template><a href=2></template>")),
            (Strings{"a@href=1", "a@href=2"}));
}

TEST(Links, SelfClosedElementsInSvgHoldNothing) {
  EXPECT_EQ(Described(Extract("<svg><title/><style/><script/><a xlink:href=1></a></svg>"
                              "<math><style/></math><a href=2>")),
            (Strings{"a@href=1", "a@href=2"}));
  EXPECT_EQ(Described(Extract("<svg/><title><a href=no></title></svg></svg><style/><a href=no>")),
            Strings{});
  EXPECT_EQ(Described(Extract("<svg><a href=1 xlink:href=2>")), Strings{"a@href=1"});
}

TEST(Links, EndTagsAndUnfinishedTagsGiveNothing) {
  EXPECT_TRUE(Extract("</a href=no>").links.empty());
  EXPECT_TRUE(Extract("<a href=no").links.empty());
  EXPECT_TRUE(Extract("<a href=\"no>").links.empty());
  EXPECT_TRUE(Extract("<").links.empty());
  EXPECT_TRUE(Extract("").links.empty());
}

TEST(Links, FirstBaseWithAnHrefCounts) {
  EXPECT_EQ(Extract("<a href=x>").base, std::nullopt);
  EXPECT_EQ(Extract("<a href=x><base target=_top><base href=' /one '><base href=/two>").base,
            "/one");
  EXPECT_EQ(Extract("<base href=''><base href=/two>").base, "");
}

TEST(Links, ReportsNofollowAndHints) {
  const PageLinks page = Extract(
      "<a rel=nofollow href=1><a rel='noopener NOFOLLOW x' href=2><a rel=nofollows href=3>"
      "<area rel=nofollow href=4><link rel='preconnect' href=//h><link rel=dns-prefetch href=//h>"
      "<link rel='preload stylesheet' href=s><a rel=preconnect href=5>");
  ASSERT_EQ(page.links.size(), 8u);
  const std::vector<std::pair<bool, bool>> kExpected = {
      {true, false}, {true, false}, {false, false}, {true, false},
      {false, true}, {false, true}, {false, false}, {false, false}};
  for (size_t i = 0; i < kExpected.size(); ++i) {
    EXPECT_EQ(page.links[i].nofollow, kExpected[i].first) << i;
    EXPECT_EQ(page.links[i].hint, kExpected[i].second) << i;
  }
}

TEST(Links, ReadsMetaRobotsForUs) {
  EXPECT_TRUE(Extract("<meta name=robots content=nofollow>").directives.nofollow);
  EXPECT_TRUE(Extract("<META content='NOINDEX' NAME=Robots>").directives.noindex);
  EXPECT_TRUE(Extract("<meta name=verdantbot content=none>").directives.nofollow);
  const PageLinks other = Extract("<meta name=otherbot content=none><meta name=robots>");
  EXPECT_FALSE(other.directives.nofollow);
  EXPECT_FALSE(other.directives.noindex);
  EXPECT_TRUE(Extract("<meta name=robots content=noindex><meta name=robots content=nofollow>")
                  .directives.noindex);
}

TEST(Links, MetaRefreshWithoutUrlIsNoLink) {
  EXPECT_TRUE(Extract("<meta http-equiv=refresh content=5>").links.empty());
  EXPECT_TRUE(Extract("<meta http-equiv=refresh content='url=x'>").links.empty());
  EXPECT_TRUE(Extract("<meta http-equiv=content-type content='5;url=x'>").links.empty());
}

TEST(Links, ChunksMayBeCutAnywhere) {
  const std::string html =
      "<!DOCTYPE html><base href='/b'><!-- c --><script>a<!--b</script>\r\n<a rel=nofollow "
      "href=\"x?a&amp;b\xC3\xA9\r\ny\">t</a><title>&lt;<a href=no></title><meta name=robots "
      "content=nofollow><img srcset='p 1x, q 2x'><svg><style/><a xlink:href='z&#x41;'/></svg>";
  const PageLinks whole = Extract(html);
  ASSERT_EQ(whole.links.size(), 4u);
  for (size_t cut = 0; cut <= html.size(); ++cut) {
    LinkExtractor extractor("VerdantBot");
    extractor.Feed(std::string_view(html).substr(0, cut));
    extractor.Feed(std::string_view(html).substr(cut));
    const PageLinks page = extractor.Finish();
    EXPECT_EQ(Described(page), Described(whole)) << cut;
    EXPECT_EQ(page.base, whole.base) << cut;
    EXPECT_EQ(page.directives.nofollow, true) << cut;
  }
  LinkExtractor extractor("VerdantBot");
  for (const char c : html) extractor.Feed(std::string_view(&c, 1));
  EXPECT_EQ(Described(extractor.Finish()), Described(whole));
}

TEST(Links, OneExtractorServesManyDocuments) {
  LinkExtractor extractor("VerdantBot");
  extractor.Feed("<base href=/x><svg><meta name=robots content=none><script><a href=no>");
  EXPECT_TRUE(extractor.Finish().directives.noindex);
  for (int i = 0; i < 3; ++i) {
    extractor.Feed("<style/></style><a href=yes>");
    const PageLinks page = extractor.Finish();
    EXPECT_EQ(Described(page), Strings{"a@href=yes"});
    EXPECT_EQ(page.base, std::nullopt);
    EXPECT_FALSE(page.directives.noindex);
  }
  EXPECT_TRUE(extractor.Finish().links.empty());
}

TEST(Links, MovedExtractorsWork) {
  LinkExtractor first("VerdantBot");
  first.Feed("<a hre");
  LinkExtractor second = std::move(first);
  second.Feed("f=x>");
  EXPECT_EQ(Described(second.Finish()), Strings{"a@href=x"});
}

TEST(Links, TheNumberOfLinksIsCapped) {
  std::string html;
  for (int i = 0; i < 20; ++i) absl::StrAppend(&html, "<a href=", i, ">");
  EXPECT_FALSE(Extract(html, {.max_links = 20}).truncated);
  const PageLinks page = Extract(html, {.max_links = 7});
  EXPECT_EQ(page.links.size(), 7u);
  EXPECT_TRUE(page.truncated);
  LinkExtractor extractor("VerdantBot", {.max_links = 1});
  extractor.Feed("<img srcset='a, b, c'>");
  extractor.Feed("<a href=d>");
  EXPECT_EQ(extractor.Finish().links.size(), 1u);
  extractor.Feed("<a href=e>");
  EXPECT_EQ(Described(extractor.Finish()), Strings{"a@href=e"});
}

TEST(Links, LongUrlsAndAttributesAreLeftOut) {
  const LinkLimits limits = {.max_url_bytes = 10, .max_attribute_bytes = 30};
  EXPECT_EQ(Described(Extract("<a href=0123456789><a href=01234567890><a href=x>", limits)),
            (Strings{"a@href=0123456789", "a@href=x"}));
  EXPECT_TRUE(
      Extract("<img srcset='a, b, c, d, e, f, g, h, i, j, k, l, m'>", limits).links.empty());
  EXPECT_EQ(Extract("<img srcset='a, b, c, d, e'>", limits).links.size(), 5u);
}

TEST(Links, ForeignBytesPassThrough) {
  EXPECT_EQ(Described(Extract("<a href=caf\xE9>\xFF\xFE\x80</a><a \xE9=1 href=y>")),
            (Strings{"a@href=caf\xE9", "a@href=y"}));
  EXPECT_EQ(Described(Extract("<a\0 href=no><a href=a\0b>"sv)), Strings{"a@href=a\xEF\xBF\xBD"
                                                                        "b"});
}

TEST(Links, Utf16GivesNothingAndHarmsNothing) {
  std::string wide = "\xFF\xFE";
  for (const char c : "<a href=x>"sv) {
    wide.push_back(c);
    wide.push_back('\0');
  }
  EXPECT_TRUE(Extract(wide).links.empty());
}

TEST(Links, RandomBytesAreSomeDocument) {
  // Mostly characters that matter to the tokenizer, so that deep states are reached.
  constexpr std::string_view kAlphabet = "<<<<>>>/=\"'!-- \n\r\0aAhrefscipty[]&#x;\xC3\xA9\xFF"sv;
  uint64_t state = 42;
  LinkExtractor extractor("VerdantBot");
  for (int round = 0; round < 300; ++round) {
    std::string html;
    for (int i = 0; i < 3000; ++i) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      html.push_back(kAlphabet[(state >> 33) % kAlphabet.size()]);
      if ((state >> 20) % 50 == 0) html.append("<a href=");
      if ((state >> 24) % 200 == 0) html.append("<script>");
    }
    extractor.Feed(html);
    const PageLinks page = extractor.Finish();
    for (const Link& link : page.links) EXPECT_FALSE(link.url.empty());
  }
}

TEST(Links, AnElementWithAMillionAttributesIsHarmless) {
  std::string html = "<a ";
  for (int i = 0; i < 300'000; ++i) absl::StrAppend(&html, "n", i, "=v ");
  absl::StrAppend(&html, "href=late><a href=next>");
  EXPECT_EQ(Described(Extract(html)), (Strings{"a@href=late", "a@href=next"}));
  std::string repeated = "<a ";
  for (int i = 0; i < 300'000; ++i) repeated.append("href=x ");
  repeated.append("><a href=next>");
  EXPECT_EQ(Described(Extract(repeated)).back(), "a@href=next");
}

TEST(Links, ManyNamesAndManyErrorsAreHarmless) {
  std::string names;
  for (int i = 0; i < 100'000; ++i) absl::StrAppend(&names, "<t", i, " x", i, "=1>");
  absl::StrAppend(&names, "<a href=end>");
  EXPECT_EQ(Described(Extract(names)), Strings{"a@href=end"});
  const std::string nuls = absl::StrCat("<a href='", std::string(1'000'000, '\0'), "'><a href=x>");
  EXPECT_EQ(Described(Extract(nuls)), Strings{"a@href=x"});
}

TEST(Links, HugeTextAndValuesAreHarmless) {
  std::string html = absl::StrCat("<a href=1>", std::string(3'000'000, 'x'), "<img src=\"data:,",
                                  std::string(3'000'000, 'y'), "\"><a href=2>");
  for (int i = 0; i < 200'000; ++i) html.append("&amp;");
  html.append("<a href=3>");
  LinkExtractor extractor("VerdantBot");
  for (int i = 0; i < 2; ++i) {
    extractor.Feed(html);
    EXPECT_EQ(Described(extractor.Finish()), (Strings{"a@href=1", "a@href=2", "a@href=3"}));
  }
}

}  // namespace
}  // namespace verdant::crawler
