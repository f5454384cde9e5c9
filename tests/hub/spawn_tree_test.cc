#include "hub/spawn_tree.h"

#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "tests/hub/green_thread_testing.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

TEST(SpawnTreeLocal, B1_11_IsSharedWithAllThatAreSpawnedFromHere) {
  const SpawnTreeLocal<std::string> request;
  const SpawnTreeLocal<int> depth;
  std::vector<std::string> seen;
  auto root = Spawn([&] {
    *request = "r1";
    Spawn([&] {
      ++*depth;
      seen.push_back(*request);
      Spawn([&] {
        ++*depth;
        seen.push_back(*request);
        *request = "changed below";
      }).Wait();
    }).Wait();
    seen.push_back(*request);
    EXPECT_EQ(*depth, 2);
  });
  root.Wait();
  EXPECT_EQ(seen, (std::vector<std::string>{"r1", "r1", "changed below"}));
}

TEST(SpawnTreeLocal, B1_11_TheChildrenOfMainAreTreesOfTheirOwn) {
  const SpawnTreeLocal<int> value;
  *value = 1;
  auto first = Spawn([&] {
    EXPECT_EQ(*value, 0);
    *value = 2;
  });
  auto second = Spawn([&] { EXPECT_EQ(*value, 0); });
  JoinAll({first, second});
  EXPECT_EQ(*value, 1);
}

TEST(SpawnTreeLocal, B1_11_ANewTreeLeavesTheOldOneToTheOthers) {
  const SpawnTreeLocal<int> value;
  Spawn([&] {
    *value = 1;
    auto child = Spawn([&] {
      BeginSpawnTree();
      EXPECT_EQ(*value, 0);
      *value = 7;
      EXPECT_EQ(Spawn([&] { return *value; }).Wait(), 7);
    });
    child.Wait();
    EXPECT_EQ(*value, 1);
  }).Wait();
}

TEST(SpawnTreeLocal, B1_11_ADelayedOneIsOfItsSpawnersTree) {
  WithManualClock([](ManualClock&) {
    const SpawnTreeLocal<int> value;
    GreenThread<int> later;
    GreenThread<int> prepared;
    Spawn([&] {
      *value = 3;
      later = SpawnAfter(absl::Seconds(1), [&] { return *value; });
      prepared = Prepare([&] { return *value; });
    }).Wait();
    EXPECT_EQ(later.Wait(), 3);
    prepared.Start();
    EXPECT_EQ(prepared.Wait(), 3);
  });
}

// Lets others run while it is made.
struct SlowToMake {
  SlowToMake() { Sleep(); }
  int value = 0;
};

TEST(SpawnTreeLocal, B1_11_MadeByTwoAtOnceItIsOneAllTheSame) {
  const SpawnTreeLocal<SlowToMake> value;
  Spawn([&] {
    BeginSpawnTree();
    auto first = Spawn([&] {
      SlowToMake& mine = *value;
      mine.value = 1;
      Sleep();
      EXPECT_EQ(&mine, &*value);
    });
    auto second = Spawn([&] { ++value->value; });
    JoinAll({first, second});
    EXPECT_EQ(value->value, 2);
  }).Wait();
}

TEST(SpawnTreeLocal, B1_11_EndsWithTheLastOfItsTree) {
  const SpawnTreeLocal<std::shared_ptr<int>> value;
  auto token = std::make_shared<int>(1);
  GreenThread<void> child;
  auto root = Spawn([&] {
    *value = token;
    child = Spawn([&] {
      Sleep();
      Sleep();
    });
  });
  root.Wait();
  EXPECT_EQ(token.use_count(), 2);
  child.Wait();
  EXPECT_EQ(token.use_count(), 1);  // though there are handles
}

TEST(SpawnTreeLocal, B1_11_InAHubCallbackIsALogicError) {
  const SpawnTreeLocal<int> value;
  std::string what;
  Hub::Current().Post([&] { what = LogicError([&] { *value = 1; }); });
  while (what.empty()) Sleep();
  EXPECT_NE(what.find("hub callback"), std::string::npos) << what;
}

}  // namespace
}  // namespace verdant
