#include "hub/spawn_callback.h"

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "tests/hub/green_thread_testing.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

TEST(SpawnCallback, B1_12_HearsOfEverySpawnBeforeItStarts) {
  WithManualClock([](ManualClock&) {
    std::vector<std::string> heard;
    const std::uint64_t callback = AddSpawnCallback([&](const AnyGreenThread& thread) {
      EXPECT_FALSE(thread.Started());
      EXPECT_EQ(thread.SpawnerId(), CurrentGreenThread().id());
      thread.SetName("number " + std::to_string(heard.size()));
      heard.push_back(thread.Name());
    });
    auto spawned = Spawn([] {});
    EXPECT_EQ(heard.size(), 1u);
    EXPECT_EQ(spawned.Name(), "number 0");
    SpawnN([] {});
    EXPECT_EQ(heard.size(), 2u);
    auto prepared = Prepare([] {});
    EXPECT_EQ(heard.size(), 3u);
    prepared.Start();
    auto delayed = SpawnAfter(absl::Seconds(1), [] {});
    EXPECT_EQ(heard.size(), 4u);
    Sleep(absl::Seconds(2));
    EXPECT_TRUE(delayed.Ready());
    EXPECT_EQ(heard.size(), 4u);  // each once
    EXPECT_TRUE(RemoveSpawnCallback(callback));
    EXPECT_FALSE(RemoveSpawnCallback(callback));
    auto unheard = Spawn([] {});
    unheard.Join();
    EXPECT_EQ(heard.size(), 4u);
  });
}

TEST(SpawnCallback, B1_12_OrderRemovalAndErrors) {
  Reports reports;
  std::vector<int> order;
  std::uint64_t second = 0;
  std::uint64_t third = 0;
  const std::uint64_t first = AddSpawnCallback([&](const AnyGreenThread&) {
    order.push_back(1);
    if (order.size() > 1) return;
    EXPECT_TRUE(RemoveSpawnCallback(third));  // not even this time
  });
  second = AddSpawnCallback([&](const AnyGreenThread&) {
    order.push_back(2);
    EXPECT_TRUE(RemoveSpawnCallback(second));  // itself, while it runs
    throw std::runtime_error("callback");
  });
  third = AddSpawnCallback([&](const AnyGreenThread&) { order.push_back(3); });
  Spawn([] {}).Wait();
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
  EXPECT_EQ(reports.errors, std::vector<std::string>{"std::runtime_error: callback"});
  EXPECT_EQ(reports.contexts, std::vector<std::string>{"a spawn callback"});
  Spawn([] {}).Wait();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 1}));
  EXPECT_TRUE(RemoveSpawnCallback(first));
  EXPECT_EQ(Hub::Current().spawn_hooks(), nullptr);  // a spawn is as cheap as before
  EXPECT_FALSE(RemoveSpawnCallback(first));
  EXPECT_EQ(Hub::Current().spawn_hooks(), nullptr);
}

TEST(SpawnCallback, B1_12_WhatItSpawnsIsNotAnnouncedAndItMayKillOrLink) {
  int heard = 0;
  int linked = 0;
  bool inner = false;
  bool outer = false;
  const std::uint64_t callback = AddSpawnCallback([&](const AnyGreenThread& thread) {
    ++heard;
    SpawnN([&] { inner = true; });
    thread.Link([&] { ++linked; });
    thread.KillSoon();
  });
  auto doomed = Spawn([&] { outer = true; });
  EXPECT_TRUE(RemoveSpawnCallback(callback));
  EXPECT_TRUE(doomed.Join());
  Sleep();
  EXPECT_EQ(doomed.State(), GreenThreadState::kCancelled);
  EXPECT_EQ(heard, 1);
  EXPECT_EQ(linked, 1);
  EXPECT_TRUE(inner);
  EXPECT_FALSE(outer);
}

TEST(SpawnCallback, B1_12_BelongsToItsThreadsHub) {
  int heard = 0;
  const std::uint64_t callback = AddSpawnCallback([&](const AnyGreenThread&) { ++heard; });
  OnFreshThread([&] {
    Spawn([] {}).Wait();
    EXPECT_FALSE(RemoveSpawnCallback(callback));
  });
  EXPECT_EQ(heard, 0);
  for (int i = 0; i < 1000; ++i) SpawnN([] {});
  EXPECT_EQ(heard, 1000);
  EXPECT_TRUE(RemoveSpawnCallback(callback));
  EXPECT_THROW(AddSpawnCallback(nullptr), std::logic_error);
  while (Hub::Current().counts().green_threads > 1) Sleep();
}

}  // namespace
}  // namespace verdant
