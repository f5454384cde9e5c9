// Getters of a resource pool that are killed, time out or fail, at each step.

#include <stdexcept>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/timeout.h"
#include "pool/resource_pool.h"
#include "tests/hub/manual_clock.h"
#include "tests/pool/settle.h"

namespace verdant {
namespace {

TEST(ResourcePool, A4_3_PutDoesNotWaitWhenTheGettersHaveTimedOut) {
  WithManualClock([](ManualClock& clock) {
    ResourcePool<int> pool([] { return 1; }, {.max_size = 1});
    const int item = *pool.Get();
    const absl::Status late = pool.Get(absl::Seconds(2)).status();
    EXPECT_EQ(late.code(), absl::StatusCode::kDeadlineExceeded);
    EXPECT_NE(late.message().find("ResourcePool::Get: all 1 "), std::string::npos) << late;
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(2));
    EXPECT_EQ(pool.Waiting(), 0u);
    const auto before = Switches();
    pool.Put(item);
    EXPECT_EQ(Switches(), before);
    EXPECT_EQ(pool.idle(), 1u);
  });
}

TEST(ResourcePool, A4_3_AGetterThatWasCalledAndIsKilledPassesItOn) {
  ResourcePool<int> pool([] { return 1; }, {.max_size = 1});
  const int item = *pool.Get();
  auto first = Spawn([&] { return *pool.Get(); });
  auto second = Spawn([&] { return *pool.Get(); });
  Settle();
  pool.Put(item);
  first.Kill();
  EXPECT_THROW(first.Wait(), GreenletExit);
  EXPECT_EQ(second.Wait(), 1);
  auto third = Spawn([&] { return *pool.Get(); });
  Settle();
  pool.Put(1);
  third.Kill();
  Settle();
  EXPECT_EQ(pool.idle(), 1u);
  EXPECT_EQ(pool.Free(), 1);
}

TEST(ResourcePool, A4_3_AGetterServedInTheTurnOfItsDeadlineHasItOrLeavesIt) {
  WithManualClock([](ManualClock&) {
    ResourcePool<int> pool([] { return 1; }, {.max_size = 1});
    const int item = *pool.Get();
    auto putter = Spawn([&] {
      Sleep(absl::Seconds(1));
      pool.Put(item);
    });
    auto first = Spawn([&] { return pool.Get(absl::Seconds(1)).ok(); });
    auto second = Spawn([&] { return pool.Get(absl::Seconds(2)).ok(); });
    EXPECT_TRUE(first.Wait());
    EXPECT_FALSE(second.Wait());
    EXPECT_EQ(pool.Free(), 0);
    putter.Wait();
  });
}

TEST(ResourcePool, A4_4_AFailedCreationOffersItsPlaceToTheWaiter) {
  for (bool throws : {false, true}) {
    Event<> gate;
    int calls = 0;
    ResourcePool<int> pool(
        [&]() -> absl::StatusOr<int> {
          if (++calls > 1) return 7;
          gate.Wait();
          if (throws) throw std::runtime_error("boom");
          return absl::UnavailableError("boom");
        },
        {.max_size = 1});
    auto first = Spawn([&] { return pool.Get().status(); });
    auto second = Spawn([&] { return *pool.Get(); });
    Settle();
    EXPECT_EQ(pool.size(), 1u);
    EXPECT_EQ(pool.Waiting(), 1u);
    gate.Send();
    EXPECT_EQ(second.Wait(), 7);
    if (throws) {
      EXPECT_THROW(first.Wait(), std::runtime_error);
    } else {
      EXPECT_EQ(first.Wait(), absl::UnavailableError("boom"));
    }
    EXPECT_EQ(calls, 2);
    EXPECT_EQ(pool.Free(), 0);
  }
}

TEST(ResourcePool, A4_4_AllWaitersLearnThatNothingCanBeMade) {
  ResourcePool<int> pool(
      []() -> absl::StatusOr<int> {
        Sleep();
        return absl::UnavailableError("down");
      },
      {.max_size = 2});
  int failed = 0;
  std::vector<AnyGreenThread> getters;
  for (int i = 0; i < 20; ++i) {
    getters.push_back(Spawn([&] { failed += pool.Get().ok() ? 0 : 1; }));
  }
  JoinAll(getters);
  EXPECT_EQ(failed, 20);
  EXPECT_EQ(pool.Free(), 2);
  EXPECT_EQ(pool.size(), 0u);
}

TEST(ResourcePool, A4_4_AGetterKilledOrTimedOutWhileItMakesOneGivesItsPlaceBack) {
  WithManualClock([](ManualClock& clock) {
    int calls = 0;
    ResourcePool<int> pool(
        [&] {
          if (++calls <= 2) Sleep(absl::InfiniteDuration());
          return calls;
        },
        {.max_size = 1});
    auto first = Spawn([&] { return *pool.Get(); });
    auto second = Spawn([&] {
      return WithTimeout(
          absl::Seconds(1), [&] { return *pool.Get(); }, -1);
    });
    auto third = Spawn([&] { return *pool.Get(); });
    Settle();
    EXPECT_EQ(pool.Waiting(), 2u);
    first.Kill();
    EXPECT_THROW(first.Wait(), GreenletExit);
    Settle();
    EXPECT_EQ(calls, 2);
    EXPECT_EQ(second.Wait(), -1);
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(1));
    EXPECT_EQ(third.Wait(), 3);
    EXPECT_EQ(pool.Free(), 0);
  });
}

TEST(ResourcePool, A4_4_AnItemInAScopeThatIsKilledIsReturned) {
  ResourcePool<int> pool([] { return 1; }, {.max_size = 1});
  auto user = Spawn([&] {
    auto item = pool.Item();
    Sleep(absl::InfiniteDuration());
  });
  auto waiter = Spawn([&] { return *pool.Get(); });
  Settle();
  user.Kill();
  EXPECT_EQ(waiter.Wait(), 1);
}

TEST(ResourcePool, A4_3_ResizingWhileOneIsMadeDropsItWhenItComesBack) {
  Event<> gate;
  ResourcePool<int> pool([&] {
    gate.Wait();
    return 1;
  });
  auto getter = Spawn([&] { return *pool.Get(); });
  Settle();
  pool.Resize(0);
  EXPECT_EQ(pool.Free(), -1);
  gate.Send();
  pool.Put(getter.Wait());
  EXPECT_EQ(pool.idle(), 0u);
  EXPECT_EQ(pool.Free(), 0);
}

TEST(ResourcePool, A4_3_ForgettingOneServesAWaiterWithANewOne) {
  int made = 0;
  ResourcePool<int> pool([&] { return ++made; }, {.max_size = 1});
  EXPECT_EQ(*pool.Get(), 1);
  auto waiter = Spawn([&] { return *pool.Get(); });
  Settle();
  pool.Forget();
  EXPECT_EQ(waiter.Wait(), 2);
}

}  // namespace
}  // namespace verdant
