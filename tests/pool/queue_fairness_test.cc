// The order in which those that wait in a queue are served.

#include <cstddef>
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

TEST(Queue, A5_8_B5_3_GettersAreServedInTheOrderTheyCame) {
  for (bool rendezvous : {false, true}) {
    Queue<int> queue(rendezvous ? std::optional<std::size_t>(0) : kUnbounded);
    std::vector<std::pair<int, int>> got;
    std::vector<AnyGreenThread> getters;
    for (int g = 0; g < 5; ++g)
      getters.push_back(Spawn([&, g] { got.emplace_back(g, queue.Get()); }));
    Settle();
    getters[2].Kill();
    for (int i = 0; i < 4; ++i) queue.Put(i);
    JoinAll(getters);
    EXPECT_EQ(got, (std::vector<std::pair<int, int>>{{0, 0}, {1, 1}, {3, 2}, {4, 3}}));
  }
}

TEST(Queue, A5_8_WhoComesLaterDoesNotOvertakeAWokenGetter) {
  Queue<int> queue(kUnbounded);
  std::vector<std::string> log;
  auto waiting = Spawn([&] { log.push_back("waiting got " + std::to_string(queue.Get())); });
  Sleep();
  queue.Put(1);
  EXPECT_EQ(queue.TryGet(), std::nullopt);
  queue.Put(2);
  log.push_back("late got " + std::to_string(queue.Get()));
  waiting.Wait();
  EXPECT_EQ(log, (std::vector<std::string>{"waiting got 1", "late got 2"}));
}

TEST(Queue, A5_8_WhoComesLaterDoesNotOvertakeAWokenPutter) {
  Queue<int> queue(1);
  queue.Put(1);
  auto waiting = Spawn([&] { queue.Put(2); });
  Sleep();
  EXPECT_EQ(queue.Get(), 1);
  EXPECT_FALSE(queue.TryPut(9));
  auto late = Spawn([&] { queue.Put(3); });
  EXPECT_EQ(queue.Get(), 2);
  EXPECT_EQ(queue.Get(), 3);
  waiting.Wait();
  late.Wait();
}

}  // namespace
}  // namespace verdant
