#include <atomic>
#include <cstdint>
#include <future>
#include <limits>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "pool/thread_pool.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

// Three calls of a pool that return their numbers, once they may.
class GatedCalls {
 public:
  explicit GatedCalls(ThreadPool& pool) {
    for (int i = 0; i < 3; ++i) {
      all_.push_back(pool.Spawn([way = way_, i] {
        way.wait();
        return i;
      }));
    }
  }
  void Open() { gate_.set_value(); }
  void ExpectAll() {
    for (int i = 0; i < 3; ++i) EXPECT_EQ(all_[static_cast<std::size_t>(i)].Wait(), i);
  }

 private:
  std::promise<void> gate_;
  const std::shared_future<void> way_ = gate_.get_future().share();
  std::vector<GreenThread<int>> all_;
};

TEST(ThreadPoolSize, B3_1_ThreadsAreStartedAsTheyAreNeededUpToTheMaximum) {
  ThreadPool pool(2);
  EXPECT_EQ(pool.max_size(), 2);
  EXPECT_EQ(pool.size(), 0);
  pool.Apply([] {});
  EXPECT_EQ(pool.size(), 1);
  std::promise<void> gate;
  const std::shared_future<void> way = gate.get_future().share();
  std::vector<GreenThread<void>> all;
  for (int i = 0; i < 3; ++i) all.push_back(pool.Spawn([way] { way.wait(); }));
  EXPECT_EQ(pool.size(), 2);
  gate.set_value();
  JoinAll(all);
  EXPECT_EQ(ThreadPool().max_size(), 10);
}

TEST(ThreadPoolSize, B3_1_AnIdleThreadEndsWhenItsTimeIsUp) {
  ThreadPool pool(1, absl::ZeroDuration());
  EXPECT_EQ(pool.Apply([] { return 1; }), 1);
  while (pool.size() != 0) Sleep(absl::Milliseconds(1));
  EXPECT_EQ(pool.Apply([] { return 2; }), 2);
}

TEST(ThreadPoolSize, A8_2_ZeroMeansInlineAndNegativeIsRefused) {
  EXPECT_THROW(ThreadPool(-1), std::logic_error);
  ThreadPool pool(0);
  const auto here = std::this_thread::get_id();
  EXPECT_EQ(pool.Apply([] { return std::this_thread::get_id(); }), here);
  EXPECT_EQ(pool.Spawn([] { return std::this_thread::get_id(); }).Wait(), here);
  EXPECT_EQ(pool.Map([](int x) { return x + 1; }, std::vector<int>{1, 2}),
            (std::vector<int>{2, 3}));
  EXPECT_EQ(pool.size(), 0);
  EXPECT_TRUE(pool.Join());
  EXPECT_TRUE(pool.KillAll());
}

TEST(ThreadPoolSize, B3_3_TheMaximumMayGrowWhileCallsWait) {
  ThreadPool pool(1);
  std::promise<void> gate;
  const std::shared_future<void> way = gate.get_future().share();
  auto first = pool.Spawn([way] { way.wait(); });
  auto second = pool.Spawn([&gate] { gate.set_value(); });
  auto third = Spawn([&] { pool.Spawn([] {}).Wait(); });
  Sleep();
  EXPECT_EQ(pool.Waiting(), 1u);
  pool.SetMaxSize(2);  // only a second thread can open the gate
  EXPECT_TRUE(JoinAll({AnyGreenThread(first), AnyGreenThread(second), AnyGreenThread(third)}));
  EXPECT_EQ(pool.Pending(), 0u);
}

TEST(ThreadPoolSize, B3_3_TheMaximumMayShrinkWithoutEndingACall) {
  ThreadPool pool(3);
  GatedCalls calls(pool);
  pool.SetMaxSize(1);
  EXPECT_EQ(pool.size(), 3);
  calls.Open();
  calls.ExpectAll();
  while (pool.size() != 1) Sleep(absl::Milliseconds(1));
  EXPECT_EQ(pool.Pending(), 0u);
  EXPECT_EQ(pool.Apply([] { return 9; }), 9);
}

TEST(ThreadPoolSize, B3_3_TheSizeMayBeSetBetweenNoneAndTheMaximum) {
  ThreadPool pool(3);
  pool.SetSize(3);
  EXPECT_EQ(pool.size(), 3);
  EXPECT_THROW(pool.SetSize(4), std::logic_error);
  EXPECT_THROW(pool.SetSize(-1), std::logic_error);
  EXPECT_THROW(pool.SetMaxSize(-1), std::logic_error);
  pool.SetSize(0);
  EXPECT_EQ(pool.Apply([] { return 1; }), 1);
  while (pool.size() > 1) Sleep(absl::Milliseconds(1));
  EXPECT_EQ(pool.Apply([] { return 2; }), 2);
}

