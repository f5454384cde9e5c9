#include "pool/resource_pool.h"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "tests/hub/manual_clock.h"
#include "tests/pool/settle.h"

namespace verdant {
namespace {

// Makes 0, 1, 2 ...
struct Numbers {
  int* next;
  int operator()() const { return (*next)++; }
};

TEST(ResourcePool, A4_1_MinSizeIsMadeAtOnceAndTheRestWhenNeeded) {
  int next = 0;
  ResourcePool<int> pool(Numbers{&next}, {.min_size = 2, .max_size = 3});
  EXPECT_EQ(next, 2);
  EXPECT_EQ(pool.idle(), 2u);
  EXPECT_EQ(pool.size(), 2u);
  EXPECT_EQ(pool.Free(), 3);
  EXPECT_EQ(pool.max_size(), 3u);
  EXPECT_EQ(*pool.Get(), 0);
  EXPECT_EQ(*pool.Get(), 1);
  EXPECT_EQ(next, 2);
  EXPECT_EQ(*pool.Get(), 2);
  EXPECT_EQ(pool.Free(), 0);
}

TEST(ResourcePool, A4_1_TheDefaultsAndMisuse) {
  int next = 0;
  ResourcePool<int> pool(Numbers{&next});
  EXPECT_EQ(next, 0);
  EXPECT_EQ(pool.max_size(), 4u);
  EXPECT_THROW(pool.Put(1), std::logic_error);
  EXPECT_THROW(pool.Forget(), std::logic_error);
  EXPECT_THROW(ResourcePool<int>(Numbers{&next}, {.min_size = 2, .max_size = 1}), std::logic_error);
  const int item = *pool.Get();
  pool.Put(item);
  EXPECT_THROW(pool.Put(item), std::logic_error);
}

TEST(ResourcePool, A4_1_AMinSizeThatCannotBeMadeIsLeftToTheGetters) {
  bool up = false;
  ResourcePool<int> pool(
      [&]() -> absl::StatusOr<int> {
        if (!up) return absl::UnavailableError("down");
        return 1;
      },
      {.min_size = 2});
  EXPECT_EQ(pool.size(), 0u);
  EXPECT_EQ(pool.Get().status(), absl::UnavailableError("down"));
  up = true;
  EXPECT_EQ(*pool.Get(), 1);
  EXPECT_THROW(
      ResourcePool<int>([]() -> int { throw std::runtime_error("broken"); }, {.min_size = 1}),
      std::runtime_error);
}

TEST(ResourcePool, A4_1_AnItemIsReturnedAtTheEndOfItsScope) {
  int next = 0;
  ResourcePool<int> pool(Numbers{&next}, {.max_size = 1});
  {
    auto item = pool.Item();
    ASSERT_TRUE(item.ok());
    EXPECT_EQ(**item, 0);
    EXPECT_TRUE(static_cast<bool>(*item));
    EXPECT_EQ(pool.Free(), 0);
    ResourcePool<int>::Lease moved = *std::move(item);
    EXPECT_EQ(pool.Free(), 0);
    moved.Return();
    moved.Return();
    EXPECT_FALSE(static_cast<bool>(moved));
    EXPECT_EQ(pool.Free(), 1);
    auto again = pool.Item();
    EXPECT_EQ(**again, 0);
    EXPECT_EQ(pool.Item(absl::ZeroDuration()).status().code(), absl::StatusCode::kDeadlineExceeded);
    again->Discard();
    again->Discard();
    EXPECT_EQ(pool.size(), 0u);
    EXPECT_EQ(**pool.Item(), 1);
  }
  EXPECT_EQ(pool.Free(), 1);
  EXPECT_EQ(pool.size(), 1u);
}

TEST(ResourcePool, A4_1_AssigningALeaseReturnsTheOldOne) {
  int next = 0;
  ResourcePool<std::unique_ptr<int>> pool([&] { return std::make_unique<int>(next++); });
  ResourcePool<std::unique_ptr<int>>::Lease lease;
  for (int i = 0; i < 2; ++i) {
    lease = *pool.Item();
    EXPECT_EQ(**lease, i);
    EXPECT_EQ(pool.Free(), 3);
  }
  EXPECT_EQ(pool.idle(), 1u);
  lease = {};
  EXPECT_EQ(pool.idle(), 2u);
}

TEST(ResourcePool, A4_2_TheOrderIsThatOfPuttingOrTheReverse) {
  for (bool stack : {false, true}) {
    int next = 0;
    ResourcePool<int> pool(Numbers{&next}, {.max_size = 3, .order_as_stack = stack});
    for (int i = 0; i < 3; ++i) EXPECT_EQ(*pool.Get(), i);
    for (int i = 0; i < 3; ++i) pool.Put(i);
    std::vector<int> got;
    for (int i = 0; i < 3; ++i) got.push_back(*pool.Get());
    EXPECT_EQ(got, stack ? (std::vector<int>{2, 1, 0}) : (std::vector<int>{0, 1, 2}));
  }
}

TEST(ResourcePool, A4_2_SeveralAreMadeAtATimeButNeverTooMany) {
  int making = 0;
  int most = 0;
  int made = 0;
  ResourcePool<int> pool(
      [&] {
        most = std::max(most, ++making);
        for (int i = 0; i < 5; ++i) Sleep();
        --making;
        return made++;
      },
      {.max_size = 3});
  std::vector<AnyGreenThread> users;
  for (int i = 0; i < 10; ++i) {
    users.push_back(Spawn([&] {
      auto item = pool.Item();
      Sleep();
    }));
  }
  Settle();
  JoinAll(users);
  EXPECT_EQ(most, 3);
  EXPECT_EQ(made, 3);
  EXPECT_EQ(pool.idle(), 3u);
}

TEST(ResourcePool, A4_2_GettersAreServedInTheOrderTheyCame) {
  int next = 0;
  ResourcePool<int> pool(Numbers{&next}, {.max_size = 1});
  const int item = *pool.Get();
  std::vector<int> served;
  std::vector<AnyGreenThread> getters;
  for (int i = 0; i < 4; ++i) {
    getters.push_back(Spawn([&, i] {
      auto lease = pool.Item();
      served.push_back(i);
    }));
  }
  Settle();
  EXPECT_EQ(pool.Waiting(), 4u);
  EXPECT_EQ(pool.Free(), 0);
  pool.Put(item);
  // It has been promised to the first one.
  EXPECT_EQ(*pool.Get(), item);
  EXPECT_EQ(served.size(), 4u);
  pool.Put(item);
  JoinAll(getters);
  EXPECT_EQ(served, (std::vector<int>{0, 1, 2, 3}));
  EXPECT_EQ(pool.Waiting(), 0u);
}

TEST(ResourcePool, A4_3_GrowingServesAsManyAsNowFitAndShrinkingDropsTheSurplus) {
  auto alive = std::make_shared<int>(0);
  ResourcePool<std::shared_ptr<int>> pool([&] { return alive; }, {.max_size = 1});
  std::vector<std::shared_ptr<int>> got;
  std::vector<AnyGreenThread> getters;
  for (int i = 0; i < 5; ++i) getters.push_back(Spawn([&] { got.push_back(*pool.Get()); }));
  Settle();
  EXPECT_EQ(got.size(), 1u);
  EXPECT_EQ(pool.Waiting(), 4u);
  pool.Resize(3);
  Settle();
  EXPECT_EQ(got.size(), 3u);
  EXPECT_EQ(pool.Waiting(), 2u);
  pool.Resize(5);
  JoinAll(getters);
  EXPECT_EQ(pool.Free(), 0);
  pool.Put(std::move(got[0]));
  EXPECT_EQ(pool.idle(), 1u);
  pool.Resize(2);
  EXPECT_EQ(pool.idle(), 0u);
  EXPECT_EQ(pool.Free(), -2);
  pool.Put(std::move(got[1]));
  pool.Put(std::move(got[2]));
  EXPECT_EQ(pool.idle(), 0u);
  EXPECT_EQ(pool.Free(), 0);
  pool.Put(std::move(got[3]));
  EXPECT_EQ(pool.idle(), 1u);
  EXPECT_EQ(pool.Free(), 1);
  pool.Put(std::move(got[4]));
  EXPECT_EQ(pool.Free(), 2);
  EXPECT_EQ(alive.use_count(), 3);
}

TEST(ResourcePool, A4_3_AfterShrinkingAWaiterIsServedOnlyWhenEnoughCameBack) {
  int next = 0;
  ResourcePool<int> pool(Numbers{&next}, {.max_size = 2});
  const int a = *pool.Get();
  const int b = *pool.Get();
  pool.Resize(1);
  auto waiter = Spawn([&] { return *pool.Get(); });
  Settle();
  pool.Put(a);
  Settle();
  EXPECT_FALSE(waiter.Ready());
  EXPECT_EQ(pool.size(), 1u);
  pool.Put(b);
  EXPECT_EQ(waiter.Wait(), b);
}

TEST(ResourcePool, A4_1_WorksInHubCallbacksWhereNothingWaits) {
  int next = 0;
  ResourcePool<int> pool(Numbers{&next}, {.max_size = 1});
  const int item = *pool.Get();
  Hub::Current().Post([&] { pool.Put(item); });
  EXPECT_EQ(*pool.Get(absl::Hours(1)), item);
}

TEST(ResourcePool, WhatNeedsNotWaitDoesNotYield) {
  int next = 0;
  ResourcePool<int> pool(Numbers{&next});
  const auto before = Switches();
  for (int i = 0; i < 10; ++i) {
    auto lease = pool.Item();
    EXPECT_EQ(**lease, 0);
  }
  EXPECT_EQ(Switches(), before);
}

TEST(ResourcePool, AThousandUsersOfFew) {
  int next = 0;
  ResourcePool<int> pool(Numbers{&next}, {.max_size = 7});
  int in_use = 0;
  int most = 0;
  int done = 0;
  std::vector<AnyGreenThread> users;
  for (int i = 0; i < 1000; ++i) {
    users.push_back(Spawn([&, i] {
      auto lease = pool.Item();
      most = std::max(most, ++in_use);
      Sleep();
      --in_use;
      if (i % 10 == 0) lease->Discard();
      ++done;
    }));
  }
  JoinAll(users);
  EXPECT_EQ(most, 7);
  EXPECT_EQ(done, 1000);
  EXPECT_EQ(pool.Free(), 7);
}

TEST(ResourcePool, ADeadlockNamesTheGetter) {
  int next = 0;
  ResourcePool<int> pool(Numbers{&next}, {.max_size = 0});
  try {
    static_cast<void>(pool.Get());
    FAIL();
  } catch (const LoopExit& e) {
    EXPECT_NE(std::string(e.what()).find("ResourcePool::Get"), std::string::npos) << e.what();
  }
  EXPECT_EQ(pool.Waiting(), 0u);
}

}  // namespace
}  // namespace verdant
