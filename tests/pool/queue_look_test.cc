// Looking at what is in a queue, starting with something in it, iterating over it, linking to it.

#include <functional>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/timeout.h"
#include "pool/queue.h"
#include "pool/queue_order.h"
#include "tests/pool/settle.h"

namespace verdant {
namespace {

TEST(Queue, B5_3_PeekingLeavesTheItemWhereItIs) {
  Queue<std::string> queue(kUnbounded);
  EXPECT_EQ(queue.TryPeek(), std::nullopt);
  EXPECT_EQ(queue.Peek(absl::ZeroDuration()), std::nullopt);
  queue.Put("a");
  queue.Put("b");
  const auto before = Switches();
  EXPECT_EQ(queue.Peek(), "a");
  EXPECT_EQ(queue.Peek(absl::Hours(1)), "a");
  EXPECT_EQ(queue.TryPeek(), "a");
  EXPECT_EQ(Switches(), before);
  EXPECT_EQ(queue.size(), 2u);
  EXPECT_EQ(queue.Get(), "a");
  EXPECT_EQ(queue.Peek(), "b");
}

TEST(Queue, B5_3_PeekShowsWhatTheOrderWouldGive) {
  LifoQueue<int> lifo(kUnbounded, {1, 2, 3});
  EXPECT_EQ(lifo.Peek(), 3);
  PriorityQueue<int> least(kUnbounded, {3, 1, 2});
  EXPECT_EQ(least.Peek(), 1);
  PriorityQueue<int, std::greater<int>> greatest(kUnbounded, {1, 3, 2});
  EXPECT_EQ(greatest.TryPeek(), 3);
}

TEST(Queue, B5_3_APeekThatWaitsLetsTheNextGetterHaveTheItem) {
  Queue<int> queue(kUnbounded);
  std::vector<std::string> log;
  auto peeker = Spawn([&] { log.push_back("peeked " + std::to_string(queue.Peek())); });
  auto getter = Spawn([&] { log.push_back("got " + std::to_string(queue.Get())); });
  Settle();
  EXPECT_EQ(queue.getting(), 2u);
  queue.Put(7);
  JoinAll({peeker, getter});
  EXPECT_EQ(log, (std::vector<std::string>{"peeked 7", "got 7"}));
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.getting(), 0u);
}

TEST(Queue, B5_3_APeekDoesNotOvertakeAWokenGetter) {
  Queue<int> queue(kUnbounded);
  auto getter = Spawn([&] { return queue.Get(); });
  Settle();
  queue.Put(1);
  EXPECT_EQ(queue.TryPeek(), std::nullopt);
  queue.Put(2);
  EXPECT_EQ(queue.Peek(), 2);
  EXPECT_EQ(getter.Wait(), 1);
}

TEST(Queue, B5_3_AKilledPeekerTakesNothingAlong) {
  Queue<int> queue(kUnbounded);
  auto peeker = Spawn([&] { return queue.Peek(); });
  auto getter = Spawn([&] { return queue.Get(); });
  Settle();
  queue.Put(1);
  peeker.Kill();
  EXPECT_THROW(peeker.Wait(), GreenletExit);
  EXPECT_EQ(getter.Wait(), 1);
}

TEST(Queue, B5_3_PeekingAtARendezvousSeesTheWaitingPuttersItem) {
  Channel<int> channel;
  EXPECT_EQ(channel.TryPeek(), std::nullopt);
  auto putter = Spawn([&] { channel.Put(5); });
  Settle();
  EXPECT_EQ(channel.TryPeek(), 5);
  EXPECT_EQ(channel.Peek(), 5);
  EXPECT_FALSE(putter.Ready());
  EXPECT_EQ(channel.Get(), 5);
  putter.Wait();
  auto late = Spawn([&] { return channel.Peek(); });
  Settle();
  auto second = Spawn([&] { channel.Put(6); });
  EXPECT_EQ(late.Wait(), 6);
  EXPECT_FALSE(second.Ready());
  EXPECT_EQ(channel.Get(), 6);
  second.Wait();
}

TEST(Queue, B5_3_PeekingAtAClosedQueue) {
  Queue<int> queue(kUnbounded, {1});
  auto late = Spawn([&] {
    queue.Get();
    return queue.Peek(Deadline::Never());
  });
  Settle();
  queue.Close();
  EXPECT_EQ(late.Wait(), std::nullopt);
  EXPECT_THROW(queue.Peek(), QueueClosed);
  EXPECT_EQ(queue.TryPeek(), std::nullopt);
}

TEST(Queue, B5_3_InitialItemsAreThereHoweverSmallMaxsizeIs) {
  Queue<int> queue(2, {1, 2, 3});
  EXPECT_EQ(queue.size(), 3u);
  EXPECT_TRUE(queue.full());
  EXPECT_FALSE(queue.TryPut(4));
  EXPECT_FALSE(queue.Join(absl::ZeroDuration()));
  for (int i : {1, 2, 3}) {
    EXPECT_EQ(queue.Get(), i);
    queue.TaskDone();
  }
  EXPECT_TRUE(queue.Join());
  PriorityQueue<int> sorted(kUnbounded, {3, 1, 2});
  EXPECT_EQ(sorted.Get(), 1);
  EXPECT_EQ(sorted.Get(), 2);
  std::vector<std::unique_ptr<int>> owners;
  owners.push_back(std::make_unique<int>(9));
  Queue<std::unique_ptr<int>> moved(kUnbounded, std::move(owners));
  EXPECT_EQ(*moved.Get(), 9);
}

TEST(Queue, B5_3_ContentsAreACopyInTheOrderOfGetting) {
  Queue<int> fifo(kUnbounded, {3, 1, 2});
  EXPECT_EQ(fifo.Contents(), (std::vector<int>{3, 1, 2}));
  LifoQueue<int> lifo(kUnbounded, {3, 1, 2});
  EXPECT_EQ(lifo.Contents(), (std::vector<int>{2, 1, 3}));
  PriorityQueue<int> least(kUnbounded, {3, 1, 2, 1});
  EXPECT_EQ(least.Contents(), (std::vector<int>{1, 1, 2, 3}));
  EXPECT_EQ(least.size(), 4u);
  EXPECT_EQ(least.Get(), 1);
  Queue<int> copy(fifo.maxsize(), fifo.Contents());
  EXPECT_EQ(copy.Get(), 3);
  EXPECT_EQ(fifo.size(), 3u);
}

TEST(Queue, B5_3_IterationGoesOnUntilTheQueueIsClosedAndEmpty) {
  Queue<int> queue(2);
  std::vector<int> got;
  auto reader = Spawn([&] {
    for (int& item : queue) got.push_back(item);
    got.push_back(-1);
  });
  for (int i = 0; i < 5; ++i) queue.Put(i);
  Settle();
  EXPECT_EQ(got, (std::vector<int>{0, 1, 2, 3, 4}));
  queue.Put(5);
  queue.Close();
  reader.Wait();
  EXPECT_EQ(got, (std::vector<int>{0, 1, 2, 3, 4, 5, -1}));
  for (int item : queue) ADD_FAILURE() << item;
}

TEST(Queue, B5_3_SeveralIterateAndEachItemGoesToOne) {
  Queue<std::unique_ptr<int>> queue(3);
  std::vector<int> seen(1000, 0);
  std::vector<AnyGreenThread> readers;
  for (int r = 0; r < 4; ++r) {
    readers.push_back(Spawn([&] {
      for (auto& item : queue) {
        ++seen[*item];
        if (*item % 7 == 0) Sleep();
      }
    }));
  }
  for (int i = 0; i < 1000; ++i) queue.Put(std::make_unique<int>(i));
  queue.Close();
  JoinAll(readers);
  EXPECT_EQ(seen, std::vector<int>(1000, 1));
}

TEST(Queue, B5_3_AnInterruptedStepOfAnIteratorLosesNothing) {
  Queue<std::string> queue(kUnbounded, {"a"});
  auto it = queue.begin();
  EXPECT_EQ(*it, "a");
  EXPECT_FALSE(WithTimeout(absl::Milliseconds(1), [&] { ++it; }));
  EXPECT_EQ(it->size(), 1u);
  EXPECT_EQ(*it, "a");
  queue.Put("b");
  ++it;
  EXPECT_EQ(*it, "b");
  queue.Close();
  it++;
  EXPECT_EQ(it, queue.end());
  static_assert(std::ranges::input_range<Queue<std::string>>);
}

TEST(Queue, B1_8_AQueueIsALinkTarget) {
  Queue<AnyGreenThread> ended(kUnbounded);
  std::vector<AnyGreenThread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.push_back(Spawn([i] {
      for (int turns = 0; turns < 3 - i; ++turns) Sleep();
    }));
    threads.back().Link(PutInto(ended, threads.back()));
  }
  for (int i = 2; i >= 0; --i) EXPECT_EQ(ended.Get(), threads[i]);
  threads[0].Link(PutInto(ended, threads[0]));
  EXPECT_EQ(ended.TryGet(), threads[0]);
}

