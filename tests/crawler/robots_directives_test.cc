#include "apps/crawler/robots_directives.h"

#include <string_view>

#include "gtest/gtest.h"

namespace verdant::crawler {
namespace {

RobotsDirectives Header(std::string_view value) {
  RobotsDirectives directives;
  AddRobotsTagHeader(value, "VerdantBot", &directives);
  return directives;
}

RobotsDirectives Meta(std::string_view name, std::string_view content) {
  RobotsDirectives directives;
  AddMetaRobots(name, content, "VerdantBot", &directives);
  return directives;
}

void Expect(const RobotsDirectives& got, bool noindex, bool nofollow) {
  EXPECT_EQ(got.noindex, noindex);
  EXPECT_EQ(got.nofollow, nofollow);
}

TEST(RobotsTag, ReadsCommaLists) {
  Expect(Header("noindex"), true, false);
  Expect(Header("NoFollow"), false, true);
  Expect(Header(" noindex ,nofollow "), true, true);
  Expect(Header("none"), true, true);
  Expect(Header("all, index, follow, noarchive, nosnippet"), false, false);
  Expect(Header(""), false, false);
  Expect(Header(",,,"), false, false);
  Expect(Header("noindexed, xnofollow"), false, false);
}

TEST(RobotsTag, AgentsTakeWhatFollowsThem) {
  Expect(Header("verdantbot: noindex, nofollow"), true, true);
  Expect(Header("otherbot: noindex, nofollow"), false, false);
  Expect(Header("noindex, otherbot: nofollow"), true, false);
  Expect(Header("otherbot: noindex, VerdantBot: nofollow"), false, true);
  Expect(Header("VerdantBot : none"), true, true);
  Expect(Header(": noindex"), false, false);
}

TEST(RobotsTag, ValuedDirectivesAreNoAgents) {
  Expect(Header("max-snippet: 20, noindex"), true, false);
  Expect(Header("max-image-preview:large, nofollow"), false, true);
}

TEST(RobotsTag, UnavailableAfterIsReported) {
  EXPECT_EQ(Header("unavailable_after: 25 Jun 2030 15:00:00 PST").unavailable_after,
            "25 Jun 2030 15:00:00 PST");
  const RobotsDirectives with_comma =
      Header("unavailable_after: Wed, 03 Dec 2030 13:09:53 GMT, noindex");
  EXPECT_EQ(with_comma.unavailable_after, "Wed, 03 Dec 2030 13:09:53 GMT");
  Expect(with_comma, true, false);
  EXPECT_EQ(Header("verdantbot: unavailable_after: 2030-01-01").unavailable_after, "2030-01-01");
  EXPECT_EQ(Header("otherbot: unavailable_after: 2030-01-01").unavailable_after, "");
  EXPECT_EQ(Header("unavailable_after:").unavailable_after, "");
}

TEST(RobotsTag, SeveralHeadersAddUp) {
  RobotsDirectives directives;
  AddRobotsTagHeader("noindex", "VerdantBot", &directives);
  AddRobotsTagHeader("verdantbot: nofollow", "VerdantBot", &directives);
  AddRobotsTagHeader("all", "VerdantBot", &directives);
  Expect(directives, true, true);
}

TEST(MetaRobots, TakesRobotsAndOurOwnName) {
  Expect(Meta("robots", "noindex, nofollow"), true, true);
  Expect(Meta("ROBOTS", "NOFOLLOW"), false, true);
  Expect(Meta(" VerdantBot ", "none"), true, true);
  Expect(Meta("otherbot", "none"), false, false);
  Expect(Meta("", "none"), false, false);
  Expect(Meta("description", "nofollow"), false, false);
  EXPECT_EQ(Meta("robots", "unavailable_after: 2030-01-01").unavailable_after, "2030-01-01");
}

TEST(MetaRobots, AnEmptyTokenMatchesNothing) {
  RobotsDirectives directives;
  AddMetaRobots("", "none", "", &directives);
  AddRobotsTagHeader(": none", "", &directives);
  Expect(directives, false, false);
}

TEST(Directives, MergeAddsUp) {
  RobotsDirectives a = Header("noindex, unavailable_after: 2030-01-01");
  a.Merge(Header("nofollow"));
  Expect(a, true, true);
  EXPECT_EQ(a.unavailable_after, "2030-01-01");
}

}  // namespace
}  // namespace verdant::crawler
