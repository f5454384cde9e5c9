// Those that wait in a queue and are killed or run out of time.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "hub/timeout.h"
#include "pool/queue.h"
#include "tests/hub/manual_clock.h"
#include "tests/pool/settle.h"

namespace verdant {
namespace {

TEST(Queue, A5_7_AGetterThatTimedOutTakesNothing) {
  Queue<int> queue(kUnbounded);
  EXPECT_EQ(queue.Get(absl::Milliseconds(1)), std::nullopt);
  queue.Put(1);
  EXPECT_EQ(queue.size(), 1u);
  EXPECT_EQ(queue.Get(), 1);
}

TEST(Queue, A5_7_AKilledGetterThatWasWokenPassesTheItemOn) {
  Queue<int> queue(kUnbounded);
  std::vector<int> got;
  auto first = Spawn([&] { got.push_back(queue.Get()); });
  auto second = Spawn([&] { got.push_back(queue.Get() + 100); });
  Settle();
  queue.Put(1);
  first.Kill();
  EXPECT_THROW(first.Wait(), GreenletExit);
  Settle();
  EXPECT_EQ(got, (std::vector<int>{101}));
  second.Wait();
  auto third = Spawn([&] { queue.Get(); });
  Settle();
  queue.Put(2);
  third.Kill();
  Settle();
  EXPECT_EQ(queue.size(), 1u);
  EXPECT_EQ(queue.TryGet(), 2);
}

TEST(Queue, A5_7_AKilledPutterThatWasWokenPassesItsRoomOn) {
  Queue<std::string> queue(1);
  queue.Put("a");
  std::string item = "b";
  auto first = Spawn([&] { queue.Put(std::move(item), absl::InfiniteDuration()); });
  auto second = Spawn([&] { queue.Put("c"); });
  Settle();
  EXPECT_EQ(queue.Get(), "a");
  first.Kill();
  EXPECT_THROW(first.Wait(), GreenletExit);
  EXPECT_EQ(item, "b");
  second.Wait();
  EXPECT_EQ(queue.Get(), "c");
  EXPECT_EQ(queue.size(), 0u);
}

TEST(Queue, A5_7_ATimeoutTakenBackAfterItFiredLeavesTheGetterWaiting) {
  WithManualClock([](ManualClock&) {
    Queue<int> queue(kUnbounded);
    Timeout* patience = nullptr;
    // Wakes in the turn in which the getter's Timeout fires, before the getter can run.
    auto canceller = Spawn([&] {
      Sleep(absl::Seconds(1));
      EXPECT_TRUE(patience->Fired());
      queue.Put(1);
      patience->Cancel();
    });
    auto getter = Spawn([&] {
      Timeout timeout(absl::Seconds(1));
      patience = &timeout;
      return queue.Get();
    });
    EXPECT_EQ(getter.Wait(), 1);
    canceller.Wait();
  });
}

// The getter finds the putter on its way out, so it seems, and waits; then the putter stays.
TEST(Channel, A5_7_ATimeoutTakenBackAfterItFiredLeavesThePutterThereToBeTakenFrom) {
  WithManualClock([](ManualClock&) {
    Channel<int> channel;
    Timeout* patience = nullptr;
    auto getter = Spawn([&] {
      Sleep(absl::Seconds(1));
      EXPECT_TRUE(patience->Fired());
      patience->Cancel();
      return channel.Get();
    });
    auto putter = Spawn([&] {
      Timeout timeout(absl::Seconds(1));
      patience = &timeout;
      channel.Put(1);
    });
    EXPECT_EQ(getter.Wait(), 1);
    putter.Wait();
  });
}

TEST(Channel, A5_7_ATimeoutTakenBackWithADeadlineSetLeavesThatAsItWas) {
  WithManualClock([](ManualClock&) {
    Channel<int> channel;
    Timeout* patience = nullptr;
    auto canceller = Spawn([&] {
      Sleep(absl::Seconds(1));
      patience->Cancel();
      EXPECT_EQ(channel.Peek(), 1);
      EXPECT_EQ(channel.TryPeek(), 1);
    });
    auto putter = Spawn([&] {
      Timeout timeout(absl::Seconds(1));
      patience = &timeout;
      return channel.Put(1, absl::Seconds(3));
    });
    const std::int64_t began = Hub::Current().NowNanos();
    EXPECT_FALSE(putter.Wait());
    EXPECT_EQ(absl::Nanoseconds(Hub::Current().NowNanos() - began), absl::Seconds(3));
    canceller.Wait();
  });
}

TEST(Queue, A5_7_AGetterWokenInTheTurnOfItsDeadlineEitherTakesTheItemOrLeavesIt) {
  WithManualClock([](ManualClock&) {
    Queue<int> queue(kUnbounded);
    auto putter = Spawn([&] {
      Sleep(absl::Seconds(1));
      queue.Put(1);
    });
    auto first = Spawn([&] { return queue.Get(absl::Seconds(1)); });
    auto second = Spawn([&] { return queue.Get(absl::Seconds(2)); });
    EXPECT_EQ(first.Wait(), 1);
    EXPECT_EQ(second.Wait(), std::nullopt);
    EXPECT_EQ(queue.size(), 0u);
  });
}

TEST(Queue, A5_7_ManyTimeoutsLoseAndDuplicateNothing) {
  for (std::size_t maxsize : {0u, 1u, 3u}) {
    Queue<int> queue(maxsize);
    std::vector<int> got;
    bool all_put = false;
    auto putter = Spawn([&] {
      for (int i = 0; i < 200; ++i) {
        while (!queue.Put(i, absl::Microseconds(i % 7 * 20))) {
        }
      }
      all_put = true;
    });
    while (!all_put || queue.size() > 0) {
      if (auto item = queue.Get(absl::Microseconds(50))) got.push_back(*item);
      if (got.size() % 3 == 0) Sleep(absl::Microseconds(60));
    }
    putter.Wait();
    ASSERT_EQ(got.size(), 200u);
    for (int i = 0; i < 200; ++i) ASSERT_EQ(got[i], i);
  }
}

}  // namespace
}  // namespace verdant