TEST(Queue, B1_8_ALinkToAFullQueueWaitsForRoomAndToAClosedOneDropsTheItem) {
  Queue<int> results(1, {0});
  auto thread = Spawn([] {});
  thread.Link(PutInto(results, 1));
  Settle();
  EXPECT_EQ(results.putting(), 1u);
  EXPECT_EQ(results.Get(), 0);
  EXPECT_EQ(results.Get(), 1);
  thread.Wait();
  results.Close();
  auto late = Spawn([] {});
  late.Link(PutInto(results, 2));
  late.Wait();
  EXPECT_TRUE(results.empty());
}

TEST(Queue, B5_2_TheBalanceOfAChannelIsPuttersLessGetters) {
  Channel<int> channel;
  EXPECT_EQ(channel.balance(), 0);
  std::vector<AnyGreenThread> threads;
  for (int i = 0; i < 2; ++i) threads.push_back(Spawn([&] { channel.Put(1); }));
  Settle();
  EXPECT_EQ(channel.balance(), 2);
  channel.Get();
  channel.Get();
  for (int i = 0; i < 3; ++i) threads.push_back(Spawn([&] { channel.Get(); }));
  Settle();
  EXPECT_EQ(channel.balance(), -3);
  KillAll(threads);
  EXPECT_EQ(channel.balance(), 0);
}

