// The calls of pools that take a deadline for the wait for room (decision 2).

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/timeout.h"
#include "pool/green_pile.h"
#include "pool/green_pool.h"
#include "pool/pool_full.h"
#include "pool/thread_pool.h"
#include "pool/tpool.h"
#include "tests/hub/manual_clock.h"
#include "tests/testing/death_tests.h"

namespace verdant {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(3);

// That `call` throws PoolFull, `after` from now and no sooner.
template <typename Call>
void ExpectFull(Call call, absl::Duration after) {
  const Deadline due(after);
  EXPECT_THROW(call(), PoolFull);
  EXPECT_EQ(Hub::Current().NowNanos(), due.nanos());
}

TEST(SpawnBy, A3_2_B2_7_AFullGreenPoolRefusesAtTheDeadlineAndCountsNothing) {
  WithManualClock([](ManualClock&) {
    GreenPool pool(1);
    Event<> gate;
    auto holder = pool.Spawn([&] { gate.Wait(); });
    auto argument = std::make_unique<int>(7);
    const auto take = [](std::unique_ptr<int> p) { return *p; };
    for (const absl::Duration patience : {absl::ZeroDuration(), kPatience}) {
      ExpectFull([&] { static_cast<void>(pool.SpawnBy(patience, take, std::move(argument))); },
                 patience);
      ExpectFull([&] { pool.SpawnNBy(patience, take, std::move(argument)); }, patience);
      ASSERT_NE(argument, nullptr);
      EXPECT_EQ(pool.Free(), 0);
      EXPECT_EQ(pool.Running(), 1u);
      EXPECT_EQ(pool.Waiting(), 0u);
    }
    gate.Send();
    holder.Wait();
    EXPECT_EQ(pool.Free(), 1);
    EXPECT_EQ(pool.SpawnBy(absl::ZeroDuration(), take, std::move(argument)).Wait(), 7);
    int sum = 0;
    pool.SpawnNBy(
        absl::ZeroDuration(), [&](int a, int b) { sum = a + b; }, 1, 2);
    EXPECT_EQ(pool.Free(), 0);
    EXPECT_TRUE(pool.WaitAll());
    EXPECT_EQ(sum, 3);
  });
}

TEST(SpawnBy, A3_2_ASlotThatComesInTimeIsTaken) {
  WithManualClock([](ManualClock&) {
    GreenPool pool(1);
    pool.SpawnN([] { Sleep(absl::Seconds(1)); });
    EXPECT_EQ(pool.SpawnBy(kPatience, [] { return 5; }).Wait(), 5);
    pool.SpawnN([] { Sleep(absl::Seconds(1)); });
    bool ran = false;
    pool.SpawnNBy(kPatience, [&] { ran = true; });
    EXPECT_TRUE(pool.WaitAll());
    EXPECT_TRUE(ran);
  });
}

TEST(SpawnBy, A3_3_AMemberOfAFullPoolWaitsLikeAnybody) {
  WithManualClock([](ManualClock&) {
    GreenPool pool(1);
    pool.Spawn([&] {
          ExpectFull([&] { static_cast<void>(pool.SpawnBy(kPatience, [] {})); }, kPatience);
          ExpectFull([&] { pool.SpawnNBy(kPatience, [] {}); }, kPatience);
        })
        .Wait();
    EXPECT_EQ(pool.Free(), 1);
  });
}

TEST(SpawnBy, A3_13_APileInAFullPoolRefusesAtTheDeadlineAndAddsNothing) {
  WithManualClock([](ManualClock&) {
    GreenPool pool(1);
    GreenPile<int> pile(pool);
    Event<> gate;
    pile.Spawn([&] {
      gate.Wait();
      return 1;
    });
    for (const absl::Duration patience : {absl::ZeroDuration(), kPatience}) {
      ExpectFull(
          [&] {
            pile.SpawnBy(
                patience, [](int x) { return x; }, 2);
          },
          patience);
      EXPECT_EQ(pool.Free(), 0);
      EXPECT_EQ(pool.Waiting(), 0u);
    }
    gate.Send();
    EXPECT_EQ(pile.Next(), 1);
    EXPECT_EQ(pile.Next(), std::nullopt);
    pile.SpawnBy(
        absl::ZeroDuration(), [](int x) { return x; }, 3);
    EXPECT_EQ(pile.Next(), 3);
    EXPECT_EQ(pool.Free(), 1);
  });
}

// A pool of one OS thread with as many calls as it takes, until they may end.
class FullThreadPool {
 public:
  explicit FullThreadPool(ThreadPool& pool) : pool_(pool) {
    running_ = pool.Spawn([begun = begun_, way = way_] {
      begun->set_value();
      way.wait();
    });
    queued_ = pool.Spawn([] {});
    begun_->get_future().wait();
  }
  void ExpectUnchanged() {
    EXPECT_EQ(pool_.Pending(), 2u);
    EXPECT_EQ(pool_.Waiting(), 0u);
    EXPECT_EQ(pool_.size(), 1);
  }
  void End() {
    gate_.set_value();
    JoinAll({running_, queued_});
    EXPECT_TRUE(pool_.Join());
    EXPECT_EQ(pool_.Pending(), 0u);
  }

