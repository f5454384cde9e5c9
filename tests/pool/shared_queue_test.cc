#include "pool/shared_queue.h"

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "hub/timeout.h"
#include "tests/hub/manual_clock.h"
#include "tests/hub/shared_testing.h"

namespace verdant {
namespace {

TEST(SharedQueue, GivesItemsInTheOrderTheyWerePut) {
  SharedQueue<int> queue(kUnbounded);
  for (int i = 0; i < 5; ++i) queue.Put(i);
  EXPECT_EQ(queue.size(), 5U);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(queue.Get(), i);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.TryGet(), std::nullopt);
  EXPECT_EQ(queue.maxsize(), kUnbounded);
  EXPECT_EQ(SharedQueue<int>(7).maxsize(), 7U);
}

TEST(SharedQueue, MovesWhatCanOnlyBeMoved) {
  SharedQueue<std::unique_ptr<int>> queue(1);
  queue.Put(std::make_unique<int>(1));
  auto kept = std::make_unique<int>(2);
  EXPECT_FALSE(queue.TryPut(std::move(kept)));
  EXPECT_FALSE(queue.Put(std::move(kept), absl::ZeroDuration()));
  ASSERT_NE(kept, nullptr);  // as it was
  EXPECT_EQ(*queue.Get(), 1);
  EXPECT_TRUE(queue.TryPut(std::move(kept)));
  EXPECT_EQ(**queue.TryGet(), 2);
}

TEST(SharedQueue, PutWaitsForRoomAndGetForAnItemOnOtherHubs) {
  SharedQueue<int> queue(2);
  std::vector<int> got;
  auto getter = HubThread([&] {
    for (int item : queue) got.push_back(item);
  });
  for (int i = 0; i < 1000; ++i) queue.Put(i);
  queue.Close();
  getter.Join();
  std::vector<int> all(1000);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(got, all);
}

TEST(SharedQueue, EachItemGoesToOneOfGreenThreadsHubsAndPlainThreads) {
  constexpr int kItems = 3000;
  SharedQueue<int> queue(3);
  std::mutex mutex;
  std::vector<int> seen(kItems, 0);
  auto get = [&] {
    for (int item : queue) {
      const std::lock_guard<std::mutex> lock(mutex);
      ++seen[static_cast<std::size_t>(item)];
    }
  };
  std::atomic<int> next{0};
  auto put = [&] {
    for (int item = next++; item < kItems; item = next++) queue.Put(item);
  };
  std::vector<TestThread> putters;
  std::vector<TestThread> getters;
  putters.push_back(HubThread(put));
  putters.push_back(PlainThread(put));
  getters.push_back(HubThread(get));
  getters.push_back(PlainThread(get));
  std::vector<AnyGreenThread> own = {Spawn(put), Spawn(put)};
  auto own_getter = Spawn(get);
  JoinAll(own);
  putters.clear();
  queue.Close();
  own_getter.Wait();
  getters.clear();
  EXPECT_EQ(seen, std::vector<int>(kItems, 1));
}

TEST(SharedQueue, WaitersOfEachSideAreServedInTheOrderTheyCame) {
  SharedQueue<int> queue(1);
  std::mutex mutex;
  std::vector<std::pair<int, int>> got;
  auto get = [&](int who) {
    const int item = queue.Get();
    const std::lock_guard<std::mutex> lock(mutex);
    got.emplace_back(who, item);
  };
  {
    std::vector<TestThread> threads;
    for (std::size_t i = 0; i < 4; ++i) {
      auto body = [&get, i] { get(static_cast<int>(i)); };
      threads.push_back(i % 2 == 0 ? HubThread(body) : PlainThread(body));
      Until([&] { return queue.getting() == i + 1; });
    }
    for (std::size_t i = 0; i < 4; ++i) {
      queue.Put(static_cast<int>(i));
      Until([&] {
        const std::lock_guard<std::mutex> lock(mutex);
        return got.size() == i + 1;
      });
    }
  }
  EXPECT_EQ(got, (std::vector<std::pair<int, int>>{{0, 0}, {1, 1}, {2, 2}, {3, 3}}));

  queue.Put(0);
  std::vector<TestThread> threads;
  for (std::size_t i = 0; i < 4; ++i) {
    threads.push_back(PlainThread([&queue, i] { queue.Put(static_cast<int>(i) + 1); }));
    Until([&] { return queue.putting() == i + 1; });
  }
  for (int i = 0; i < 5; ++i) EXPECT_EQ(queue.Get(), i);
}

TEST(SharedQueue, NobodyOvertakesThoseThatWait) {
  SharedQueue<int> queue(1);
  queue.Put(0);
  auto putter = Spawn([&] { queue.Put(1); });
  Until([&] { return queue.putting() == 1; });
  EXPECT_EQ(queue.Get(), 0);  // and the waiting item takes its place
  EXPECT_FALSE(queue.TryPut(2));
  EXPECT_EQ(queue.Get(), 1);
  putter.Wait();

  std::optional<int> got;
  auto getter = Spawn([&] { got = queue.Get(); });
  Until([&] { return queue.getting() == 1; });
  queue.Put(3);
  EXPECT_EQ(queue.TryGet(), std::nullopt);
  getter.Wait();
  EXPECT_EQ(got, 3);
}

TEST(SharedQueue, ADeadlineTakesNothingAndLosesNothing) {
  WithManualClock([](ManualClock& clock) {
    SharedQueue<std::string> queue(1);
    EXPECT_EQ(queue.Get(absl::Seconds(1)), std::nullopt);
    EXPECT_EQ(queue.getting(), 0U);
    queue.Put("first");
    std::string second = "second";
    EXPECT_FALSE(queue.Put(std::move(second), absl::Seconds(1)));
    EXPECT_EQ(second, "second");
    EXPECT_EQ(queue.putting(), 0U);
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(2));
    EXPECT_EQ(queue.Get(), "first");
    EXPECT_EQ(queue.TryGet(), std::nullopt);
  });
}

