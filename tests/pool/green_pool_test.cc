#include "pool/green_pool.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "tests/pool/settle.h"

namespace verdant {
namespace {

TEST(GreenPool, A3_1_ANegativeSizeIsMisuse) {
  EXPECT_THROW(GreenPool(-1), std::logic_error);
  GreenPool pool;
  EXPECT_EQ(pool.size(), 1000);
  EXPECT_EQ(pool.Free(), 1000);
  EXPECT_THROW(pool.Resize(-5), std::logic_error);
  EXPECT_EQ(pool.size(), 1000);
  EXPECT_EQ(pool.Free(), 1000);
}

TEST(GreenPool, A3_1_WithSizeZeroASpawnFromOutsideWaitsForAResize) {
  GreenPool pool(0);
  EXPECT_TRUE(pool.WaitAll());
  bool spawned = false;
  auto spawner = Spawn([&] {
    pool.SpawnN([] {});
    spawned = true;
  });
  Settle();
  EXPECT_FALSE(spawned);
  EXPECT_EQ(pool.Waiting(), 1u);
  EXPECT_EQ(pool.Free(), 0);
  pool.Resize(1);
  spawner.Wait();
  EXPECT_TRUE(spawned);
  EXPECT_TRUE(pool.WaitAll());
}

TEST(GreenPool, A3_2_SpawnReturnsAHandleOnTheResult) {
  GreenPool pool(2);
  EXPECT_EQ(pool.Spawn([] { return 1; }).Wait(), 1);
  EXPECT_EQ(pool.Spawn([](int a) { return a + 1; }, 1).Wait(), 2);
  EXPECT_EQ(pool.Spawn([](int a, int b) { return a + b; }, 1, 2).Wait(), 3);
  EXPECT_EQ(pool.Spawn([](int a, int b, int c) { return a + b + c; }, 1, 1, 2).Wait(), 4);
  EXPECT_EQ(*pool.Spawn([](std::unique_ptr<int> p) { return p; }, std::make_unique<int>(5)).Wait(),
            5);
  const std::string text = "abc";
  const auto length = [](const std::string& s) { return s.size(); };
  EXPECT_EQ(pool.Spawn(length, text).Wait(), 3u);
  EXPECT_THROW(pool.Spawn([]() -> int { throw std::runtime_error("boom"); }).Wait(),
               std::runtime_error);
  EXPECT_EQ(pool.Running(), 0u);
  EXPECT_EQ(pool.Free(), 2);
}

TEST(GreenPool, A3_2_SpawnWaitsWhileThePoolIsFullAndSpawnersAreServedInOrder) {
  GreenPool pool(2);
  std::vector<Event<>> gates(5);
  std::vector<int> started;
  std::vector<AnyGreenThread> spawners;
  for (int i = 0; i < 5; ++i) {
    spawners.push_back(Spawn([&, i] {
      pool.SpawnN([&, i] {
        started.push_back(i);
        gates[i].Wait();
      });
    }));
  }
  Settle();
  EXPECT_EQ(started, (std::vector<int>{0, 1}));
  EXPECT_EQ(pool.Running(), 2u);
  EXPECT_EQ(pool.Free(), 0);
  EXPECT_EQ(pool.Waiting(), 3u);
  gates[1].Send();
  Settle();
  EXPECT_EQ(started, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(pool.Waiting(), 2u);
  gates[0].Send();
  gates[2].Send();
  Settle();
  EXPECT_EQ(started, (std::vector<int>{0, 1, 2, 3, 4}));
  EXPECT_EQ(pool.Waiting(), 0u);
  gates[3].Send();
  gates[4].Send();
  EXPECT_TRUE(pool.WaitAll());
  EXPECT_EQ(pool.Free(), 2);
  JoinAll(spawners);
}

TEST(GreenPool, A3_5_ShrinkingLetsFreeGoNegativeAndKillsNothing) {
  GreenPool pool(3);
  std::vector<Event<>> gates(4);
  int done = 0;
  for (int i = 0; i < 3; ++i) {
    pool.SpawnN([&, i] {
      gates[i].Wait();
      ++done;
    });
  }
  pool.Resize(1);
  EXPECT_EQ(pool.Free(), -2);
  EXPECT_EQ(pool.Running(), 3u);
  bool spawned = false;
  auto spawner = Spawn([&] {
    pool.SpawnN([&] { gates[3].Wait(); });
    spawned = true;
  });
  Settle();
  gates[0].Send();
  Settle();
  EXPECT_EQ(pool.Free(), -1);
  gates[1].Send();
  Settle();
  EXPECT_EQ(pool.Free(), 0);
  EXPECT_FALSE(spawned);
  gates[2].Send();
  spawner.Wait();
  EXPECT_TRUE(spawned);
  EXPECT_EQ(done, 3);
  gates[3].Send();
  EXPECT_TRUE(pool.WaitAll());
  EXPECT_EQ(pool.Free(), 1);
}

TEST(GreenPool, A3_5_GrowingWakesAsManyWaitingSpawnersAsNowFit) {
  GreenPool pool(1);
  Event<> gate;
  std::vector<int> spawned;
  pool.SpawnN([&] { gate.Wait(); });
  std::vector<AnyGreenThread> spawners;
  for (int i = 0; i < 4; ++i) {
    spawners.push_back(Spawn([&, i] {
      pool.SpawnN([&] { gate.Wait(); });
      spawned.push_back(i);
    }));
  }
  Settle();
  EXPECT_EQ(pool.Waiting(), 4u);
  pool.Resize(3);
  EXPECT_EQ(pool.Waiting(), 2u);
  Settle();
  EXPECT_EQ(spawned, (std::vector<int>{0, 1}));
  pool.Resize(100);
  Settle();
  EXPECT_EQ(spawned, (std::vector<int>{0, 1, 2, 3}));
  EXPECT_EQ(pool.Running(), 5u);
  EXPECT_EQ(pool.Free(), 95);
  gate.Send();
  pool.WaitAll();
  JoinAll(spawners);
}

TEST(GreenPool, A3_6_CountsAtEveryStep) {
  GreenPool pool(2);
  auto expect = [&](std::size_t running, std::int64_t free, std::size_t waiting) {
    EXPECT_EQ(pool.Running(), running);
    EXPECT_EQ(pool.Free(), free);
    EXPECT_EQ(pool.Waiting(), waiting);
  };
  Event<> a;
  Event<> b;
  expect(0, 2, 0);
  auto first = pool.Spawn([&] { a.Wait(); });
  expect(1, 1, 0);
  auto second = pool.Spawn([&] { b.Wait(); });
  expect(2, 0, 0);
  auto spawner = Spawn([&] { pool.SpawnN([] {}); });
  expect(2, 0, 0);
  Settle();
  expect(2, 0, 1);
  a.Send();
  first.Wait();
  Settle();
  expect(1, 1, 0);
  b.Send();
  second.Wait();
  expect(0, 2, 0);
}

TEST(GreenPool, A3_6_ASlotIsFreeBeforeWaitReturns) {
  GreenPool pool(1);
  for (int i = 0; i < 100; ++i) {
    pool.Spawn([] {}).Wait();
    ASSERT_EQ(pool.Free(), 1);
  }
}

TEST(GreenPool, A3_6_AMemberKilledBeforeItStartsGivesItsSlotBack) {
  GreenPool pool(1);
  bool ran = false;
  auto member = pool.Spawn([&] { ran = true; });
  EXPECT_EQ(pool.Free(), 0);
  EXPECT_TRUE(member.Cancel());
  EXPECT_THROW(member.Wait(), GreenletExit);
  EXPECT_FALSE(ran);
  EXPECT_EQ(pool.Free(), 1);
  EXPECT_TRUE(pool.WaitAll());
}

TEST(GreenPool, A3_7_WaitAllReturnsAtOnceWhenIdle) {
  GreenPool pool(1);
  const auto switches = Hub::Current().counts().switches;
  EXPECT_TRUE(pool.WaitAll());
  EXPECT_EQ(Hub::Current().counts().switches, switches);
}

TEST(GreenPool, A3_7_WaitAllWaitsForTasksSpawnedByTasks) {
  GreenPool pool(10);
  int done = 0;
  std::function<void(int)> grow = [&](int depth) {
    if (depth > 0) {
      pool.SpawnN(grow, depth - 1);
      pool.SpawnN(grow, depth - 1);
    }
    Sleep();
    ++done;
  };
  pool.SpawnN(grow, 6);
  EXPECT_TRUE(pool.WaitAll());
  EXPECT_EQ(done, 127);
  EXPECT_EQ(pool.Running(), 0u);
}

TEST(GreenPool, A3_7_WaitAllInsideAMemberIsMisuse) {
  GreenPool pool(1);
  pool.Spawn([&] { EXPECT_THROW(pool.WaitAll(), std::logic_error); }).Wait();
  GreenPool other(1);
  pool.Spawn([&] {
        other.SpawnN([] { Sleep(); });
        EXPECT_TRUE(other.WaitAll());
      })
      .Wait();
}

TEST(GreenPool, A3_7_WaitAllGivesUpAtItsDeadline) {
  GreenPool pool(1);
  Event<> gate;
  pool.SpawnN([&] { gate.Wait(); });
  EXPECT_FALSE(pool.WaitAll(absl::Milliseconds(1)));
  gate.Send();
  EXPECT_TRUE(pool.WaitAll(absl::Hours(1)));
}

TEST(GreenPool, A3_7_WaitAllWaitsForTheTasksOfWaitingSpawners) {
  GreenPool pool(1);
  int done = 0;
  auto spawner = Spawn([&] {
    for (int i = 0; i < 5; ++i) pool.SpawnN([&] { ++done; });
  });
  Sleep();
  EXPECT_TRUE(pool.WaitAll());
  EXPECT_EQ(done, 5);
}

TEST(GreenPool, A3_8_ATimeoutDuringAWaitingSpawnLeavesThePoolUsable) {
  GreenPool pool(1);
  Event<> gate;
  pool.SpawnN([&] { gate.Wait(); });
  auto item = std::make_unique<int>(7);
  EXPECT_FALSE(WithTimeout(absl::Milliseconds(1), [&] {
    pool.SpawnN([](std::unique_ptr<int>) { ADD_FAILURE(); }, std::move(item));
  }));
  EXPECT_NE(item, nullptr);
  EXPECT_EQ(pool.Waiting(), 0u);
  EXPECT_EQ(pool.Free(), 0);
  gate.Send();
  EXPECT_EQ(pool.Spawn([&] { return *item; }).Wait(), 7);
  EXPECT_EQ(pool.Free(), 1);
}

TEST(GreenPool, A3_8_AKilledSpawnerPassesItsSlotOn) {
  GreenPool pool(1);
  Event<> gate;
  auto member = pool.Spawn([&] { gate.Wait(); });
  bool second_ran = false;
  auto first = Spawn([&] { pool.SpawnN([] { ADD_FAILURE(); }); });
  auto second = Spawn([&] { pool.SpawnN([&] { second_ran = true; }); });
  Settle();
  // The slot has been handed to the first spawner, which dies before it can use it.
  member.Link([&] {
    EXPECT_EQ(pool.Waiting(), 1u);
    first.Kill();
  });
  gate.Send();
  EXPECT_THROW(first.Wait(), GreenletExit);
  second.Wait();
  EXPECT_TRUE(pool.WaitAll());
  EXPECT_TRUE(second_ran);
  EXPECT_EQ(pool.Free(), 1);
}

TEST(GreenPool, A3_8_WaitAllNoticesThatTheLastSpawnerWasKilled) {
  GreenPool pool(1);
  std::vector<std::string> log;
  Event<> gate;
  auto member = pool.Spawn([&] { gate.Wait(); });
  auto spawner = Spawn([&] { pool.SpawnN([&] { log.push_back("ran"); }); });
  auto waiter = Spawn([&] {
    pool.WaitAll();
    log.push_back("idle");
  });
  Settle();
  // At the moment the slot is handed to the spawner, it dies.
  member.Link([&] { spawner.Kill(); });
  gate.Send();
  waiter.Wait();
  EXPECT_EQ(log, (std::vector<std::string>{"idle"}));
}

TEST(GreenPool, AThousandTasksRunAsOne) {
  GreenPool pool(1000);
  Event<> gate;
  int sum = 0;
  for (int i = 0; i < 1000; ++i) {
    pool.SpawnN([&, i] {
      gate.Wait();
      sum += i;
    });
  }
  Settle();
  EXPECT_EQ(pool.Free(), 0);
  EXPECT_EQ(pool.Running(), 1000u);
  gate.Send();
  pool.WaitAll();
  EXPECT_EQ(sum, 499500);
}

TEST(GreenPool, MembersOutliveThePool) {
  Event<> gate;
  bool done = false;
  AnyGreenThread member;
  {
    GreenPool pool(1);
    member = pool.Spawn([&] {
      gate.Wait();
      done = true;
    });
    Settle();
  }
  gate.Send();
  member.Join();
  EXPECT_TRUE(done);
}

TEST(GreenPool, NestedPoolsDoNotShareSlots) {
  GreenPool outer(2);
  int done = 0;
  for (int i = 0; i < 4; ++i) {
    outer.SpawnN([&] {
      GreenPool inner(1);
      for (int j = 0; j < 3; ++j) {
        inner.SpawnN([&] {
          Sleep();
          ++done;
        });
      }
      inner.WaitAll();
    });
  }
  outer.WaitAll();
  EXPECT_EQ(done, 12);
}

TEST(GreenPool, ADeadlockNamesTheWaitingSpawner) {
  GreenPool pool(0);
  try {
    pool.SpawnN([] {});
    FAIL();
  } catch (const LoopExit& e) {
    EXPECT_NE(std::string(e.what()).find("GreenPool::Spawn"), std::string::npos) << e.what();
  }
  EXPECT_EQ(pool.Waiting(), 0u);
}

}  // namespace
}  // namespace verdant
