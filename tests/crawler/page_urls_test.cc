#include "apps/crawler/page_urls.h"

#include <string>
#include <string_view>
#include <vector>

#include "apps/crawler/link_kind.h"
#include "apps/crawler/links.h"
#include "apps/crawler/url.h"
#include "gtest/gtest.h"

namespace verdant::crawler {
namespace {

using Strings = std::vector<std::string>;

std::vector<PageUrl> Resolve(std::string_view html,
                             std::string_view page = "http://h/dir/page.html?q") {
  LinkExtractor extractor("VerdantBot");
  extractor.Feed(html);
  return ResolvePageUrls(*Url::Parse(page), extractor.Finish());
}

Strings Hrefs(const std::vector<PageUrl>& urls) {
  Strings out;
  for (const PageUrl& url : urls) out.push_back(url.url.href());
  return out;
}

TEST(PageUrls, ResolvesAgainstThePage) {
  EXPECT_EQ(Hrefs(Resolve("<a href=a><a href=/b><a href=//c/d><a href='?e'><a href=https://f>")),
            (Strings{"http://h/dir/a", "http://h/b", "http://c/d", "http://h/dir/page.html?e",
                     "https://f/"}));
}

TEST(PageUrls, EachUrlIsThereOnceInOrder) {
  EXPECT_EQ(
      Hrefs(Resolve("<a href=b><a href=a><a href=b#1><a href=./a#2><a href=http://H:80/dir/b>")),
      (Strings{"http://h/dir/b", "http://h/dir/a"}));
}

TEST(PageUrls, TheBaseGovernsLinksBeforeItToo) {
  EXPECT_EQ(Hrefs(Resolve("<a href=a><base href=/other/><a href=b>")),
            (Strings{"http://h/other/a", "http://h/other/b"}));
  EXPECT_EQ(Hrefs(Resolve("<base href='sub/x'><a href=a>")), Strings{"http://h/dir/sub/a"});
  EXPECT_EQ(Hrefs(Resolve("<base href='https://z/'><a href=#top>")), Strings{"https://z/"});
}

TEST(PageUrls, AnUnusableBaseIsIgnored) {
  for (const std::string_view base : {"javascript:x", "data:,", "http://[", "ftp://h/"}) {
    EXPECT_EQ(Hrefs(Resolve("<base href=\"" + std::string(base) + "\"><a href=a>")),
              Strings{"http://h/dir/a"});
  }
}

TEST(PageUrls, FragmentsAloneMeanThePage) {
  EXPECT_EQ(Hrefs(Resolve("<a href=#a><a href=#b>")), Strings{"http://h/dir/page.html?q"});
}

TEST(PageUrls, LeavesOutWhatCannotBeFetchedAndHints) {
  EXPECT_TRUE(Resolve("<a href='http://['><a href='http://['><a href='java\tscript:x'>"
                      "<a href=//u:p@h/><link rel=preconnect href=//cdn>")
                  .empty());
}

TEST(PageUrls, NofollowHoldsOnlyWhenEveryLinkSaysSo) {
  const std::vector<PageUrl> urls = Resolve(
      "<a rel=nofollow href=a><a rel=nofollow href=b><a href=./a><a rel=nofollow href=b#x>"
      "<a href=c><a rel=nofollow href=c>");
  ASSERT_EQ(urls.size(), 3u);
  EXPECT_FALSE(urls[0].nofollow);
  EXPECT_TRUE(urls[1].nofollow);
  EXPECT_FALSE(urls[2].nofollow);
}

TEST(PageUrls, KeepsTheFirstElement) {
  const std::vector<PageUrl> urls = Resolve("<img src=a><a href=a>");
  ASSERT_EQ(urls.size(), 1u);
  EXPECT_EQ(urls[0].element, LinkElement::kImg);
}

TEST(PageUrls, OldEncodingsKeepTheirBytes) {
  EXPECT_EQ(Hrefs(Resolve("<a href=caf\xE9><a href=caf\xC3\xA9>")),
            (Strings{"http://h/dir/caf%E9", "http://h/dir/caf%C3%A9"}));
}

}  // namespace
}  // namespace verdant::crawler
