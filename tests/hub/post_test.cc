#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

TEST(Post, B8_6_CallsRunInOrderOnTheHubBetweenGreenThreads) {
  std::vector<int> order;
  for (int i = 0; i < 3; ++i) {
    Hub::Current().Post([&order, i] {
      EXPECT_TRUE(Hub::Current().OnHubStack());
      order.push_back(i);
    });
  }
  while (order.size() < 3) Sleep();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
}

TEST(Post, B8_6_ManyThreadsPostWhileTheHubSleepsAndEachKeepsItsOrder) {
  constexpr int kThreads = 4;
  constexpr int kPosts = 2000;
  std::vector<int> next(kThreads, 0);
  int out_of_order = 0;
  int received = 0;
  Event<> done;
  Hub& hub = Hub::Current();
  const Hub::Keepalive keepalive(hub);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kPosts; ++i) {
        hub.Post([&, t, i] {
          if (next[static_cast<std::size_t>(t)]++ != i) ++out_of_order;
          if (++received == kThreads * kPosts) done.Send();
        });
        if (i % 64 == 0) std::this_thread::yield();
      }
    });
  }
  done.Wait();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(out_of_order, 0);
}

TEST(Post, ToAHubThatIsGoneIsRefusedByARemote) {
  std::optional<Hub::Remote> remote;
  std::optional<Hub::Keepalive> keepalive;
  auto token = std::make_shared<int>(0);
  OnFreshThread([&] {
    remote.emplace(Hub::Current());
    keepalive.emplace(Hub::Current());
    EXPECT_TRUE(remote->Post([token] {}));
  });
  EXPECT_EQ(token.use_count(), 1);
  EXPECT_FALSE(remote->Post([token] {}));
  EXPECT_EQ(token.use_count(), 1);
  keepalive.reset();
}

TEST(Post, AnEmptyFunctionIsRefused) {
  EXPECT_THROW(Hub::Current().Post(nullptr), std::logic_error);
  EXPECT_THROW(Hub::Remote(Hub::Current()).Post(nullptr), std::logic_error);
}

TEST(Keepalive, TheLastOneThatGoesLetsTheHubSeeADeadlock) {
  Event<> never;
  std::optional<Hub::Keepalive> keepalive;
  keepalive.emplace(Hub::Current());
  Hub::Keepalive moved = std::move(*keepalive);
  std::atomic<bool> waiting{false};
  std::jthread dropper([&, last = std::move(moved)]() mutable {
    while (!waiting.load()) std::this_thread::yield();
    const Hub::Keepalive gone = std::move(last);
  });
  waiting = true;
  EXPECT_THROW(never.Wait(), LoopExit);
  dropper.join();
}

}  // namespace
}  // namespace verdant
