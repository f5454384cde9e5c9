#include "hub/internal/stall_log.h"

#include <vector>

#include "gtest/gtest.h"

namespace verdant::internal {
namespace {

constexpr absl::Duration kThreshold = absl::Milliseconds(20);
constexpr absl::Duration kStep = absl::Milliseconds(5);

TEST(StallWatch, A10_2_SaysOnceThatAValueStandsStillForTheThreshold) {
  StallWatch watch(kThreshold);
  EXPECT_FALSE(watch.IsStuckAt(2, kStep));  // how long it has stood there already is not known
  for (int i = 1; i < 4; ++i) EXPECT_FALSE(watch.IsStuckAt(2, kStep));
  EXPECT_TRUE(watch.IsStuckAt(2, kStep));
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(watch.IsStuckAt(2, kStep));
  EXPECT_EQ(watch.stood(), 104 * kStep);
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(watch.IsStuckAt(4, kStep));
  EXPECT_TRUE(watch.IsStuckAt(4, kStep));
}

TEST(StallWatch, A10_2_AHubThatSleepsOrTurnsIsNotStuck) {
  StallWatch watch(kThreshold);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(watch.IsStuckAt(3, kStep));
  for (std::uint64_t value = 4; value < 100; value += 2)
    EXPECT_FALSE(watch.IsStuckAt(value, kThreshold));
}

TEST(StallWatch, A10_2_TimeThatDoesNotCountDoesNotPass) {
  StallWatch watch(kThreshold);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(watch.IsStuckAt(2, absl::ZeroDuration()));
}

TEST(StallWatch, A10_2_WhatNobodyMindedIsToldWhenSomebodyDoes) {
  StallWatch watch(kThreshold);
  EXPECT_FALSE(watch.IsStuckAt(2, kThreshold));
  EXPECT_TRUE(watch.IsStuckAt(2, kThreshold));
  watch.TellAgain();
  EXPECT_TRUE(watch.IsStuckAt(2, kStep));
  EXPECT_FALSE(watch.IsStuckAt(2, kStep));
}

TEST(StallLog, B13_1_EachIsCountedAndEachDoublingReported) {
  StallLog log;
  const SourceLocation site = SourceLocation::current();
  std::vector<std::uint64_t> reported;
  for (int i = 0; i < 20; ++i) {
    if (const std::uint64_t times = log.Begin("Slow()", site, kThreshold))
      reported.push_back(times);
  }
  EXPECT_EQ(reported, (std::vector<std::uint64_t>{1, 2, 4, 8, 16}));
  EXPECT_EQ(log.Begin("Slow()", SourceLocation(), kThreshold), 1u) << "another who is slow there";
  EXPECT_EQ(log.Begin("Other()", site, kThreshold), 1u);
  ASSERT_EQ(log.Sites().size(), 3u);
  EXPECT_EQ(log.Sites()[0].function, "Slow()");
  EXPECT_EQ(log.Sites()[0].spawned_at.line(), site.line());
  EXPECT_EQ(log.Sites()[0].count, 20u);
  EXPECT_EQ(log.Sites()[0].total, 20 * kThreshold);
}

TEST(StallLog, B13_1_OneThatLastsIsCountedOnceWithAllItsTime) {
  StallLog log;
  log.Begin("Slow()", {}, kThreshold);
  log.Begin("Slow()", {}, kThreshold);
  log.Extend(2 * kThreshold);
  log.Extend(5 * kThreshold);
  ASSERT_EQ(log.Sites().size(), 1u);
  EXPECT_EQ(log.Sites()[0].count, 2u);
  EXPECT_EQ(log.Sites()[0].longest, 5 * kThreshold);
  EXPECT_EQ(log.Sites()[0].total, 6 * kThreshold);
}

}  // namespace
}  // namespace verdant::internal