 private:
  ThreadPool& pool_;
  const std::shared_ptr<std::promise<void>> begun_ = std::make_shared<std::promise<void>>();
  std::promise<void> gate_;
  const std::shared_future<void> way_ = gate_.get_future().share();
  GreenThread<void> running_;
  GreenThread<void> queued_;
};

constexpr absl::Duration kShort = absl::Milliseconds(1);

TEST(SpawnBy, B3_2_AFullThreadPoolRefusesAtTheDeadlineAndCountsNothing) {
  ThreadPool pool(1);
  FullThreadPool full(pool);
  const auto seven = [] { return 7; };
  for (const absl::Duration patience : {absl::ZeroDuration(), kShort}) {
    EXPECT_THROW(static_cast<void>(pool.SpawnBy(patience, seven)), PoolFull);
    full.ExpectUnchanged();
    EXPECT_THROW(pool.ApplyBy(patience, seven), PoolFull);
    full.ExpectUnchanged();
  }
  full.End();
  EXPECT_EQ(pool.SpawnBy(
                    absl::ZeroDuration(), [](int x) { return x; }, 7)
                .Wait(),
            7);
  EXPECT_EQ(pool.ApplyBy(
                Deadline::Never(), [](int x) { return x; }, 8),
            8);
}

TEST(SpawnBy, B3_2_RoomThatComesInTimeIsTaken) {
  ThreadPool pool(1);
  FullThreadPool full(pool);
  auto spawner = Spawn([&] { return pool.SpawnBy(absl::Minutes(9), [] { return 1; }).Wait(); });
  auto applier = Spawn([&] { return pool.ApplyBy(absl::Minutes(9), [] { return 2; }); });
  Sleep();
  EXPECT_EQ(pool.Waiting(), 2u);
  full.End();
  EXPECT_EQ(spawner.Wait(), 1);
  EXPECT_EQ(applier.Wait(), 2);
}

TEST(SpawnBy, A8_3_AnOutcomeThatDoesNotComeInTimeIsDroppedAndTheCallGoesOn) {
  ThreadPool pool(1);
  std::promise<void> gate;
  auto ended = std::make_shared<std::atomic<bool>>(false);
  auto begun = std::make_shared<std::promise<void>>();
  auto other = Spawn([&] { begun->get_future().wait(); });  // blocks the hub past the deadline
  const auto call = [begun, way = gate.get_future().share(), ended] {
    begun->set_value();
    way.wait();
    *ended = true;
  };
  EXPECT_THROW(pool.ApplyBy(kShort, call), TimeoutExpired);
  EXPECT_EQ(pool.Pending(), 1u);
  gate.set_value();
  EXPECT_TRUE(pool.Join());
  EXPECT_EQ(pool.Pending(), 0u);
  EXPECT_TRUE(*ended);
  other.Wait();
}

TEST(SpawnBy, A8_3_ACallThatNoThreadHasBegunByTheDeadlineIsTakenBack) {
  ThreadPool pool(1);
  std::promise<void> gate;
  auto begun = std::make_shared<std::promise<void>>();
  auto busy = pool.Spawn([begun, way = gate.get_future().share()] {
    begun->set_value();
    way.wait();
  });
  begun->get_future().wait();
  auto token = std::make_shared<int>(0);
  EXPECT_THROW(pool.ApplyBy(kShort, [token] { ADD_FAILURE(); }), TimeoutExpired);
  EXPECT_EQ(token.use_count(), 1);
  EXPECT_EQ(pool.Pending(), 1u);
  gate.set_value();
  busy.Wait();
}

TEST(SpawnBy, A8_2_ACallMadeInlineNeedsNoTime) {
  ThreadPool pool(0);
  EXPECT_EQ(pool.ApplyBy(absl::ZeroDuration(), [] { return 1; }), 1);
  EXPECT_EQ(pool.SpawnBy(absl::ZeroDuration(), [] { return 2; }).Wait(), 2);
}

TEST(ExecuteBy, A8_1_ItIsTheApplyByOfTheThreadsPool) {
  OnFreshThread([] {
    tpool::SetNumThreads(1);
    FullThreadPool full(tpool::Pool());
    for (const absl::Duration patience : {absl::ZeroDuration(), kShort}) {
      EXPECT_THROW(tpool::ExecuteBy(patience, [] {}), PoolFull);
      full.ExpectUnchanged();
    }
    full.End();
    EXPECT_NE(tpool::ExecuteBy(Deadline::Never(), [] { return std::this_thread::get_id(); }),
              std::this_thread::get_id());
    const auto [outer, inner] = tpool::Execute([] {
      const auto where = [] { return std::this_thread::get_id(); };
      return std::pair(where(), tpool::ExecuteBy(absl::ZeroDuration(), where));
    });
    EXPECT_EQ(outer, inner);
  });
}

}  // namespace
}  // namespace verdant
