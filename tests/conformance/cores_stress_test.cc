// Queues, channels, semaphores, events, posts, calls, spawns, kills, deadlines and shutdown between
// hubs and plain threads, by seeded chance: whatever happens, each item comes out once, each permit
// comes back, each value is the right one, and each green thread stays where it began.
//
// A seed fixes what each of them does, not how the threads fall together. More of them:
// VERDANT_STRESS_ROUNDS=200; one of them: VERDANT_STRESS_SEED=7.

#include <atomic>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "hub/hub_group.h"
#include "hub/shared_semaphore.h"
#include "tests/conformance/cores_world.h"
#include "tests/hub/shared_testing.h"

namespace verdant {
namespace {

HubGroup::Options Three() {
  HubGroup::Options options;
  options.threads = 3;
  options.on_uncaught = [](const UncaughtError& error) {
    try {
      std::rethrow_exception(error.error);
    } catch (int) {
      // Of a call whose caller had no more patience.
    } catch (...) {
      ADD_FAILURE() << error.context << ": " << DescribeException(error.error);
    }
  };
  return options;
}

void Live(std::uint64_t seed, bool abrupt) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::optional<HubGroup> group(Three());
  CoresWorld world(*group);
  Chance chance(seed);
  std::vector<TestThread> threads;
  for (std::uint64_t i = 0; i < 3; ++i) {
    auto work = [&world, s = seed * 31 + i] {
      try {
        world.Work(s, 60);
      } catch (const GreenletExit&) {
        // What a call ends with that the group no longer takes.
      }
    };
    threads.push_back(i == 0 ? HubThread(work) : PlainThread(work));
  }
  for (std::uint64_t i = 0; i < 40; ++i) world.SpawnWorker(seed * 97 + i, 30, chance);
  // Here some are killed, at any point of their lives, as they are by one another.
  for (int i = 0; i < 60; ++i) {
    if (chance.OneIn(3)) world.KillAny(chance);
    Pause(chance);
  }
  if (abrupt) {
    group->Stop(absl::Microseconds(chance.Below(2000)));
    world.Close();
    threads.clear();
  } else {
    // Whoever waits without a deadline for what no longer comes.
    auto helper = Spawn([&world, seed] {
      Chance own(seed + 1);
      for (;;) {
        world.Feed(own);
        Sleep();
      }
    });
    for (const auto& worker : world.workers()) {
      if (!worker.Join(absl::Seconds(2))) worker.KillAndJoin();
    }
    helper.KillAndJoin();
    world.Close();
    threads.clear();
    EXPECT_TRUE(group->Stop());
  }
  group.reset();
  EXPECT_EQ(world.Conclude(), "");
}

TEST(CoresStress, A12_1_B6_2_NothingIsLostWhenAllEndByThemselvesOrAreKilled) {
  for (const std::uint64_t seed : StressSeeds(1, 8)) Live(seed, /*abrupt=*/false);
}

TEST(CoresStress, NothingIsLostWhenTheGroupIsStoppedInTheMiddle) {
  for (const std::uint64_t seed : StressSeeds(1001, 8)) Live(seed, /*abrupt=*/true);
}

// What is handed to a group with a piece of work, and goes with it, run or not.
class Token {
 public:
  explicit Token(std::atomic<int>& alive) : alive_(&alive) { ++alive; }
  Token(Token&& other) noexcept : alive_(std::exchange(other.alive_, nullptr)) {}
  Token& operator=(Token&&) = delete;
  ~Token() {
    if (alive_ != nullptr) --*alive_;
  }

