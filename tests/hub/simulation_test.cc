#include "hub/simulation.h"

#include <cstdlib>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/timeout.h"
#include "hub/virtual_clock.h"

namespace verdant {
namespace {

std::vector<int> OrderOf(std::uint64_t seed, int threads = 6) {
  std::vector<int> order;
  const Simulation run = Simulate(seed, [&] {
    std::vector<GreenThread<void>> all;
    for (int i = 0; i < threads; ++i) {
      all.push_back(Spawn([&order, i] {
        for (int n = 0; n < 3; ++n) {
          order.push_back(i);
          Sleep();
        }
      }));
    }
    JoinAll(all);
  });
  EXPECT_EQ(run.error, nullptr);
  return order;
}

TEST(Simulation, WithoutASeedTheOrderIsTheOrdinaryOne) {
  EXPECT_EQ(OrderOf(0, 3), (std::vector<int>{0, 1, 2, 0, 1, 2, 0, 1, 2}));
}

TEST(Simulation, OneSeedIsOneOrderAndOthersAreOthers) {
  std::set<std::vector<int>> orders;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const std::vector<int> order = OrderOf(seed);
    EXPECT_EQ(order.size(), 18u);
    EXPECT_EQ(order, OrderOf(seed)) << "seed " << seed;
    orders.insert(order);
  }
  EXPECT_GT(orders.size(), 18u);
}

TEST(Simulation, ManyMoreThanATurnHoldsAllRun) { EXPECT_EQ(OrderOf(7, 1000).size(), 3000u); }

TEST(Simulation, ADayOfTimeoutsPasses) {
  int expired = 0;
  const Simulation run = Simulate(3, [&] {
    std::vector<GreenThread<void>> all;
    for (int i = 0; i < 100; ++i) {
      all.push_back(Spawn([&expired] {
        for (int hour = 0; hour < 24; ++hour) {
          if (!WithTimeout(absl::Minutes(59), [] { Sleep(absl::Hours(2)); })) ++expired;
          Sleep(absl::Minutes(1));
        }
      }));
    }
    JoinAll(all);
  });
  EXPECT_EQ(run.error, nullptr);
  EXPECT_EQ(run.elapsed, absl::Hours(24));
  EXPECT_EQ(expired, 2400);
  EXPECT_GT(run.switches, 4800u);
}

TEST(Simulation, TimersGoByTheirDeadlinesWhateverTheSeed) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    std::vector<int> order;
    Simulate(seed, [&] {
      std::vector<GreenThread<void>> all;
      for (const int i : {5, 1, 4, 2, 3}) {
        all.push_back(SpawnAfter(absl::Seconds(i), [&order, i] { order.push_back(i); }));
      }
      JoinAll(all);
    });
    EXPECT_EQ(order, (std::vector<int>{1, 2, 3, 4, 5})) << "seed " << seed;
  }
}

TEST(Simulation, WhoIsKilledIsStillFirst) {
  for (std::uint64_t seed = 0; seed <= 20; ++seed) {
    std::vector<std::string> log;
    Simulate(seed, [&] {
      auto victim = Spawn([&] {
        try {
          Sleep(absl::Hours(1));
        } catch (const GreenletExit&) {
          log.push_back("killed");
        }
      });
      Sleep(absl::Seconds(1));
      std::vector<GreenThread<void>> others;
      for (int i = 0; i < 5; ++i) others.push_back(Spawn([&] { log.push_back("other"); }));
      victim.Kill();
      EXPECT_EQ(log.at(0), "killed") << "seed " << seed;
      JoinAll(others);
    });
  }
}

TEST(Simulation, AnErrorOfTheProgramIsGiven) {
  const Simulation run = Simulate(1, [] {
    Sleep(absl::Seconds(5));
    throw std::runtime_error("wrong");
  });
  EXPECT_EQ(run.elapsed, absl::Seconds(5));
  EXPECT_THROW(std::rethrow_exception(run.error), std::runtime_error);
}

// What is read before a wait and written after it, by two at once.
void WithdrawTwice() {
  int balance = 100;
  auto withdraw = [&](int amount) {
    Sleep();
    if (balance < amount) return;
    Sleep();
    balance -= amount;
  };
  auto first = Spawn(withdraw, 70);
  auto second = Spawn([&] {
    first.Join();
    withdraw(70);
  });
  auto hasty = Spawn([&] {
    Sleep();
    Sleep();
    Sleep();
    withdraw(50);
  });
  JoinAll({first, second, hasty});
  if (balance < 0) throw std::runtime_error("overdrawn");
}

TEST(Simulation, AHubThatCannotBeMadeIsAnErrorOfTheCallers) {
  bool ran = false;
  EXPECT_ANY_THROW(Simulate(1, [&] { ran = true; }, {.poller = "none such"}));
  EXPECT_FALSE(ran);
}

TEST(Simulation, FindsARaceThatTheOrdinaryOrderHidesAndReplaysIt) {
  EXPECT_EQ(Simulate(0, WithdrawTwice).error, nullptr);
  const auto found = FindFailingSeed(WithdrawTwice);
  ASSERT_TRUE(found.has_value());
  EXPECT_GT(found->seed, 0u);
  EXPECT_EQ(found->error, "std::runtime_error: overdrawn");
  for (int again = 0; again < 5; ++again)
    EXPECT_NE(Simulate(found->seed, WithdrawTwice).error, nullptr);

  setenv("VERDANT_SEED", std::to_string(found->seed).c_str(), 1);
  const auto replayed = FindFailingSeed(WithdrawTwice);
  setenv("VERDANT_SEED", "0", 1);
  const auto ordinary = FindFailingSeed(WithdrawTwice);
  setenv("VERDANT_SEED", "x", 1);
  EXPECT_THROW(FindFailingSeed(WithdrawTwice), std::invalid_argument);
  unsetenv("VERDANT_SEED");
  ASSERT_TRUE(replayed.has_value());
  EXPECT_EQ(replayed->seed, found->seed);
  EXPECT_FALSE(ordinary.has_value());
}

TEST(Simulation, WhatIsRightHasNoFailingSeed) {
  const auto found = FindFailingSeed(
      [] {
        Event<int> event;
        auto waiter = Spawn([&] { return event.Wait(); });
        Spawn([&] { event.Send(5); }).Wait();
        if (waiter.Wait() != 5) throw std::runtime_error("lost");
      },
      100);
  EXPECT_FALSE(found.has_value());
}

TEST(VirtualClock, A12_11_JumpsOnlyWhenNothingIsRunnable) {
  VirtualClock clock;
  std::thread([&] {
    Hub::Configure({.clock = &clock});
    Sleep();
    EXPECT_EQ(clock.jumps(), 0);
    Sleep(absl::Hours(3));
    EXPECT_GT(clock.jumps(), 0);
    EXPECT_EQ(clock.SinceStart(), absl::Hours(3));
    clock.Advance(absl::Minutes(5));
    EXPECT_EQ(clock.SinceStart(), absl::Hours(3) + absl::Minutes(5));
  }).join();
}

}  // namespace
}  // namespace verdant
