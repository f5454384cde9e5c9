// A day of timeouts, retries, periodic jobs, deadlines and sleeping pools on a virtual clock: each
// thing happens when it is due, to the nanosecond, whatever order the seed gives what is runnable.

#include <algorithm>
#include <cstdint>
#include <exception>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "hub/errors.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "hub/scope.h"
#include "hub/semaphore.h"
#include "hub/shield.h"
#include "hub/simulation.h"
#include "hub/timeout.h"
#include "hub/watcher/timer.h"
#include "pool/green_pool.h"
#include "pool/queue.h"

namespace verdant {
namespace {

constexpr absl::Duration kDay = absl::Hours(24);

// What the time is, in a simulation that began with it.
class Since {
 public:
  absl::Duration operator()() const {
    return absl::Nanoseconds(Hub::Current().NowNanos() - began_);
  }

 private:
  const std::int64_t began_ = Hub::Current().NowNanos();
};

// Runs the day in the ordinary order and in some others; it must take `length` in each.
template <typename Program>
void LiveThrough(absl::Duration length, Program program) {
  for (const std::uint64_t seed : {0, 1, 2, 3}) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Simulation run = Simulate(seed, program);
    if (run.error != nullptr) ADD_FAILURE() << DescribeException(run.error);
    EXPECT_EQ(run.elapsed, length);
  }
}

TEST(SimulatedDay, A12_11_ThousandsOfTimersGoOffWhenTheyAreDueInTheirOrder) {
  LiveThrough(kDay, [] {
    const Since now;
    std::mt19937_64 random(7);
    std::vector<absl::Duration> due;
    std::vector<absl::Duration> went_off;
    std::vector<AnyGreenThread> all;
    for (int i = 0; i < 5000; ++i) {
      due.push_back(absl::Nanoseconds(random() % 86'400'000'000'000));
      all.push_back(SpawnAfter(due.back(), [&] { went_off.push_back(now()); }));
    }
    Sleep(kDay);
    EXPECT_TRUE(JoinAll(all));
    std::sort(due.begin(), due.end());
    EXPECT_EQ(went_off, due);
  });
}

TEST(SimulatedDay, HalfOfThemAreCancelledAndOnlyTheOthersGoOff) {
  LiveThrough(kDay, [] {
    int went_off = 0;
    std::vector<GreenThread<void>> all;
    for (int i = 0; i < 2000; ++i) {
      all.push_back(SpawnAfter(absl::Seconds(43 * (i + 1)), [&] { ++went_off; }));
    }
    Sleep(absl::Seconds(43) - absl::Nanoseconds(1));
    EXPECT_EQ(went_off, 0);
    for (std::size_t i = 0; i < all.size(); i += 2) EXPECT_TRUE(all[i].Cancel());
    Sleep(kDay - absl::Seconds(43) + absl::Nanoseconds(1));
    EXPECT_EQ(went_off, 1000);
    EXPECT_EQ(Hub::Current().counts().timers, 0u);
  });
}

TEST(SimulatedDay, OfNestedTimeoutsTheOneThatIsDueEndsWhatIsInsideIt) {
  LiveThrough(kDay, [] {
    const Since now;
    for (int hour = 0; hour < 24; ++hour) {
      const absl::Duration began = now();
      const absl::Duration outer = absl::Minutes(10 + (hour * 7) % 30);
      const absl::Duration middle = absl::Minutes(10 + (hour * 11) % 30);
      const absl::Duration inner = absl::Minutes(10 + (hour * 13) % 30);
      std::string ended_by = "nobody";
      if (!WithTimeout(outer, [&] {
            if (!WithTimeout(middle, [&] {
                  if (!WithTimeout(inner, [] { Sleep(kDay); })) ended_by = "inner";
                })) {
              ended_by = "middle";
            }
          })) {
        ended_by = "outer";
      }
      const absl::Duration first = std::min({outer, middle, inner});
      EXPECT_EQ(now() - began, first);
      // Of equal ones that which was set first.
      EXPECT_EQ(ended_by, first == outer ? "outer" : first == middle ? "middle" : "inner");
      Sleep(absl::Hours(hour + 1) - now());
    }
  });
}

TEST(SimulatedDay, AClientTriesAgainWithLongerAndLongerPauses) {
  LiveThrough(kDay, [] {
    const Since now;
    const absl::Duration back_up = absl::Hours(20);
    std::vector<absl::Duration> attempts;
    const auto ask = [&] {
      attempts.push_back(now());
      // It hangs rather than refuses while it is down.
      if (now() < back_up) Sleep(absl::InfiniteDuration());
      Sleep(absl::Milliseconds(250));
    };
    absl::Duration pause = absl::Seconds(1);
    while (!WithTimeout(absl::Seconds(30), ask)) {
      Sleep(pause);
      pause = std::min<absl::Duration>(pause * 2, absl::Hours(1));
    }
    std::vector<absl::Duration> expected = {absl::ZeroDuration()};
    for (absl::Duration next = absl::Seconds(1); expected.back() < back_up;
         next = std::min<absl::Duration>(next * 2, absl::Hours(1))) {
      expected.push_back(expected.back() + absl::Seconds(30) + next);
    }
    EXPECT_EQ(attempts, expected);
    EXPECT_GT(attempts.size(), 25u);
    EXPECT_EQ(now(), attempts.back() + absl::Milliseconds(250));
    Sleep(kDay - now());
  });
}

TEST(SimulatedDay, PeriodicJobsRunOnTheirBeatAndOneThatIsSlowSkips) {
  LiveThrough(kDay, [] {
    const Since now;
    std::vector<absl::Duration> quarters;
    TimerWatcher quarterly(absl::Minutes(15), absl::Minutes(15),
                           [&] { quarters.push_back(now()); });
    quarterly.Start();
    // Asked every ten minutes, but each run takes twenty-five.
    std::vector<absl::Duration> runs;
    Semaphore idle(1);
    TimerWatcher slow(absl::Minutes(10), absl::Minutes(10), [&] {
      if (!idle.TryAcquire()) return;
      SpawnN([&] {
        runs.push_back(now());
        Sleep(absl::Minutes(25));
        idle.Release();
      });
    });
    slow.Start();
    Sleep(kDay - absl::Minutes(29));
    quarterly.Stop();
    slow.Stop();
    ASSERT_EQ(quarters.size(), 94u);
    for (std::size_t i = 0; i < quarters.size(); ++i)
      EXPECT_EQ(quarters[i], absl::Minutes(15 * static_cast<int>(i + 1)));
    ASSERT_EQ(runs.size(), 47u);
    for (std::size_t i = 0; i < runs.size(); ++i)
      EXPECT_EQ(runs[i], absl::Minutes(10 + 30 * static_cast<int>(i)));
    Sleep(absl::Minutes(29));
  });
}

TEST(SimulatedDay, AWatchdogIsPutOffByEachHeartbeatAndBitesAtTheFirstThatIsMissing) {
  LiveThrough(kDay, [] {
    const Since now;
    Queue<int> heartbeats(kUnbounded);
    auto heart = Spawn([&] {
      for (int i = 0; i < 500; ++i) {
        Sleep(absl::Seconds(59));
        heartbeats.Put(i);
      }
    });
    std::optional<absl::Duration> bit;
    Timeout watchdog(absl::Minutes(1));
    try {
      for (;;) {
        heartbeats.Get();
        watchdog.Cancel();
        watchdog.Start();
      }
    } catch (const TimeoutExpired& expired) {
      EXPECT_TRUE(watchdog.Owns(expired));
      bit = now();
    }
    EXPECT_EQ(bit, 500 * absl::Seconds(59) + absl::Minutes(1));
    heart.Join();
    Sleep(kDay - now());
  });
}

TEST(SimulatedDay, EachHoursScopeEndsWithItsWorkOrWithItsTime) {
  LiveThrough(kDay, [] {
    const Since now;
    int finished = 0;
    int cancelled = 0;
    int late = 0;
    for (int hour = 0; hour < 24; ++hour) {
      const absl::Duration began = now();
      const absl::Duration longest = absl::Minutes(5 + 2 * hour);
      {
        Scope scope({.deadline = absl::Minutes(30)});
        for (int child = 1; child <= 5; ++child) {
          scope.SpawnN([&, child] {
            try {
              EXPECT_EQ(CurrentDeadline().Remaining(), absl::Minutes(30));
              Sleep(longest * child / 5);
              ++finished;
            } catch (const GreenletExit&) {
              ++cancelled;
              const Shield shield;
              EXPECT_TRUE(CurrentDeadline().never());
              Sleep(absl::Seconds(child) / 10);
              throw;
            }
          });
        }
        try {
          scope.Join();
          EXPECT_EQ(now() - began, longest);
        } catch (const TimeoutExpired& expired) {
          EXPECT_TRUE(scope.TimedOut(expired));
          ++late;
          // The last to say goodbye takes half a second.
          EXPECT_EQ(now() - began, absl::Minutes(30) + absl::Milliseconds(500));
        }
        EXPECT_EQ(scope.size(), 0u);
      }
      Sleep(absl::Hours(hour + 1) - now());
    }
    // From the fourteenth hour on the longest takes more than the half hour.
    EXPECT_EQ(late, 11);
    EXPECT_EQ(finished + cancelled, 5 * 24);
    EXPECT_GT(cancelled, late);
  });
}

TEST(SimulatedDay, ADeadlineOfTheDayEndsAllThatNestsInIt) {
  LiveThrough(kDay, [] {
    const Since now;
    int ended = 0;
    const auto level = [&](const auto& self, int depth) -> void {
      WithScope(
          [&](Scope& scope) {
            EXPECT_EQ(CurrentDeadline().Remaining(), kDay - now());
            for (int i = 0; depth > 0 && i < 3; ++i)
              scope.SpawnN([&self, depth] { self(self, depth - 1); });
            scope.SpawnN([&ended] {
              try {
                Sleep(absl::InfiniteDuration());
              } catch (const GreenletExit&) {
                ++ended;
                throw;
              }
            });
          },
          {.deadline = absl::Hours(24 + depth)});
    };
    EXPECT_THROW(WithScope([&](Scope& scope) { scope.SpawnN([&] { level(level, 4); }); },
                           {.deadline = kDay}),
                 TimeoutExpired);
    EXPECT_EQ(ended, 1 + 3 + 9 + 27 + 81);
  });
}

TEST(SimulatedDay, APoolThatSleepsTakesItsWorkInShifts) {
  // Eight at a time, ten minutes each.
  LiveThrough(absl::Minutes(1250), [] {
    const Since now;
    GreenPool pool(8);
    std::vector<absl::Duration> ends;
    for (int i = 0; i < 1000; ++i) {
      pool.SpawnN([&] {
        Sleep(absl::Minutes(10));
        ends.push_back(now());
      });
    }
    EXPECT_TRUE(pool.WaitAll());
    ASSERT_EQ(ends.size(), 1000u);
    for (std::size_t i = 0; i < ends.size(); ++i)
      EXPECT_EQ(ends[i], absl::Minutes(10 * static_cast<int>(i / 8 + 1)));
  });
}

TEST(SimulatedDay, ResultsComeAsTheyAreReadyFromTenAtWorkWithoutAGap) {
  LiveThrough(kDay, [] {
    const Since now;
    std::vector<int> minutes;
    for (int i = 0; i < 400; ++i) minutes.push_back(1 + (i * 37) % 50);
    GreenPool pool(10);
    std::vector<int> got;
    for (const int m : pool.ImapUnordered(
             [](int m) {
               Sleep(absl::Minutes(m));
               return m;
             },
             minutes)) {
      got.push_back(m);
    }
    int total = 0;
    for (const int m : minutes) total += m;
    std::sort(got.begin(), got.end());
    std::sort(minutes.begin(), minutes.end());
    EXPECT_EQ(got, minutes);
    EXPECT_GE(now(), absl::Minutes(total / 10));
    EXPECT_LE(now(), absl::Minutes(total / 10 + 50));
    Sleep(kDay - now());
  });
}

TEST(SimulatedDay, ACallWithADeadlineGivesUpInTimeAndLosesNothing) {
  LiveThrough(kDay, [] {
    const Since now;
    Queue<int> letters(kUnbounded);
    auto postman = Spawn([&] {
      for (int i = 0; i < 200; ++i) {
        Sleep(absl::Minutes(7));
        letters.Put(i);
      }
      letters.Close();
    });
    int received = 0;
    int in_vain = 0;
    while (!letters.closed() || !letters.empty()) {
      const absl::Duration began = now();
      if (const std::optional<int> letter = letters.Get(absl::Minutes(5))) {
        EXPECT_EQ(*letter, received);
        ++received;
        EXPECT_EQ(now(), absl::Minutes(7 * received));
      } else if (now() - began == absl::Minutes(5)) {
        ++in_vain;
      }
    }
    EXPECT_EQ(received, 200);
    EXPECT_EQ(in_vain, 200);
    postman.Join();
    Sleep(kDay - now());
  });
}

TEST(SimulatedDay, ThoseInLineForTooLongLeaveItAndTheOthersMoveUp) {
  LiveThrough(kDay, [] {
    const Since now;
    Semaphore desks(3);
    int served = 0;
    int left = 0;
    std::vector<AnyGreenThread> visitors;
    // One comes every minute, is served for six, and waits for no more than twenty.
    for (int i = 0; i < 24 * 60 - 60; ++i) {
      visitors.push_back(SpawnAfter(absl::Minutes(i), [&] {
        const absl::Duration came = now();
        if (!desks.Acquire(absl::Minutes(20))) {
          EXPECT_EQ(now() - came, absl::Minutes(20));
          ++left;
          return;
        }
        EXPECT_LE(now() - came, absl::Minutes(20));
        Sleep(absl::Minutes(6));
        ++served;
        desks.Release();
      }));
    }
    EXPECT_TRUE(JoinAll(visitors));
    EXPECT_EQ(served + left, 24 * 60 - 60);
    // Three desks serve one every two minutes.
    EXPECT_NEAR(served, (24 * 60 - 60) / 2 + 10, 3);
    EXPECT_EQ(desks.count(), 3);
    Sleep(kDay - now());
  });
}

}  // namespace
}  // namespace verdant