TEST(ThreadPoolSize, B3_3_JoinWaitsForCallsAndTellsWhenTheDeadlineCameFirst) {
  ThreadPool pool(1);
  std::promise<void> gate;
  auto call = pool.Spawn([way = gate.get_future().share()] { way.wait(); });
  EXPECT_FALSE(pool.Join(absl::Milliseconds(1)));
  gate.set_value();
  EXPECT_TRUE(pool.Join());
  EXPECT_TRUE(pool.Join());
  call.Wait();
}

TEST(ThreadPoolSize, B3_3_JoinNoticesThatTheLastSpawnersWereKilled) {
  ThreadPool pool(1);
  std::promise<void> gate;
  const std::shared_future<void> way = gate.get_future().share();
  auto running = pool.Spawn([way] { way.wait(); });
  auto queued = pool.Spawn([] {});
  auto first = Spawn([&] { pool.SpawnN([] {}); });
  auto second = Spawn([&] { pool.SpawnN([] {}); });
  auto joiner = Spawn([&] { return pool.Join(absl::Seconds(5)); });
  Sleep();
  ASSERT_EQ(pool.Waiting(), 2u);
  pool.SetSize(0);
  gate.set_value();
  while (pool.size() != 0) std::this_thread::yield();  // both outcomes are posted then
  Hub::Current().Post([&] {
    // Each has been given its room, with the joiner between them in the queue.
    EXPECT_EQ(pool.Waiting(), 0u);
    EXPECT_EQ(pool.Pending(), 2u);
    first.KillSoon();
    second.KillSoon();
  });
  EXPECT_TRUE(joiner.Wait());
  EXPECT_EQ(pool.Pending(), 0u);
  EXPECT_THROW(first.Wait(), GreenletExit);
  EXPECT_THROW(second.Wait(), GreenletExit);
  JoinAll({running, queued});
}

TEST(ThreadPoolSize, A8_5_KillAllEndsTheThreadsAfterWhatWasAskedForAndDeliversIt) {
  ThreadPool pool(2);
  GatedCalls calls(pool);
  EXPECT_FALSE(pool.KillAll(absl::Milliseconds(1)));  // nothing hangs on a call that does not end
  calls.Open();
  EXPECT_TRUE(pool.KillAll());
  EXPECT_EQ(pool.size(), 0);
  calls.ExpectAll();
  EXPECT_EQ(pool.Apply([] { return 7; }), 7);
  EXPECT_TRUE(pool.KillAll());
  EXPECT_TRUE(pool.KillAll());
}

TEST(ThreadPoolSize, B3_3_AMaximumOfNoneStillServesThoseWhoWaitedForRoom) {
  ThreadPool pool(1);
  std::promise<void> gate;
  const std::shared_future<void> way = gate.get_future().share();
  std::vector<GreenThread<int>> all;
  for (int i = 0; i < 4; ++i) {
    all.push_back(Spawn([&pool, way, i] {
      return pool.Apply([way, i] {
        way.wait();
        return i;
      });
    }));
  }
  Sleep();
  EXPECT_EQ(pool.Waiting(), 2u);
  pool.SetMaxSize(0);
  gate.set_value();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)].Wait(), i);
  EXPECT_EQ(pool.Apply(&std::this_thread::get_id), std::this_thread::get_id());
}

TEST(ThreadPoolSize, B3_3_AMaximumBeyondAllCountingIsAsGoodAsNone) {
  constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();
  ThreadPool pool(kHuge);
  EXPECT_EQ(pool.Apply([] { return 3; }), 3);
  EXPECT_EQ(pool.Pending(), 0u);
  EXPECT_GE(pool.max_size(), kHuge - 1);
  pool.SetMaxSize(3);
  GatedCalls calls(pool);
  pool.SetMaxSize(kHuge);
  EXPECT_EQ(pool.Pending(), 3u);
  calls.Open();
  calls.ExpectAll();
  EXPECT_TRUE(pool.Join());
  pool.SetMaxSize(2);
  EXPECT_EQ(pool.max_size(), 2);
  EXPECT_EQ(pool.Pending(), 0u);
}

}  // namespace
}  // namespace verdant
