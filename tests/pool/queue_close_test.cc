// Queues that take no more.

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "pool/queue.h"
#include "tests/pool/settle.h"

namespace verdant {
namespace {

TEST(Queue, B5_1_AClosedQueueIsDrainedAndThenGivesUp) {
  Queue<int> queue(2);
  queue.Put(1);
  queue.Put(2);
  std::string outcome;
  auto putter = Spawn([&] {
    try {
      queue.Put(3);
    } catch (const QueueClosed&) {
      outcome = "closed";
    }
  });
  auto patient = Spawn([&] { return queue.Put(4, absl::InfiniteDuration()); });
  Settle();
  queue.Close();
  queue.Close();
  EXPECT_TRUE(queue.closed());
  putter.Wait();
  EXPECT_EQ(outcome, "closed");
  EXPECT_FALSE(patient.Wait());
  EXPECT_THROW(queue.Put(5), QueueClosed);
  EXPECT_FALSE(queue.TryPut(5));
  EXPECT_EQ(queue.Get(), 1);
  EXPECT_EQ(queue.Get(Deadline::Never()), 2);
  EXPECT_THROW(queue.Get(), QueueClosed);
  EXPECT_EQ(queue.Get(Deadline::Never()), std::nullopt);
  EXPECT_EQ(queue.TryGet(), std::nullopt);
}

TEST(Queue, B5_5_ClosingCountsNoItemAsDoneThatWasSaidToBe) {
  Queue<int> queue(kUnbounded);
  queue.Put(1);
  queue.TaskDone();
  EXPECT_EQ(queue.unfinished(), 0u);
  queue.CloseNow();
  EXPECT_EQ(queue.unfinished(), 0u);
  EXPECT_TRUE(queue.Join(absl::Milliseconds(1)));
  EXPECT_THROW(queue.TaskDone(), std::logic_error);
}

TEST(Queue, B5_5_WhatWasLookedAtAndDoneMayBeDropped) {
  Queue<int> queue(kUnbounded);
  for (int i = 0; i < 3; ++i) queue.Put(i);
  EXPECT_EQ(queue.Get(), 0);
  EXPECT_EQ(queue.Peek(), 1);
  queue.TaskDone();
  EXPECT_EQ(queue.unfinished(), 2u);
  queue.TaskDone();
  EXPECT_EQ(queue.unfinished(), 1u);
  queue.CloseNow();
  EXPECT_EQ(queue.unfinished(), 0u);
  EXPECT_THROW(queue.Get(), QueueClosed);
  EXPECT_TRUE(queue.Join(absl::Milliseconds(1)));
}

TEST(Queue, B5_5_WhatWasGotIsStillToBeDoneAfterItIsClosed) {
  Queue<int> queue(kUnbounded);
  queue.Put(1);
  queue.Put(2);
  queue.Get();
  queue.CloseNow();
  EXPECT_EQ(queue.unfinished(), 1u);
  EXPECT_FALSE(queue.Join(absl::Milliseconds(1)));
  queue.TaskDone();
  EXPECT_TRUE(queue.Join());
}

TEST(Queue, B5_1_ClosingWakesAllWaitingGetters) {
  for (std::size_t maxsize : {0u, 4u}) {
    Queue<int> queue(maxsize);
    int ended = 0;
    std::vector<AnyGreenThread> getters;
    for (int i = 0; i < 3; ++i) {
      getters.push_back(Spawn([&] {
        while (queue.Get(Deadline::Never())) {
        }
        ++ended;
      }));
    }
    Settle();
    queue.Put(1);
    queue.Close();
    JoinAll(getters);
    EXPECT_EQ(ended, 3);
  }
}

TEST(Queue, B5_1_CloseNowDropsItemsAndReleasesJoiners) {
  Queue<int> queue(kUnbounded);
  for (int i = 0; i < 3; ++i) queue.Put(i);
  queue.Get();
  auto joiner = Spawn([&] { queue.Join(); });
  Settle();
  queue.CloseNow();
  EXPECT_TRUE(queue.empty());
  EXPECT_THROW(queue.Get(), QueueClosed);
  Settle();
  EXPECT_FALSE(joiner.Ready());
  queue.TaskDone();
  joiner.Wait();
}

TEST(Queue, B5_5_TaskDoneTooOftenIsMisuseAndClosingAtOnceReleasesJoiners) {
  Queue<int> queue(kUnbounded, {1, 2});
  auto joiner = Spawn([&] { return queue.Join(absl::InfiniteDuration()); });
  Settle();
  EXPECT_FALSE(joiner.Ready());
  queue.CloseNow();
  EXPECT_TRUE(joiner.Wait());
  EXPECT_THROW(queue.TaskDone(), std::logic_error);
  queue.CloseNow();
  EXPECT_TRUE(queue.Join());
}

TEST(Queue, B5_1_ClosingAtOnceFreesThoseThatWaitOnEitherSide) {
  Queue<std::string> full(1, {"in"});
  std::string item = "kept";
  auto putter = Spawn([&] { return full.Put(std::move(item), Deadline::Never()); });
  Queue<int> empty(1);
  auto getter = Spawn([&] { return empty.Get(Deadline::Never()); });
  Settle();
  full.CloseNow();
  empty.CloseNow();
  EXPECT_FALSE(putter.Wait());
  EXPECT_EQ(item, "kept");
  EXPECT_EQ(getter.Wait(), std::nullopt);
  EXPECT_EQ(full.TryGet(), std::nullopt);
}

TEST(Queue, B5_1_AGetterWokenForAnItemThatIsDroppedGivesUp) {
  Queue<int> queue(kUnbounded);
  auto getter = Spawn([&] { return queue.Get(Deadline::Never()); });
  Settle();
  queue.Put(1);
  queue.CloseNow();
  EXPECT_EQ(getter.Wait(), std::nullopt);
}

}  // namespace
}  // namespace verdant