 private:
  std::atomic<int>* alive_;
};

struct Given {
  std::atomic<int> alive{0};
  std::atomic<int> taken{0};
  std::atomic<int> ran{0};
};

// Gives work until the group takes no more; the handles on some of it.
std::vector<RemoteGreenThread<void>> GiveUntilStopped(HubGroup& group, Given& given,
                                                      std::uint64_t seed) {
  Chance chance(seed);
  std::vector<RemoteGreenThread<void>> handles;
  auto work = [&](int yields) {
    return [&given, yields, token = Token(given.alive)] {
      ++given.ran;
      for (int i = 0; i < yields; ++i) Sleep();
    };
  };
  for (int i = 0; i < 400 && !group.stopped(); ++i) {
    const auto hub = static_cast<std::size_t>(chance.Below(3));
    switch (chance.Below(5)) {
      case 0:
      case 1:
        if (group.SpawnN(work(chance.Below(3)))) ++given.taken;
        break;
      case 2:
        if (group.SpawnNOn(hub, work(chance.Below(3)))) ++given.taken;
        break;
      case 3:
        handles.push_back(chance.OneIn(2) ? group.Spawn([token = Token(given.alive)] {})
                                          : group.SpawnOn(hub, [token = Token(given.alive)] {}));
        break;
      default:
        try {
          if (group.RunInHub(hub, [hub, token = Token(given.alive)] { return hub; }) != hub)
            ADD_FAILURE() << "another's result";
        } catch (const GreenletExit&) {
        }
    }
    if (chance.OneIn(8)) Pause(chance);
  }
  return handles;
}

TEST(CoresStress, WhatIsGivenWhileTheGroupStopsEitherRunsOrIsRefused) {
  for (const std::uint64_t seed : StressSeeds(2001, 12)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Given given;
    std::vector<std::vector<RemoteGreenThread<void>>> handles(4);
    {
      HubGroup group(Three());
      std::vector<TestThread> threads;
      for (std::uint64_t i = 0; i < 3; ++i) {
        auto give = [&, i] { handles[i] = GiveUntilStopped(group, given, seed * 11 + i); };
        threads.push_back(i == 0 ? HubThread(give) : PlainThread(give));
      }
      group.SpawnN([&] { handles[3] = GiveUntilStopped(group, given, seed * 11 + 3); });
      Chance chance(seed);
      for (int i = chance.Below(20); i > 0; --i) Pause(chance);
      const bool patient = seed % 2 == 0;
      const bool all_ended = patient ? group.Stop() : group.Stop(absl::Microseconds(50));
      threads.clear();
      EXPECT_TRUE(all_ended || !patient);
      if (all_ended) {
        EXPECT_EQ(given.ran, given.taken);
      }
      EXPECT_LE(given.ran, given.taken);
    }
    int ready = 0;
    int all = 0;
    for (const auto& some : handles) {
      for (const auto& handle : some) {
        ++all;
        if (handle.Ready()) ++ready;
      }
    }
    EXPECT_EQ(ready, all);
    handles.clear();
    EXPECT_EQ(given.alive, 0);
  }
}

TEST(CoresStress, HubsThatEndUnderTheirGreenThreadsTakeNothingAlong) {
  for (const std::uint64_t seed : StressSeeds(3001, 8)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SharedSemaphore permits(0);
    std::atomic<int> taken{0};
    constexpr int kReleased = 40;
    {
      std::vector<TestThread> threads;
      for (std::uint64_t t = 0; t < 3; ++t) {
        threads.push_back(HubThread([&permits, &taken, s = seed * 7 + t] {
          Chance chance(s);
          std::vector<AnyGreenThread> waiters;
          for (int i = 0; i < 20; ++i) {
            waiters.push_back(Spawn([&permits, &taken] {
              permits.Acquire();
              ++taken;
            }));
          }
          for (int i = 0; i < 20; ++i) {
            if (chance.OneIn(4)) waiters[static_cast<std::size_t>(i)].KillSoon();
            Pause(chance);
          }
          // Its thread ends here, and those that wait are suspended for good.
        }));
      }
      Chance chance(seed);
      for (int i = 0; i < kReleased; ++i) {
        permits.Release();
        Pause(chance);
      }
    }
    EXPECT_EQ(permits.waiting(), 0U);
    EXPECT_EQ(permits.count() + taken, kReleased);
  }
}

}  // namespace
}  // namespace verdant
