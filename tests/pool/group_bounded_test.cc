// Groups with a size: what gevent calls a Pool.

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/timeout.h"
#include "pool/group.h"
#include "tests/hub/manual_clock.h"
#include "tests/pool/settle.h"

namespace verdant {
namespace {

TEST(BoundedGroup, B2_5_SizesAndMisuse) {
  EXPECT_THROW(Group(-1), std::logic_error);
  Group group(3);
  EXPECT_EQ(group.max_size(), 3);
  EXPECT_EQ(group.FreeCount(), 3);
}

TEST(BoundedGroup, B2_5_OfSizeZeroNobodyEverGetsIn) {
  Group group(0);
  EXPECT_TRUE(group.Full());
  EXPECT_TRUE(group.Join());
  EXPECT_THROW(static_cast<void>(group.SpawnBy(absl::ZeroDuration(), [] {})), PoolFull);
  try {
    group.SpawnN([] { ADD_FAILURE(); });
    FAIL();
  } catch (const LoopExit& e) {
    EXPECT_NE(std::string(e.what()).find("Group::Spawn"), std::string::npos) << e.what();
  }
  EXPECT_EQ(group.Waiting(), 0u);
}

TEST(BoundedGroup, B2_6_SpawnWaitsWhileFullAndSpawnersAreServedInOrder) {
  Group group(2);
  std::vector<Event<>> gates(5);
  std::vector<int> started;
  std::vector<AnyGreenThread> spawners;
  for (int i = 0; i < 5; ++i) {
    spawners.push_back(Spawn([&, i] {
      group.SpawnN([&, i] {
        started.push_back(i);
        gates[i].Wait();
      });
    }));
  }
  Settle();
  EXPECT_EQ(started, (std::vector<int>{0, 1}));
  EXPECT_TRUE(group.Full());
  EXPECT_EQ(group.FreeCount(), 0);
  EXPECT_EQ(group.Waiting(), 3u);
  gates[1].Send();
  Settle();
  EXPECT_EQ(started, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(group.size(), 2u);
  for (int i : {0, 2, 3, 4}) gates[i].Send();
  EXPECT_TRUE(group.Join());
  EXPECT_EQ(started, (std::vector<int>{0, 1, 2, 3, 4}));
  EXPECT_EQ(group.FreeCount(), 2);
  JoinAll(spawners);
}

TEST(BoundedGroup, B2_6_AMemberOfAFullGroupThatSpawnsIntoItRunsTheCallInline) {
  Group group(1);
  auto outer = group.Spawn([&] {
    const AnyGreenThread self = CurrentGreenThread();
    auto inner = group.Spawn([&] {
      EXPECT_EQ(CurrentGreenThread(), self);
      EXPECT_EQ(group.size(), 1u);
      return std::string("inline");
    });
    EXPECT_TRUE(inner.Ready());
    auto failing = group.Spawn([]() -> int { throw std::runtime_error("late"); });
    EXPECT_THROW(failing.Wait(), std::runtime_error);
    return inner.Wait();
  });
  EXPECT_EQ(outer.Wait(), "inline");
  EXPECT_EQ(group.FreeCount(), 1);
}

TEST(BoundedGroup, B2_6_AnAddedMemberIsAMemberThereToo) {
  Group group(1);
  auto added = Spawn([&] {
    auto inner = group.Spawn([] { return CurrentGreenThread(); });
    EXPECT_TRUE(inner.Ready());
    return inner.Wait() == CurrentGreenThread();
  });
  group.Add(added);
  EXPECT_TRUE(added.Wait());
}

TEST(BoundedGroup, B2_6_AddAndSpawnByOfAMemberWaitLikeAnybodys) {
  WithManualClock([](ManualClock&) {
    Group group(1);
    auto other = Spawn([] { Sleep(absl::Seconds(9)); });
    group
        .Spawn([&] {
          EXPECT_THROW(static_cast<void>(group.SpawnBy(absl::Seconds(1), [] {})), PoolFull);
          EXPECT_THROW(group.Add(other, absl::Seconds(1)), PoolFull);
        })
        .Wait();
    EXPECT_EQ(group.FreeCount(), 1);
    other.Join();
  });
}

TEST(BoundedGroup, B2_7_AddWithoutRoomThrowsPoolFull) {
  WithManualClock([](ManualClock& clock) {
    Group group(1);
    Event<> gate;
    auto first = group.Spawn([&] { gate.Wait(); });
    auto second = Spawn([&] { gate.Wait(); });
    EXPECT_THROW(group.Add(second, absl::ZeroDuration()), PoolFull);
    EXPECT_EQ(clock.SinceStart(), absl::ZeroDuration());
    EXPECT_THROW(group.Add(second, absl::Seconds(2)), PoolFull);
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(2));
    EXPECT_EQ(group.size(), 1u);
    EXPECT_EQ(group.Waiting(), 0u);
    EXPECT_TRUE(group.Discard(first));
    group.Add(second, absl::ZeroDuration());
    EXPECT_TRUE(group.Contains(second));
    gate.Send();
    EXPECT_TRUE(group.Join());
    first.Join();
  });
}

TEST(BoundedGroup, B2_7_OneThatEndsWhileItIsToBeAddedTakesNoRoom) {
  Group group(1);
  Event<> gate;
  auto first = group.Spawn([&] { gate.Wait(); });
  auto second = Spawn([] { Sleep(); });
  auto adder = Spawn([&] { group.Add(second); });
  Settle();
  EXPECT_TRUE(second.Ready());
  EXPECT_EQ(group.Waiting(), 1u);
  gate.Send();
  adder.Wait();
  EXPECT_TRUE(group.Join());
  EXPECT_EQ(group.FreeCount(), 1);
  first.Join();
}

TEST(BoundedGroup, B2_7_TwoThatAddTheSameTakeRoomOnce) {
  Group group(2);
  std::vector<Event<>> gates(3);
  for (int i = 0; i < 2; ++i) group.SpawnN([&, i] { gates[i].Wait(); });
  auto third = Spawn([&] { gates[2].Wait(); });
  auto one = Spawn([&] { group.Add(third); });
  auto two = Spawn([&] { group.Add(third); });
  Settle();
  gates[0].Send();
  gates[1].Send();
  JoinAll({one, two});
  EXPECT_EQ(group.size(), 1u);
  EXPECT_EQ(group.FreeCount(), 1);
  gates[2].Send();
  EXPECT_TRUE(group.Join());
  EXPECT_EQ(group.FreeCount(), 2);
}

TEST(BoundedGroup, B2_7_WaitAvailableTakesNothing) {
  WithManualClock([](ManualClock&) {
    Group group(2);
    EXPECT_EQ(group.WaitAvailable(), 2);
    std::vector<Event<>> gates(2);
    auto first = group.Spawn([&] { gates[0].Wait(); });
    EXPECT_EQ(group.WaitAvailable(), 1);
    auto second = group.Spawn([&] { gates[1].Wait(); });
    EXPECT_EQ(group.WaitAvailable(absl::Seconds(1)), 0);
    EXPECT_EQ(group.WaitAvailable(absl::ZeroDuration()), 0);
    std::vector<std::int64_t> told;
    std::vector<AnyGreenThread> waiters;
    for (int i = 0; i < 3; ++i) {
      waiters.push_back(Spawn([&] { told.push_back(group.WaitAvailable()); }));
    }
    Settle();
    EXPECT_EQ(group.Waiting(), 0u);
    waiters[1].Kill();
    gates[0].Send();
    JoinAll(waiters);
    EXPECT_EQ(told, (std::vector<std::int64_t>{1, 1}));
    EXPECT_EQ(group.FreeCount(), 1);
    gates[1].Send();
    EXPECT_TRUE(group.Join());
    Group unbounded;
    EXPECT_EQ(unbounded.WaitAvailable(), INT64_MAX);
  });
}

TEST(BoundedGroup, B2_7_WaitAvailableWaitsOnWhileSpawnersTakeWhatComesFree) {
  Group group(1);
  std::vector<Event<>> gates(2);
  group.SpawnN([&] { gates[0].Wait(); });
  bool available = false;
  auto waiter = Spawn([&] {
    group.WaitAvailable();
    available = true;
  });
  auto spawner = Spawn([&] { group.SpawnN([&] { gates[1].Wait(); }); });
  Settle();
  gates[0].Send();
  spawner.Wait();
  Settle();
  EXPECT_FALSE(available);
  gates[1].Send();
  waiter.Wait();
  EXPECT_TRUE(available);
}

TEST(BoundedGroup, B2_7_WaitAvailableLearnsOfRoomThatAKilledSpawnerLeft) {
  Group group(1);
  Event<> gate;
  auto member = group.Spawn([&] { gate.Wait(); });
  auto spawner = Spawn([&] { group.SpawnN([] { ADD_FAILURE(); }); });
  auto waiter = Spawn([&] { return group.WaitAvailable(); });
  Settle();
  // At the moment the room is handed to the spawner, it dies.
  member.Link([&] { spawner.Kill(); });
  gate.Send();
  EXPECT_EQ(waiter.Wait(), 1);
  EXPECT_THROW(spawner.Wait(), GreenletExit);
}

TEST(BoundedGroup, B2_8_AKillOrTimeoutDuringAWaitingSpawnLeavesTheCountsRight) {
  Group group(1);
  Event<> gate;
  auto member = group.Spawn([&] { gate.Wait(); });
  auto item = std::make_unique<int>(7);
  EXPECT_FALSE(WithTimeout(absl::Milliseconds(1), [&] {
    group.SpawnN([](std::unique_ptr<int>) { ADD_FAILURE(); }, std::move(item));
  }));
  EXPECT_NE(item, nullptr);
  auto first = Spawn([&] { group.SpawnN([] { ADD_FAILURE(); }); });
  bool ran = false;
  auto second = Spawn([&] { group.SpawnN([&] { ran = true; }); });
  Settle();
  EXPECT_EQ(group.Waiting(), 2u);
  member.Link([&] { first.Kill(); });
  gate.Send();
  EXPECT_THROW(first.Wait(), GreenletExit);
  second.Wait();
  EXPECT_TRUE(group.Join());
  EXPECT_TRUE(ran);
  EXPECT_EQ(group.FreeCount(), 1);
  EXPECT_EQ(group.size(), 0u);
}

TEST(BoundedGroup, B2_8_AMemberKilledBeforeItStartsGivesItsRoomBack) {
  Group group(1);
  auto member = group.Spawn([] { ADD_FAILURE(); });
  EXPECT_TRUE(member.Cancel());
  EXPECT_EQ(group.FreeCount(), 1);
  EXPECT_TRUE(group.empty());
}

}  // namespace
}  // namespace verdant
