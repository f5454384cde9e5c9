// Queues of maxsize 0.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "pool/queue.h"
#include "tests/pool/settle.h"

namespace verdant {
namespace {

TEST(Channel, A5_1_A5_2_PutReturnsWhenTheItemWasTaken) {
  Channel<int> channel;
  EXPECT_TRUE(channel.empty());
  EXPECT_TRUE(channel.full());
  EXPECT_EQ(channel.maxsize(), 0u);
  std::vector<std::string> log;
  auto putter = Spawn([&] {
    for (int i = 0; i < 3; ++i) {
      channel.Put(i);
      log.push_back("put " + std::to_string(i));
    }
  });
  Settle();
  EXPECT_TRUE(log.empty());
  EXPECT_EQ(channel.size(), 0u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(channel.Get(), i);
    log.push_back("got " + std::to_string(i));
    Settle();
  }
  putter.Wait();
  EXPECT_EQ(log, (std::vector<std::string>{"got 0", "put 0", "got 1", "put 1", "got 2", "put 2"}));
}

TEST(Channel, A5_2_B5_2_AGetterWaitsForAPutter) {
  Channel<std::unique_ptr<int>> channel;
  auto getter = Spawn([&] { return *channel.Get(); });
  Settle();
  EXPECT_EQ(channel.getting(), 1u);
  channel.Put(std::make_unique<int>(4));
  EXPECT_EQ(getter.Wait(), 4);
}

TEST(Channel, A5_4_TriesSucceedWhenSomebodyWaitsAtTheOtherEnd) {
  Channel<int> channel;
  EXPECT_FALSE(channel.TryPut(1));
  EXPECT_EQ(channel.TryGet(), std::nullopt);
  auto getter = Spawn([&] { return channel.Get(); });
  Settle();
  EXPECT_TRUE(channel.TryPut(2));
  EXPECT_FALSE(channel.TryPut(3));
  EXPECT_EQ(getter.Wait(), 2);
  auto putter = Spawn([&] { channel.Put(4); });
  Settle();
  EXPECT_EQ(channel.TryGet(), 4);
  putter.Wait();
}

// What holds of a channel in which a putter left an item for a getter.
void ExpectOneItemLeft(Channel<int>& channel, int item) {
  EXPECT_EQ(channel.size(), 1u);
  EXPECT_FALSE(channel.empty());
  EXPECT_TRUE(channel.full());
  EXPECT_EQ(channel.balance(), 0);
  EXPECT_EQ(channel.TryPeek(), item);
}

TEST(Channel, A5_2_A5_4_B5_2_WhatWasLeftForAGetterThatDiesIsKeptForTheNext) {
  for (const bool tried : {false, true}) {
    Channel<int> channel;
    auto getter = Spawn([&] { channel.Get(); });
    Settle();
    EXPECT_EQ(channel.balance(), -1);
    if (tried) {
      EXPECT_TRUE(channel.TryPut(2));
    } else {
      channel.Put(2);
    }
    EXPECT_EQ(channel.size(), 1u);
    EXPECT_FALSE(channel.empty());
    EXPECT_TRUE(channel.full());
    EXPECT_EQ(channel.balance(), 0) << "the getter waits no more";
    EXPECT_EQ(channel.TryGet(), std::nullopt) << "it is the getter's";
    getter.Kill();
    EXPECT_THROW(getter.Wait(), GreenletExit);
    ExpectOneItemLeft(channel, 2);
    EXPECT_FALSE(channel.TryPut(3)) << "nobody waits for it";
    auto putter = Spawn([&] { channel.Put(4); });
    Settle();
    EXPECT_EQ(channel.balance(), 1);
    EXPECT_EQ(channel.Get(), 2);
    EXPECT_TRUE(channel.empty());
    EXPECT_EQ(channel.Get(), 4);
    putter.Wait();
    EXPECT_TRUE(channel.empty());
    EXPECT_TRUE(channel.full());
    EXPECT_EQ(channel.balance(), 0);
  }
}

TEST(Channel, A5_4_B5_2_TheNextGetterMayTryForWhatWasLeft) {
  Channel<int> channel;
  auto getter = Spawn([&] { channel.Get(); });
  Settle();
  channel.Put(2);
  getter.Kill();
  ExpectOneItemLeft(channel, 2);
  EXPECT_EQ(channel.TryGet(), 2);
  EXPECT_TRUE(channel.empty());
}

TEST(Channel, A5_4_TriesDoNotYield) {
  Channel<int> channel;
  auto getter = Spawn([&] { return channel.Get(); });
  Settle();
  const std::uint64_t before = Switches();
  EXPECT_TRUE(channel.TryPut(1));
  EXPECT_EQ(Switches(), before);
  EXPECT_EQ(getter.Wait(), 1);
  auto putter = Spawn([&] { channel.Put(2); });
  Settle();
  const std::uint64_t then = Switches();
  EXPECT_EQ(channel.TryGet(), 2) << "out of the hands of who waits to put it";
  EXPECT_EQ(Switches(), then);
  putter.Wait();
}

TEST(Channel, A5_2_APutThatFindsAGetterHandsOverAndGoesOn) {
  Channel<int> channel;
  std::vector<std::pair<int, int>> got;
  auto first = Spawn([&] { got.emplace_back(1, channel.Get()); });
  auto second = Spawn([&] { got.emplace_back(2, channel.Get()); });
  Settle();
  EXPECT_EQ(channel.getting(), 2u);
  channel.Put(8);
  channel.Put(9);
  EXPECT_EQ(channel.putting(), 0u);
  EXPECT_TRUE(got.empty());
  auto third = Spawn([&] { channel.Put(10); });  // nobody is left who waits
  first.Wait();
  second.Wait();
  EXPECT_EQ(got, (std::vector<std::pair<int, int>>{{1, 8}, {2, 9}}));
  Settle();
  EXPECT_EQ(channel.putting(), 1u);
  EXPECT_EQ(channel.Get(), 10);
  third.Wait();
}

TEST(Channel, A5_7_AKilledPutterIsNotTakenFrom) {
  Channel<int> channel;
  auto doomed = Spawn([&] { channel.Put(7); });
  Settle();
  auto getter = Spawn([&] { return channel.Get(); });
  doomed.Kill();
  EXPECT_THROW(doomed.Wait(), GreenletExit);
  EXPECT_EQ(channel.putting(), 0u);
  Settle();
  EXPECT_EQ(channel.getting(), 1u);
  channel.Put(8);
  EXPECT_EQ(getter.Wait(), 8);
}

TEST(Channel, A5_7_APutThatTimedOutWasNotTaken) {
  Channel<std::string> channel;
  std::string item = "x";
  EXPECT_FALSE(channel.Put(std::move(item), absl::Milliseconds(1)));
  EXPECT_EQ(item, "x");
  EXPECT_EQ(channel.Get(absl::Milliseconds(1)), std::nullopt);
  EXPECT_EQ(channel.putting(), 0u);
}

TEST(Channel, A5_9_CountsTasksToo) {
  Channel<int> channel;
  auto getter = Spawn([&] {
    channel.Get();
    Settle();
    channel.TaskDone();
  });
  channel.Put(1);
  EXPECT_TRUE(channel.Join());
  getter.Wait();
}

TEST(Channel, B5_1_ClosingFreesPuttersAndGetters) {
  Channel<int> channel;
  auto putter = Spawn([&] { return channel.Put(1, Deadline::Never()); });
  Settle();
  channel.Close();
  EXPECT_EQ(channel.Get(Deadline::Never()), std::nullopt);
  EXPECT_FALSE(putter.Wait());
}

}  // namespace
}  // namespace verdant
