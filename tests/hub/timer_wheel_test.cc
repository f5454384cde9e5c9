#include "hub/internal/timer_wheel.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "greenlet/internal/sanitizer.h"
#include "gtest/gtest.h"

namespace verdant::internal {
namespace {

struct Timer : TimerNode {
  explicit Timer(std::function<void(Timer&)> f)
      : TimerNode(&Timer::OnFire), on_fire(std::move(f)) {}
  static void OnFire(TimerNode* node) {
    auto* timer = static_cast<Timer*>(node);
    timer->on_fire(*timer);
  }
  std::function<void(Timer&)> on_fire;
  int number = 0;
};

constexpr std::int64_t kTick = std::int64_t{1} << 14;

TEST(TimerWheel, AnEmptyWheelHasNoDeadline) {
  TimerWheel wheel(12345);
  EXPECT_EQ(wheel.NextDeadline(), TimerWheel::kNever);
  wheel.Advance(99999999);
  EXPECT_EQ(wheel.size(), 0u);
}

TEST(TimerWheel, FiresAtTheDeadlineAndNotANanosecondBefore) {
  TimerWheel wheel(0);
  int fired = 0;
  Timer timer([&](Timer&) { ++fired; });
  for (const std::int64_t deadline : {std::int64_t{1}, kTick - 1, kTick, kTick + 1, 64 * kTick - 1,
                                      64 * kTick, 64 * 64 * kTick + 5, std::int64_t{1} << 40}) {
    fired = 0;
    wheel.Arm(timer, deadline);
    EXPECT_TRUE(timer.armed());
    wheel.Advance(deadline - 1);
    EXPECT_EQ(fired, 0) << deadline;
    wheel.Advance(deadline);
    EXPECT_EQ(fired, 1) << deadline;
    EXPECT_FALSE(timer.armed());
  }
}

TEST(TimerWheel, NextDeadlineIsNeverLateAndLeadsThere) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 300; ++round) {
    const std::int64_t start = static_cast<std::int64_t>(random() % (std::uint64_t{1} << 50));
    TimerWheel wheel(start);
    bool fired = false;
    Timer timer([&](Timer&) { fired = true; });
    const std::int64_t deadline =
        start + static_cast<std::int64_t>(random() % (std::uint64_t{1} << (1 + random() % 55)));
    wheel.Arm(timer, deadline);
    int steps = 0;
    while (!fired) {
      const std::int64_t next = wheel.NextDeadline();
      ASSERT_LE(next, deadline);
      wheel.Advance(next);
      ASSERT_LT(++steps, 20) << "from " << start << " to " << deadline;
    }
    EXPECT_EQ(wheel.NextDeadline(), TimerWheel::kNever);
  }
}

