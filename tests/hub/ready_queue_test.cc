#include "hub/internal/ready_queue.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <random>

#include "gtest/gtest.h"

namespace verdant::internal {
namespace {

// The queue only stores the pointers.
Fiber* Fake(std::uintptr_t number) { return reinterpret_cast<Fiber*>(number * 64); }

TEST(ReadyQueue, BehavesLikeADequeUnderRandomOperations) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    std::mt19937_64 random(seed);
    ReadyQueue queue;
    std::deque<Fiber*> model;
    std::uintptr_t next = 1;
    for (int step = 0; step < 5000; ++step) {
      // Grows to some hundreds and shrinks again.
      const bool growing = step / 500 % 2 == 0;
      switch (random() % 7) {
        case 0:
        case 1:
          if (!growing && !model.empty()) {
            ASSERT_EQ(queue.PopFront(), model.front());
            model.pop_front();
            break;
          }
          [[fallthrough]];
        case 2:
          queue.Reserve(model.size() + 1);
          if (random() % 8 == 0) {
            queue.PushFront(Fake(next));
            model.push_front(Fake(next++));
          } else {
            queue.PushBack(Fake(next));
            model.push_back(Fake(next++));
          }
          break;
        case 3:
          if (model.empty()) break;
          ASSERT_EQ(queue.PopFront(), model.front());
          model.pop_front();
          break;
        case 4: {
          if (model.empty()) break;
          queue.Reserve(model.size() + 1);
          model.push_back(Fake(next));
          ASSERT_EQ(queue.Rotate(Fake(next++)), model.front());
          model.pop_front();
          break;
        }
        case 5: {
          if (model.empty()) break;
          const auto at = model.begin() + static_cast<std::ptrdiff_t>(random() % model.size());
          queue.Remove(*at);
          model.erase(at);
          break;
        }
        default: {
          if (model.empty()) break;
          const auto at = model.begin() + static_cast<std::ptrdiff_t>(random() % model.size());
          Fiber* moved = *at;
          model.erase(at);
          model.push_front(moved);
          queue.MoveToFront(moved);
        }
      }
      ASSERT_EQ(queue.size(), model.size());
      ASSERT_EQ(queue.empty(), model.empty());
      for (std::size_t i = 0; i < model.size(); ++i) ASSERT_EQ(queue.Ahead(i), model[i]);
    }
  }
}

TEST(ReadyQueue, MovingWhatIsNotQueuedChangesNothing) {
  ReadyQueue queue;
  queue.MoveToFront(Fake(1));
  EXPECT_TRUE(queue.empty());
  queue.PushBack(Fake(2));
  queue.PushBack(Fake(3));
  queue.MoveToFront(Fake(1));
  queue.Remove(Fake(1));
  EXPECT_EQ(queue.PopFront(), Fake(2));
  EXPECT_EQ(queue.PopFront(), Fake(3));
}

TEST(ReadyQueue, TakenCountsWhatLeftByTheFront) {
  ReadyQueue queue;
  queue.PushBack(Fake(1));
  queue.Rotate(Fake(2));
  EXPECT_EQ(queue.taken(), 1u);
  queue.PopFront();
  EXPECT_EQ(queue.taken(), 2u);
  queue.PushBack(Fake(3));
  queue.Remove(Fake(3));
  EXPECT_EQ(queue.taken(), 2u);
}

}  // namespace
}  // namespace verdant::internal