TEST(SharedQueue, APlainThreadsDeadlineGivesItNoHub) {
  SharedQueue<int> queue(0);
  PlainThread([&] {
    EXPECT_EQ(queue.Get(absl::Milliseconds(1)), std::nullopt);
    EXPECT_FALSE(queue.Put(1, absl::Milliseconds(1)));
    EXPECT_EQ(internal::current_hub, nullptr);
  }).Join();
  EXPECT_EQ(queue.putting(), 0U);
}

TEST(SharedQueue, AKilledGetTakesNothing) {
  SharedQueue<int> queue(1);
  auto getter = Spawn([&] { queue.Get(); });
  Until([&] { return queue.getting() == 1; });
  getter.KillAndJoin();
  queue.Put(1);
  EXPECT_EQ(queue.size(), 1U);
}

TEST(SharedQueue, WhatAKilledGetHadBeenHandedGoesToTheNextOne) {
  SharedQueue<int> queue(1);
  auto killed = Spawn([&] { queue.Get(); });
  auto next = Spawn([&] { return queue.Get(); });
  Until([&] { return queue.getting() == 2; });
  PlainThread([&] { queue.Put(1); }).Join();
  killed.KillAndJoin();
  EXPECT_EQ(next.Wait(), 1);
}

TEST(SharedQueue, WhatAKilledGetHadBeenHandedGoesBackToTheFront) {
  SharedQueue<int> queue(1);
  auto killed = Spawn([&] { queue.Get(); });
  Until([&] { return queue.getting() == 1; });
  PlainThread([&] {
    queue.Put(1);
    queue.Put(2);
  }).Join();
  killed.KillAndJoin();
  EXPECT_EQ(queue.size(), 2U);
  EXPECT_FALSE(queue.TryPut(3));
  EXPECT_EQ(queue.Get(), 1);
  EXPECT_EQ(queue.Get(), 2);
}

TEST(SharedQueue, AKilledPutLeavesItsItemOrHasPutIt) {
  SharedQueue<int> queue(1);
  queue.Put(0);
  auto killed = Spawn([&] { queue.Put(1); });
  auto late = Spawn([&] { queue.Put(2); });
  Until([&] { return queue.putting() == 2; });
  killed.KillAndJoin();
  PlainThread([&] { EXPECT_EQ(queue.Get(), 0); }).Join();  // its room goes to the one that waits
  late.KillAndJoin();
  EXPECT_EQ(queue.Get(), 2);
  EXPECT_EQ(queue.TryGet(), std::nullopt);
}