TEST(TimerWheel, EqualDeadlinesFireInTheOrderTheyWereArmed) {
  TimerWheel wheel(0);
  std::vector<int> order;
  std::vector<std::unique_ptr<Timer>> timers;
  // Armed from ever nearer, so that they reach the deadline's slot by different cascades.
  const std::int64_t deadline = (std::int64_t{1} << 38) + 777;
  for (int i = 0; i < 40; ++i) {
    timers.push_back(std::make_unique<Timer>([&order, i](Timer&) { order.push_back(i); }));
    wheel.Arm(*timers.back(), deadline);
    wheel.Advance(deadline - (deadline >> (i + 1)));
  }
  wheel.Advance(deadline);
  ASSERT_EQ(order.size(), 40u);
  for (int i = 0; i < 40; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(TimerWheel, WithinOneTickTheEarlierDeadlineFiresFirst) {
  TimerWheel wheel(0);
  std::vector<int> order;
  Timer a([&](Timer&) { order.push_back(3); });
  Timer b([&](Timer&) { order.push_back(1); });
  Timer c([&](Timer&) { order.push_back(2); });
  wheel.Arm(a, 1000);
  wheel.Arm(b, 998);
  wheel.Arm(c, 999);
  wheel.Advance(1000);
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST(TimerWheel, WhatIsArmedWhileFiringWaitsForTheNextAdvance) {
  TimerWheel wheel(0);
  int fired = 0;
  Timer again([&](Timer& self) {
    if (++fired < 3) wheel.Arm(self, 0);
  });
  wheel.Arm(again, 100);
  wheel.Advance(200);
  EXPECT_EQ(fired, 1);
  EXPECT_LE(wheel.NextDeadline(), 200);
  wheel.Advance(200);
  EXPECT_EQ(fired, 2);
  wheel.Advance(200);
  EXPECT_EQ(fired, 3);
  EXPECT_EQ(wheel.size(), 0u);
}

TEST(TimerWheel, OneThatFiresMayDisarmAnotherThatIsDueWithIt) {
  TimerWheel wheel(0);
  std::vector<int> order;
  Timer second([&](Timer&) { order.push_back(2); });
  auto third = std::make_unique<Timer>([&](Timer&) { order.push_back(3); });
  Timer first([&](Timer&) {
    order.push_back(1);
    second.Disarm();
    third = nullptr;
  });
  wheel.Arm(first, 10);
  wheel.Arm(second, 10);
  wheel.Arm(*third, 11);
  wheel.Advance(20);
  EXPECT_EQ(order, std::vector<int>{1});
  EXPECT_EQ(wheel.size(), 0u);
}

TEST(TimerWheel, ArmingAgainMovesTheDeadline) {
  TimerWheel wheel(0);
  int fired = 0;
  Timer timer([&](Timer&) { ++fired; });
  wheel.Arm(timer, 100);
  wheel.Arm(timer, 1000000);
  EXPECT_EQ(wheel.size(), 1u);
  wheel.Advance(999999);
  EXPECT_EQ(fired, 0);
  wheel.Advance(1000000);
  EXPECT_EQ(fired, 1);
}

TEST(TimerWheel, TheLastDeadlineThereIsAndOneBeforeTheOriginArePlaced) {
  TimerWheel wheel(5);
  int fired = 0;
  Timer last([&](Timer&) { ++fired; });
  Timer early([&](Timer&) { ++fired; });
  wheel.Arm(last, TimerWheel::kNever - 1);
  wheel.Arm(early, -17);
  wheel.Advance(5);
  EXPECT_EQ(fired, 1);
  EXPECT_LT(wheel.NextDeadline(), TimerWheel::kNever);
  last.Disarm();
  EXPECT_EQ(wheel.NextDeadline(), TimerWheel::kNever);
}

TEST(TimerWheel, ATimeThatRunsBackwardsFiresNothingEarly) {
  TimerWheel wheel(1 << 20);
  int fired = 0;
  Timer timer([&](Timer&) { ++fired; });
  wheel.Arm(timer, (1 << 20) + 50);
  wheel.Advance(1 << 10);
  EXPECT_EQ(fired, 0);
  wheel.Advance((1 << 20) + 50);
  EXPECT_EQ(fired, 1);
}

TEST(TimerWheel, ADestroyedWheelLeavesItsTimersDisarmed) {
  Timer timer([](Timer&) {});
  {
    TimerWheel wheel(0);
    wheel.Arm(timer, 1000);
  }
  EXPECT_FALSE(timer.armed());
}

// Random arming, disarming and advancing over all levels, against a model that is obviously right.
TEST(TimerWheel, BehavesLikeASortedMapUnderRandomOperations) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    std::mt19937_64 random(seed);
    std::int64_t now = static_cast<std::int64_t>(random() % (std::uint64_t{1} << 45));
    TimerWheel wheel(now);
    std::multimap<std::int64_t, int> model;  // equal keys keep the order of insertion
    std::vector<std::multimap<std::int64_t, int>::iterator> places(200, model.end());
    std::vector<int> fired;
    std::vector<std::unique_ptr<Timer>> timers;
    for (int i = 0; i < 200; ++i) {
      timers.push_back(std::make_unique<Timer>([&fired](Timer& t) { fired.push_back(t.number); }));
      timers.back()->number = i;
    }
    for (int step = 0; step < 3000; ++step) {
      const auto index = static_cast<std::size_t>(random() % timers.size());
      const auto reach = std::uint64_t{1} << (random() % 52);
      switch (random() % 4) {
        case 0:
        case 1: {
          if (places[index] != model.end()) model.erase(places[index]);
          const std::int64_t deadline = now + static_cast<std::int64_t>(random() % reach) - 3;
          wheel.Arm(*timers[index], deadline);
          places[index] =
              model.emplace(std::max<std::int64_t>(deadline, 0), static_cast<int>(index));
          break;
        }
        case 2:
          timers[index]->Disarm();
          if (places[index] != model.end()) model.erase(places[index]);
          places[index] = model.end();
          break;
        default: {
          // Mostly short steps; sometimes exactly to a deadline, sometimes far beyond several.
          now += static_cast<std::int64_t>(random() % (std::uint64_t{1} << (random() % 45)));
          if (!model.empty() && random() % 3 == 0) now = std::max(now, model.begin()->first);
          fired.clear();
          std::vector<int> expected;
          while (!model.empty() && model.begin()->first <= now) {
            expected.push_back(model.begin()->second);
            places[static_cast<std::size_t>(model.begin()->second)] = model.end();
            model.erase(model.begin());
          }
          wheel.Advance(now);
          ASSERT_EQ(fired, expected) << "seed " << seed << " step " << step;
        }
      }
      ASSERT_EQ(wheel.size(), model.size());
      const std::int64_t bound = wheel.NextDeadline();
      if (model.empty()) {
        ASSERT_EQ(bound, TimerWheel::kNever);
      } else {
        ASSERT_LE(bound, model.begin()->first) << "seed " << seed << " step " << step;
      }
    }
  }
}

TEST(TimerWheel, AMillionPendingAllFireInOrder) {
#if defined(VERDANT_ASAN) || defined(VERDANT_TSAN)
  constexpr int kTimers = 100000;
#else
  constexpr int kTimers = 1000000;
#endif
  struct Counted : TimerNode {
    Counted() : TimerNode(&Counted::OnFire) {}
    static void OnFire(TimerNode* node) {
      auto* self = static_cast<Counted*>(node);
      if (self->deadline() < self->test->last) ++self->test->out_of_order;
      self->test->last = self->deadline();
      ++self->test->fired;
    }
    struct Test {
      std::int64_t last = 0;
      int fired = 0;
      int out_of_order = 0;
    };
    Test* test = nullptr;
  };
  Counted::Test test;
  std::mt19937_64 random(3);
  TimerWheel wheel(0);
  std::vector<Counted> timers(kTimers);
  for (Counted& timer : timers) {
    timer.test = &test;
    wheel.Arm(timer, static_cast<std::int64_t>(random() % 600000000000));
  }
  EXPECT_EQ(wheel.size(), static_cast<std::size_t>(kTimers));
  for (std::size_t i = 0; i < timers.size(); i += 2) timers[i].Disarm();
  EXPECT_EQ(wheel.size(), static_cast<std::size_t>(kTimers / 2));
  const std::vector<const TimerNode*> pending = wheel.Pending();
  EXPECT_EQ(pending.size(), wheel.size());
  EXPECT_TRUE(std::is_sorted(pending.begin(), pending.end(), [](const auto* a, const auto* b) {
    return a->deadline() < b->deadline();
  }));
  int turns = 0;
  for (std::int64_t now = 0; wheel.size() != 0; now += 100000000) {
    wheel.Advance(now);
    ++turns;
  }
  EXPECT_EQ(test.fired, kTimers / 2);
  EXPECT_EQ(test.out_of_order, 0);
  EXPECT_LE(turns, 6002);
}

}  // namespace
}  // namespace verdant::internal
