#include "pool/queue.h"

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "tests/hub/manual_clock.h"
#include "tests/pool/settle.h"

namespace verdant {
namespace {

TEST(Queue, A5_2_UnboundedNeverFills) {
  Queue<int> queue(kUnbounded);
  for (int i = 0; i < 10000; ++i) queue.Put(i);
  EXPECT_EQ(queue.size(), 10000u);
  EXPECT_FALSE(queue.full());
  EXPECT_EQ(queue.maxsize(), std::nullopt);
  for (int i = 0; i < 10000; ++i) ASSERT_EQ(queue.Get(), i);
  EXPECT_TRUE(queue.empty());
}

TEST(Queue, A5_2_PutWaitsWhileTheQueueIsFull) {
  Queue<int> queue(2);
  EXPECT_EQ(queue.maxsize(), 2u);
  queue.Put(1);
  EXPECT_FALSE(queue.full());
  queue.Put(2);
  EXPECT_TRUE(queue.full());
  std::vector<int> put;
  std::vector<AnyGreenThread> putters;
  for (int i = 3; i <= 5; ++i) {
    putters.push_back(Spawn([&, i] {
      queue.Put(i);
      put.push_back(i);
    }));
  }
  Settle();
  EXPECT_EQ(queue.putting(), 3u);
  EXPECT_TRUE(put.empty());
  EXPECT_EQ(queue.size(), 2u);
  EXPECT_EQ(queue.Get(), 1);
  Settle();
  EXPECT_EQ(put, (std::vector<int>{3}));
  for (int i = 2; i <= 5; ++i) EXPECT_EQ(queue.Get(), i);
  JoinAll(putters);
  EXPECT_EQ(put, (std::vector<int>{3, 4, 5}));
}

TEST(Queue, A5_3_DeadlinesAndTries) {
  Queue<int> queue(1);
  EXPECT_EQ(queue.Get(absl::Milliseconds(1)), std::nullopt);
  EXPECT_EQ(queue.Get(absl::ZeroDuration()), std::nullopt);
  EXPECT_EQ(queue.TryGet(), std::nullopt);
  EXPECT_TRUE(queue.Put(1, absl::ZeroDuration()));
  EXPECT_FALSE(queue.Put(2, absl::Milliseconds(1)));
  EXPECT_FALSE(queue.TryPut(2));
  EXPECT_EQ(queue.TryGet(), 1);
  EXPECT_TRUE(queue.TryPut(3));
  EXPECT_EQ(queue.Get(absl::Hours(1)), 3);
  EXPECT_EQ(queue.getting(), 0u);
  EXPECT_EQ(queue.putting(), 0u);
}

TEST(Queue, B5_3_ANegativeTimeoutIsNow) {
  WithManualClock([](ManualClock& clock) {
    Queue<int> queue(1);
    EXPECT_EQ(queue.Get(absl::Seconds(-1)), std::nullopt);
    queue.Put(1);
    EXPECT_FALSE(queue.Put(2, absl::Seconds(-1)));
    EXPECT_EQ(clock.SinceStart(), absl::ZeroDuration());
  });
}

TEST(Queue, A5_3_MoveOnlyItemsStayWithAPutterThatFails) {
  Queue<std::unique_ptr<int>> queue(1);
  queue.Put(std::make_unique<int>(1));
  auto second = std::make_unique<int>(2);
  EXPECT_FALSE(queue.TryPut(std::move(second)));
  ASSERT_NE(second, nullptr);
  EXPECT_FALSE(queue.Put(std::move(second), absl::Milliseconds(1)));
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(*queue.Get(), 1);
  EXPECT_TRUE(queue.Put(std::move(second), absl::Milliseconds(1)));
  EXPECT_EQ(*queue.Get(), 2);
}

TEST(Queue, A5_3_B5_4_TriesWorkInHubCallbacks) {
  Queue<int> queue(1);
  std::optional<int> got;
  Hub::Current().Post([&] { EXPECT_TRUE(queue.TryPut(7)); });
  EXPECT_EQ(queue.Get(), 7);
  Channel<int> channel;
  Hub::Current().Post([&] { EXPECT_TRUE(channel.TryPut(8)); });
  EXPECT_EQ(channel.Get(), 8);
  Hub::Current().Post([&] { got = channel.TryGet(); });
  channel.Put(9);
  EXPECT_EQ(got, 9);
}

TEST(Queue, A5_5_CountsWhoWaits) {
  Queue<int> queue(1);
  std::vector<AnyGreenThread> getters;
  for (int i = 0; i < 3; ++i) getters.push_back(Spawn([&] { queue.Get(); }));
  Settle();
  EXPECT_EQ(queue.getting(), 3u);
  EXPECT_EQ(queue.putting(), 0u);
  queue.Put(1);
  Settle();
  EXPECT_EQ(queue.getting(), 2u);
  queue.Put(1);
  queue.Put(1);
  JoinAll(getters);
  EXPECT_EQ(queue.getting(), 0u);
}

TEST(Queue, A5_6_GrowingWakesAsManyPuttersAsNowFit) {
  Queue<int> queue(1);
  queue.Put(0);
  std::vector<AnyGreenThread> putters;
  for (int i = 1; i <= 5; ++i) putters.push_back(Spawn([&, i] { queue.Put(i); }));
  Settle();
  queue.Resize(3);
  Settle();
  EXPECT_EQ(queue.putting(), 3u);
  EXPECT_EQ(queue.size(), 3u);
  queue.Resize(kUnbounded);
  JoinAll(putters);
  for (int i = 0; i <= 5; ++i) EXPECT_EQ(queue.TryGet(), i);
}

TEST(Queue, A5_6_ShrinkingKeepsWhatIsIn) {
  Queue<int> queue(kUnbounded);
  for (int i = 0; i < 5; ++i) queue.Put(i);
  queue.Resize(2);
  EXPECT_TRUE(queue.full());
  EXPECT_FALSE(queue.TryPut(9));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(queue.Get(), i);
  EXPECT_TRUE(queue.full());
  EXPECT_EQ(queue.Get(), 3);
  EXPECT_TRUE(queue.TryPut(9));
}

TEST(Queue, A5_6_ResizingBetweenRendezvousAndBuffer) {
  Queue<int> queue(0);
  std::vector<AnyGreenThread> putters;
  for (int i = 0; i < 4; ++i) putters.push_back(Spawn([&, i] { queue.Put(i); }));
  Settle();
  EXPECT_EQ(queue.putting(), 4u);
  EXPECT_EQ(queue.Get(), 0);
  queue.Resize(2);
  Settle();
  EXPECT_EQ(queue.size(), 2u);
  EXPECT_EQ(queue.putting(), 1u);
  queue.Resize(0);
  Settle();
  EXPECT_EQ(queue.putting(), 1u);
  for (int i = 1; i < 4; ++i) EXPECT_EQ(queue.Get(), i);
  JoinAll(putters);
  EXPECT_EQ(queue.TryGet(), std::nullopt);
}

TEST(Queue, A5_6_APutterCalledForRoomThatIsGoneAgainIsStillThereToBeTakenFrom) {
  Queue<int> queue(0);
  auto putter = Spawn([&] { queue.Put(1); });
  Sleep();
  queue.Resize(1);
  queue.Resize(0);
  EXPECT_EQ(queue.Get(), 1);
  putter.Wait();
  EXPECT_EQ(queue.putting(), 0u);
}

TEST(Queue, A5_1_A5_9_TaskDoneAndJoin) {
  Queue<int> queue(kUnbounded);
  EXPECT_EQ(queue.unfinished(), 0u);
  EXPECT_TRUE(queue.Join());
  EXPECT_THROW(queue.TaskDone(), std::logic_error);
  EXPECT_EQ(queue.unfinished(), 0u);
  for (std::uint64_t i = 0; i < 3; ++i) {
    queue.Put(static_cast<int>(i));
    EXPECT_EQ(queue.unfinished(), i + 1);
  }
  EXPECT_FALSE(queue.Join(absl::Milliseconds(1)));
  EXPECT_EQ(queue.unfinished(), 3u);
  bool joined = false;
  auto joiner = Spawn([&] {
    queue.Join();
    joined = true;
  });
  for (std::uint64_t left = 3; left > 0; --left) {
    queue.Get();
    EXPECT_EQ(queue.unfinished(), left) << "got is not done";
    Settle();
    EXPECT_FALSE(joined);
    queue.TaskDone();
    EXPECT_EQ(queue.unfinished(), left - 1);
  }
  joiner.Wait();
  EXPECT_TRUE(joined);
  EXPECT_THROW(queue.TaskDone(), std::logic_error);
  EXPECT_EQ(queue.unfinished(), 0u);
}

TEST(Queue, A5_10_WhatNeedsNotWaitDoesNotYield) {
  Queue<int> queue(3);
  const auto before = Switches();
  queue.Put(1);
  queue.Put(2, absl::Hours(1));
  EXPECT_EQ(queue.Get(), 1);
  EXPECT_EQ(queue.Get(absl::Hours(1)), 2);
  EXPECT_EQ(Switches(), before);
  auto getter = Spawn([&] { return queue.Get(); });
  Sleep();
  const auto waiting = Switches();
  queue.Put(3);
  EXPECT_EQ(Switches(), waiting);
  EXPECT_EQ(getter.Wait(), 3);
}

TEST(Queue, B5_4_AGetThatCanNeverEndIsNamedInTheDeadlock) {
  Queue<int> queue(1);
  try {
    queue.Get();
    FAIL();
  } catch (const LoopExit& e) {
    EXPECT_NE(std::string(e.what()).find("Queue::Get"), std::string::npos) << e.what();
  }
  queue.Put(1);
  EXPECT_EQ(queue.Get(), 1);
}

TEST(Queue, ManyPuttersAndGettersMoveEverythingInOrder) {
  for (std::size_t maxsize : {0u, 1u, 5u}) {
    Queue<std::pair<int, int>> queue(maxsize);
    std::vector<AnyGreenThread> putters;
    for (int p = 0; p < 10; ++p) {
      putters.push_back(Spawn([&, p] {
        for (int i = 0; i < 100; ++i) queue.Put({p, i});
      }));
    }
    std::vector<int> next(10, 0);
    int count = 0;
    std::vector<AnyGreenThread> getters;
    for (int g = 0; g < 7; ++g) {
      getters.push_back(Spawn([&] {
        while (auto item = queue.Get(Deadline::Never())) {
          EXPECT_EQ(next[item->first]++, item->second);
          ++count;
        }
      }));
    }
    JoinAll(putters);
    queue.Close();
    JoinAll(getters);
    EXPECT_EQ(count, 1000);
  }
}

}  // namespace
}  // namespace verdant
