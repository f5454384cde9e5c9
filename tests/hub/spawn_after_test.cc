#include <algorithm>
#include <functional>
#include <memory>
#include <stdexcept>
#include <vector>

#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "hub/spawn.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

TEST(SpawnAfter, A1_4_RunsThoughTheSpawnerHasEnded) {
  WithManualClock([](ManualClock& clock) {
    absl::Duration ran_at;
    Spawn([&] {
      auto later = SpawnAfter(absl::Seconds(5), [&] { ran_at = clock.SinceStart(); });
    }).Wait();
    Sleep(absl::Seconds(10));
    EXPECT_EQ(ran_at, absl::Seconds(5));
  });
}

TEST(SpawnAfter, GivesItsResultAndTakesAnArgument) {
  WithManualClock([](ManualClock& clock) {
    EXPECT_EQ(SpawnAfter(
                  absl::Seconds(2), [](int x) { return x * 2; }, 21)
                  .Wait(),
              42);
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(2));
  });
}

TEST(SpawnAfter, A1_12_CancelledBeforeItsTimeItNeverRunsAndLeavesNoTimer) {
  WithManualClock([](ManualClock&) {
    bool ran = false;
    auto later = SpawnAfter(absl::Seconds(5), [&] { ran = true; });
    EXPECT_TRUE(later.Cancel());
    EXPECT_EQ(Hub::Current().counts().timers, 0u);
    EXPECT_TRUE(later.Ready());
    EXPECT_THROW(later.Wait(), GreenletExit);
    EXPECT_FALSE(later.Cancel());
    Sleep(absl::Seconds(10));
    EXPECT_FALSE(ran);
  });
}

TEST(SpawnAfter, AKillAndTheTimerAtTheSameMomentStartItOnce) {
  WithManualClock([](ManualClock&) {
    bool ran = false;
    int links = 0;
    AnyGreenThread later;
    // Set first, so that it comes first of the two that are due together.
    Hub::Current().ScheduleCall(absl::Seconds(5), [&] { later.Kill(); });
    later = SpawnAfter(absl::Seconds(5), [&] { ran = true; });
    later.Link([&] { ++links; });
    Sleep(absl::Seconds(6));
    EXPECT_TRUE(later.Ready());
    EXPECT_FALSE(ran);
    EXPECT_EQ(links, 1);
    EXPECT_EQ(Hub::Current().counts().green_threads, 1u);
  });
}

TEST(SpawnAfterLocal, A1_5_RunsWhileTheSpawnerLives) {
  WithManualClock([](ManualClock& clock) {
    absl::Duration ran_at;
    auto spawner = Spawn([&] {
      auto later = SpawnAfterLocal(
          absl::Seconds(2), [&](int x) { ran_at = clock.SinceStart() * x; }, 1);
      EXPECT_EQ(later.State(), GreenThreadState::kPending);
      Sleep(absl::Seconds(3));
      EXPECT_TRUE(later.Successful());
    });
    spawner.Wait();
    EXPECT_EQ(ran_at, absl::Seconds(2));
    EXPECT_FALSE(spawner.HasLinks());
  });
}

TEST(SpawnAfterLocal, A1_5_IsCancelledAtItsTimeHoweverTheSpawnerHasEnded) {
  struct Ending {
    const char* name;
    std::function<void()> body;  // after it has spawned
    GreenThreadState state;
  };
  const std::vector<Ending> endings = {
      {"returned", [] {}, GreenThreadState::kSucceeded},
      {"failed", [] { throw std::runtime_error("boom"); }, GreenThreadState::kFailed},
      {"killed", [] { Sleep(absl::Hours(1)); }, GreenThreadState::kKilled},
  };
  for (const Ending& ending : endings) {
    SCOPED_TRACE(ending.name);
    WithManualClock([&](ManualClock& clock) {
      bool ran = false;
      int links = 0;
      GreenThread<void> later;
      auto spawner = Spawn([&] {
        later = SpawnAfterLocal(absl::Seconds(5), [&] { ran = true; });
        ending.body();
      });
      Sleep();
      spawner.Kill();  // nothing to those that have ended
      spawner.Join();
      ASSERT_EQ(spawner.State(), ending.state);
      later.Link([&] { ++links; });
      Sleep(absl::Seconds(4));
      EXPECT_EQ(later.State(), GreenThreadState::kPending);
      EXPECT_THROW(later.Wait(), GreenletExit);
      EXPECT_EQ(clock.SinceStart(), absl::Seconds(5));
      EXPECT_EQ(later.State(), GreenThreadState::kCancelled);
      EXPECT_FALSE(ran);
      EXPECT_EQ(links, 1);
      EXPECT_EQ(Hub::Current().counts().timers, 0u);
    });
  }
}

TEST(SpawnAfterLocal, A1_5_MainAndHubCallbacksCountAsNeverEnding) {
  WithManualClock([](ManualClock&) {
    int ran = 0;
    auto of_main = SpawnAfterLocal(absl::Seconds(1), [&] { ++ran; });
    GreenThread<void> of_hub;
    Hub::Current().Post([&] { of_hub = SpawnAfterLocal(absl::Seconds(1), [&] { ++ran; }); });
    Sleep(absl::Seconds(2));
    EXPECT_EQ(ran, 2);
    EXPECT_TRUE(of_main.Successful());
    EXPECT_TRUE(of_hub.Successful());
  });
}

TEST(SpawnAfterLocal, A1_5_CancelledBeforeItLeavesNothingAndDoesNotKeepTheSpawner) {
  WithManualClock([](ManualClock&) {
    auto token = std::make_shared<int>(1);
    GreenThread<void> later;
    Spawn([&later, token] {
      later = SpawnAfterLocal(absl::Seconds(5), [] {});
      return token;
    }).Join();
    EXPECT_EQ(token.use_count(), 1);  // the spawner's result is gone with its handle
    EXPECT_TRUE(later.Cancel());
    EXPECT_EQ(Hub::Current().counts().timers, 0u);
    EXPECT_EQ(Hub::Current().counts().green_threads, 1u);
  });
}

TEST(SpawnAfter, A1_4_AThousandWithOneDelayRunInTheOrderSpawned) {
  WithManualClock([](ManualClock&) {
    std::vector<int> order;
    std::vector<GreenThread<void>> all;
    for (int i = 0; i < 1000; ++i)
      all.push_back(SpawnAfter(absl::Seconds(1), [&order, i] { order.push_back(i); }));
    EXPECT_EQ(Hub::Current().counts().timers, 1000u);
    for (int i = 0; i < 1000; i += 2) EXPECT_TRUE(all[static_cast<std::size_t>(i)].Cancel());
    EXPECT_EQ(Hub::Current().counts().timers, 500u);
    JoinAll(all);
    ASSERT_EQ(order.size(), 500u);
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
    EXPECT_EQ(order.front(), 1);
    EXPECT_EQ(order.back(), 999);
  });
}

}  // namespace
}  // namespace verdant