TEST(SharedQueue, ClosedItGivesWhatIsInItAndTakesNoMore) {
  SharedQueue<int> queue(2);
  queue.Put(1);
  queue.Put(2);
  auto putter = Spawn([&] { queue.Put(3); });
  Until([&] { return queue.putting() == 1; });
  queue.Close();
  queue.Close();
  EXPECT_TRUE(queue.closed());
  EXPECT_THROW(putter.Wait(), QueueClosed);
  EXPECT_FALSE(queue.TryPut(4));
  EXPECT_FALSE(queue.Put(4, absl::InfiniteDuration()));
  EXPECT_THROW(queue.Put(4), QueueClosed);
  EXPECT_EQ(queue.Get(), 1);
  EXPECT_EQ(queue.Get(Deadline::Never()), 2);
  EXPECT_EQ(queue.Get(Deadline::Never()), std::nullopt);
  EXPECT_THROW(queue.Get(), QueueClosed);
}

TEST(SharedQueue, ClosingWakesAllThatWaitToGet) {
  SharedQueue<int> queue(2);
  auto get = [&] { EXPECT_EQ(queue.Get(Deadline::Never()), std::nullopt); };
  auto green = Spawn(get);
  auto plain = PlainThread(get);
  auto hub = HubThread(get);
  Until([&] { return queue.getting() == 3; });
  queue.Close();
  green.Wait();
}

TEST(SharedQueue, CloseNowDropsWhatIsInIt) {
  SharedQueue<std::shared_ptr<int>> queue(kUnbounded);
  auto item = std::make_shared<int>(1);
  queue.Put(item);
  queue.CloseNow();
  EXPECT_EQ(item.use_count(), 1);
  EXPECT_EQ(queue.Get(Deadline::Never()), std::nullopt);
}

TEST(SharedQueue, DestroyedItIsClosedToThoseThatWait) {
  auto queue = std::make_unique<SharedQueue<int>>(0);
  auto getter = Spawn([&queue = *queue] { queue.Get(); });
  Until([&] { return queue->getting() == 1; });
  queue.reset();
  EXPECT_THROW(getter.Wait(), QueueClosed);
}

TEST(SharedQueue, WhatAHubThatEndsHadBeenHandedIsNotLost) {
  SharedQueue<std::string> queue(1);
  std::atomic<bool> end{false};
  auto gone = HubThread([&] {
    auto abandoned = Spawn([&] { queue.Get(); });
    Sleep();
    while (!end) std::this_thread::yield();
  });
  Until([&] { return queue.getting() == 1; });
  queue.Put("a text that is too long to be kept within the string itself");
  EXPECT_TRUE(queue.empty());
  end = true;
  gone.Join();
  EXPECT_EQ(queue.size(), 1U);
}

TEST(SharedChannel, PutReturnsWhenItsItemWasTaken) {
  SharedChannel<int> channel;
  EXPECT_FALSE(channel.TryPut(1));
  EXPECT_EQ(channel.TryGet(), std::nullopt);
  std::atomic<bool> put{false};
  auto putter = HubThread([&] {
    channel.Put(1);
    put = true;
  });
  Until([&] { return channel.putting() == 1; });
  EXPECT_FALSE(put);
  EXPECT_TRUE(channel.empty());
  EXPECT_EQ(channel.Get(), 1);
  putter.Join();
  EXPECT_TRUE(put);
}

TEST(SharedChannel, BothSidesMeetOnManyThreads) {
  constexpr int kItems = 500;
  SharedChannel<int> channel;
  std::atomic<int> sum{0};
  auto get = [&] {
    for (int item : channel) sum += item;
  };
  std::vector<TestThread> getters;
  getters.push_back(HubThread(get));
  getters.push_back(PlainThread(get));
  {
    auto put = [&] {
      for (int i = 1; i <= kItems; ++i) channel.Put(i);
    };
    auto other = HubThread(put);
    auto plain = PlainThread(put);
    put();
  }
  channel.Close();
  getters.clear();
  EXPECT_EQ(sum, 3 * kItems * (kItems + 1) / 2);
}

}  // namespace
}  // namespace verdant
