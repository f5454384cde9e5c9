#include "pool/queue_order.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hub/green_thread.h"

namespace verdant {
namespace {

template <typename Q>
auto Drain(Q& queue) {
  std::vector<decltype(queue.Get())> items;
  while (auto item = queue.TryGet()) items.push_back(*std::move(item));
  return items;
}

TEST(LifoQueue, A5_1_GivesTheLatestFirst) {
  LifoQueue<int> queue(kUnbounded);
  for (int i : {1, 2, 3}) queue.Put(i);
  EXPECT_EQ(Drain(queue), (std::vector<int>{3, 2, 1}));
}

TEST(PriorityQueue, A5_1_GivesTheLeastFirst) {
  PriorityQueue<int> queue(kUnbounded);
  for (int i : {5, 1, 4, 1, 3}) queue.Put(i);
  EXPECT_EQ(Drain(queue), (std::vector<int>{1, 1, 3, 4, 5}));
  PriorityQueue<int, std::greater<int>> greatest(kUnbounded);
  for (int i : {5, 1, 4}) greatest.Put(i);
  EXPECT_EQ(Drain(greatest), (std::vector<int>{5, 4, 1}));
}

struct ByFirst {
  using Pair = std::pair<int, std::string>;
  bool operator()(const Pair& a, const Pair& b) const { return a.first < b.first; }
};

TEST(PriorityQueue, EqualItemsComeInTheOrderTheyWerePut) {
  PriorityQueue<std::pair<int, std::string>, ByFirst> queue(kUnbounded);
  for (const char* name : {"a", "b", "c", "d", "e"}) queue.Put({1, name});
  queue.Put({0, "first"});
  std::string order;
  for (auto& [priority, name] : Drain(queue)) order += name;
  EXPECT_EQ(order, "firstabcde");
}

TEST(PriorityQueue, MoveOnlyItemsAndABound) {
  struct Less {
    bool operator()(const std::unique_ptr<int>& a, const std::unique_ptr<int>& b) const {
      return *a < *b;
    }
  };
  PriorityQueue<std::unique_ptr<int>, Less> queue(2);
  queue.Put(std::make_unique<int>(2));
  queue.Put(std::make_unique<int>(3));
  auto putter = Spawn([&] { queue.Put(std::make_unique<int>(1)); });
  Sleep();
  EXPECT_EQ(queue.putting(), 1u);
  EXPECT_EQ(*queue.Get(), 2);
  putter.Wait();
  EXPECT_EQ(*queue.Get(), 1);
  EXPECT_EQ(*queue.Get(), 3);
}

TEST(PriorityQueue, AWaitingGetterGetsTheLeastOfWhatIsThereWhenItRuns) {
  PriorityQueue<int> queue(kUnbounded);
  auto getter = Spawn([&] { return queue.Get(); });
  Sleep();
  queue.Put(7);
  queue.Put(2);
  EXPECT_EQ(getter.Wait(), 2);
}

}  // namespace
}  // namespace verdant
