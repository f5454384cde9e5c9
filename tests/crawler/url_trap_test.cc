#include "apps/crawler/url_trap.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace verdant::crawler {
namespace {

TEST(UrlTrap, OrdinaryPathsAreNone) {
  for (const std::string_view path :
       {"/", "", "/a", "/a/b/c/", "/java/lang/java/lang", "/2024/01/01/", "//", "///a///b///",
        "/a/a", "/a/a/b/b/a/a", "/docs/api/java.base/java/util/concurrent/locks/Lock.html"}) {
    EXPECT_EQ(FindUrlTrap(path), UrlTrap::kNone) << path;
  }
}

TEST(UrlTrap, ASegmentThreeTimesInARowIsATrap) {
  EXPECT_EQ(FindUrlTrap("/a/a/a"), UrlTrap::kRepeatedSegments);
  EXPECT_EQ(FindUrlTrap("/x/a/a/a/y.html"), UrlTrap::kRepeatedSegments);
  EXPECT_EQ(FindUrlTrap("/a/b/a/c/a"), UrlTrap::kNone);
}

TEST(UrlTrap, ARunOfSegmentsThreeTimesIsATrap) {
  EXPECT_EQ(FindUrlTrap("/a/b/a/b/a/b"), UrlTrap::kRepeatedSegments);
  EXPECT_EQ(FindUrlTrap("/x/a/b/c/a/b/c/a/b/c/"), UrlTrap::kRepeatedSegments);
  EXPECT_EQ(FindUrlTrap("/a/b/a/b/a/c"), UrlTrap::kNone);
}

TEST(UrlTrap, TwentySegmentsAreStillFine) {
  std::string path;
  for (int i = 1; i <= 20; ++i) path += "/" + std::to_string(i);
  EXPECT_EQ(FindUrlTrap(path), UrlTrap::kNone);
  EXPECT_EQ(FindUrlTrap(path + "/"), UrlTrap::kNone);
  EXPECT_EQ(FindUrlTrap(path + "/x"), UrlTrap::kTooManySegments);
}

TEST(UrlTrap, LimitsCanBeChosen) {
  EXPECT_EQ(FindUrlTrap("/a/b/c", {.max_segments = 2, .max_repeats = 2}),
            UrlTrap::kTooManySegments);
  EXPECT_EQ(FindUrlTrap("/a/a/a", {.max_segments = 20, .max_repeats = 3}), UrlTrap::kNone);
  EXPECT_EQ(FindUrlTrap("/a/a/a/a", {.max_segments = 20, .max_repeats = 3}),
            UrlTrap::kRepeatedSegments);
}

TEST(UrlTrap, EnormousPathsAreCutShort) {
  std::string path;
  for (int i = 0; i < 1'000'000; ++i) path += "/a";
  EXPECT_EQ(FindUrlTrap(path), UrlTrap::kTooManySegments);
}

TEST(UrlTrap, HasNames) {
  EXPECT_EQ(UrlTrapName(UrlTrap::kNone), "none");
  EXPECT_EQ(UrlTrapName(UrlTrap::kTooManySegments), "too many path segments");
  EXPECT_EQ(UrlTrapName(UrlTrap::kRepeatedSegments), "repeated path segments");
}

}  // namespace
}  // namespace verdant::crawler