TEST(Queue, B5_4_InAHubCallbackWhatNeedsNotWaitWorksAndTheRestIsMisuse) {
  Queue<int> queue(1);
  Channel<int> channel;
  Event<> done;
  std::vector<std::string> log;
  auto note = [&](const char* what, auto call) {
    try {
      call();
      log.push_back(std::string(what) + " went");
    } catch (const std::logic_error&) {
      log.push_back(std::string(what) + " is misuse");
    }
  };
  auto putter = Spawn([&] { channel.Put(3); });
  Settle();
  Hub::Current().Post([&] {
    note("put with room", [&] { queue.Put(1); });
    note("peek", [&] { EXPECT_EQ(queue.TryPeek(), 1); });
    note("put without room", [&] { queue.Put(2); });
    note("try without room", [&] { EXPECT_FALSE(queue.TryPut(2)); });
    note("get", [&] { EXPECT_EQ(queue.Get(), 1); });
    note("get from nothing", [&] { queue.Get(); });
    note("try from nothing", [&] { EXPECT_EQ(queue.TryGet(), std::nullopt); });
    note("take from a waiting putter", [&] { EXPECT_EQ(channel.TryGet(), 3); });
    done.Send();
  });
  done.Wait();
  EXPECT_EQ(log, (std::vector<std::string>{
                     "put with room went", "peek went", "put without room is misuse",
                     "try without room went", "get went", "get from nothing is misuse",
                     "try from nothing went", "take from a waiting putter went"}));
  EXPECT_EQ(queue.getting(), 0u);
  EXPECT_EQ(queue.putting(), 0u);
  putter.Wait();
}

}  // namespace
}  // namespace verdant
