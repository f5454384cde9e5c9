#include "hub/stack_usage.h"

#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "greenlet/source_location.h"
#include "greenlet/stack.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "hub/spawn_callback.h"
#include "tests/greenlet/stack_testing.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

constexpr std::size_t kSize = 256 * 1024;
constexpr int kDeep = 60;  // calls of Devour(), each with more than 512 bytes

std::optional<StackUse> UseAt(SourceLocation site) {
  for (const StackUse& use : StackUsage()) {
    if (use.spawned_at.line() == site.line() &&
        std::strcmp(use.spawned_at.file_name(), site.file_name()) == 0) {
      return use;
    }
  }
  return std::nullopt;
}

template <typename Body>
void Measuring(std::size_t every, Body body) {
  OnFreshThread([&] {
    Hub::Configure({.stack_size = kSize, .measure_stacks = every});
    body();
  });
}

TEST(StackUsage, TellsTheMostThatWasUsedByWhereItWasSpawned) {
  const SourceLocation deep = SourceLocation::current();
  const SourceLocation flat = SourceLocation::current();
  Measuring(1, [&] {
    for (int i = 0; i < 3; ++i) {
      Spawn([i] { return Devour(i == 1 ? kDeep : 1); }, deep).Wait();
      Spawn([] { return Devour(1); }, flat).Wait();
    }
  });
  const auto most = UseAt(deep);
  const auto least = UseAt(flat);
  ASSERT_TRUE(most && least) << StackUsageReport();
  EXPECT_EQ(most->measured, 3u);
  EXPECT_EQ(least->measured, 3u);
  EXPECT_EQ(most->stack_size, kSize);
  EXPECT_GT(most->most, std::size_t{kDeep} * 512);
  EXPECT_LT(most->most, kSize);
  // Though it ran on a stack that the deep one had used before.
  EXPECT_LT(least->most + std::size_t{kDeep} * 256, most->most);
  EXPECT_GE(least->recommended, kMinStackSize);
  EXPECT_EQ(most->recommended % 4096, 0u);
  EXPECT_GT(most->recommended, most->most + most->most / 2);
}

TEST(StackUsage, MeasuresThoseThatWaitedMeanwhile) {
  const SourceLocation site = SourceLocation::current();
  Measuring(1, [&] {
    Event<> event;
    std::vector<GreenThread<int>> waiting;
    for (int i = 0; i < 5; ++i) {
      waiting.push_back(Spawn(
          [&] {
            event.Wait();
            return Devour(kDeep);
          },
          site));
    }
    Sleep();
    event.Send();
    JoinAll(waiting);
  });
  const auto use = UseAt(site);
  ASSERT_TRUE(use);
  EXPECT_EQ(use->measured, 5u);
  EXPECT_GT(use->most, std::size_t{kDeep} * 512);
}

TEST(StackUsage, MeasuresOneOfSoMany) {
  const SourceLocation site = SourceLocation::current();
  Measuring(4, [&] {
    for (int i = 0; i < 9; ++i) {
      SpawnN([] {}, site);
    }
    Sleep();
  });
  ASSERT_TRUE(UseAt(site));
  EXPECT_EQ(UseAt(site)->measured, 2u);
}

TEST(StackUsage, WhatNeverRanIsNotMeasured) {
  const SourceLocation site = SourceLocation::current();
  Measuring(1, [&] {
    auto killed = Spawn([] {}, site);
    killed.Kill();
    EXPECT_FALSE(killed.Started());
  });
  EXPECT_FALSE(UseAt(site));
}

TEST(StackUsage, OffItMeasuresNothing) {
  const SourceLocation site = SourceLocation::current();
  Measuring(0, [&] { Spawn([] {}, site).Wait(); });
  EXPECT_FALSE(UseAt(site));
}

TEST(StackUsage, GoesOnBesideSpawnCallbacks) {
  const SourceLocation site = SourceLocation::current();
  int announced = 0;
  Measuring(1, [&] {
    for (const bool with_callback : {false, true, false}) {
      std::uint64_t callback = 0;
      if (with_callback) callback = AddSpawnCallback([&](const AnyGreenThread&) { ++announced; });
      Spawn([] {}, site).Wait();
      if (with_callback) {
        EXPECT_TRUE(RemoveSpawnCallback(callback));
      }
    }
  });
  EXPECT_EQ(announced, 1);
  ASSERT_TRUE(UseAt(site));
  EXPECT_EQ(UseAt(site)->measured, 3u);
}

TEST(StackUsage, TheReportIsATableOfThePlaces) {
  const SourceLocation site = SourceLocation::current();
  Measuring(1, [&] { Spawn([] { return Devour(kDeep); }, site).Wait(); });
  const std::string text = StackUsageReport();
  EXPECT_EQ(text.find("  measured  most used stack size  recommended  spawned at\n"), 0u) << text;
  EXPECT_NE(text.find("stack_usage_test.cc:" + std::to_string(site.line()) + "\n"),
            std::string::npos)
      << text;
}

}  // namespace
}  // namespace verdant
