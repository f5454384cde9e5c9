#include "apps/crawler/srcset.h"

#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

namespace verdant::crawler {
namespace {

using Urls = std::vector<std::string_view>;

TEST(Srcset, SplitsCandidates) {
  EXPECT_EQ(ParseSrcset("a.png 1x, b.png 2x"), (Urls{"a.png", "b.png"}));
  EXPECT_EQ(ParseSrcset("a.png"), (Urls{"a.png"}));
  EXPECT_EQ(ParseSrcset("a 100w,b 200w 50h,c"), (Urls{"a", "b", "c"}));
  EXPECT_EQ(ParseSrcset("\n a\t1x\n,\n b \f2x\r\n"), (Urls{"a", "b"}));
}

TEST(Srcset, NothingGivesNothing) {
  EXPECT_TRUE(ParseSrcset("").empty());
  EXPECT_TRUE(ParseSrcset(" , ,, ").empty());
}

TEST(Srcset, CommasInsideUrlsStay) {
  EXPECT_EQ(ParseSrcset("a,b.png 1x, c,d.png 2x"), (Urls{"a,b.png", "c,d.png"}));
  EXPECT_EQ(ParseSrcset("data:,a ( , data:,b 1x, ), data:,c"), (Urls{"data:,a", "data:,c"}));
}

TEST(Srcset, CommasBehindUrlsEndTheCandidate) {
  EXPECT_EQ(ParseSrcset("a.png, b.png,,, c.png"), (Urls{"a.png", "b.png", "c.png"}));
}

TEST(Srcset, AnOpenParenthesisSwallowsTheRest) {
  EXPECT_EQ(ParseSrcset("a (1x, b 2x"), (Urls{"a"}));
}

TEST(Srcset, StopsAtTheLimit) {
  std::string many;
  for (int i = 0; i < 100; ++i) many += "a 1x, ";
  EXPECT_EQ(ParseSrcset(many, 7).size(), 7u);
  EXPECT_EQ(ParseSrcset(many).size(), 100u);
}

}  // namespace
}  // namespace verdant::crawler
