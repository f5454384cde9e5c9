#include "hub/join.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "greenlet/greenlet.h"
#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "tests/hub/green_thread_testing.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

TEST(JoinAll, B1_14_WaitsForAllWithOneDeadline) {
  WithManualClock([](ManualClock& clock) {
    std::vector<GreenThread<void>> all;
    for (const int seconds : {1, 3, 5})
      all.push_back(Spawn([seconds] { Sleep(absl::Seconds(seconds)); }));
    EXPECT_FALSE(JoinAll(all, absl::Seconds(4)));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(4));
    EXPECT_TRUE(JoinAll(all));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(5));
  });
}

TEST(KillAll, B1_16_TellsAllBeforeAnyRunsAndSparesTheCaller) {
  std::vector<std::string> order;
  std::vector<AnyGreenThread> all;
  bool killed[3] = {};
  for (int i = 0; i < 3; ++i) {
    all.push_back(Spawn([&, i] {
      const OnExit on_exit{killed[i]};
      try {
        Sleep(absl::Hours(1));
      } catch (const GreenletExit&) {
        order.push_back("kill " + std::to_string(i));
        Sleep();  // the others are killed all the same
        throw;
      }
    }));
  }
  Sleep();
  all.push_back(CurrentGreenThread());
  EXPECT_TRUE(KillAll(all));
  EXPECT_EQ(order, (std::vector<std::string>{"kill 0", "kill 1", "kill 2"}));
  for (const bool k : killed) EXPECT_TRUE(k);
}

TEST(KillAll, B1_16_GivesUpAtItsDeadline) {
  WithManualClock([](ManualClock& clock) {
    auto stubborn = Spawn([] {
      try {
        Sleep(absl::Hours(1));
      } catch (const GreenletExit&) {
      }
      Sleep(absl::Seconds(10));
    });
    Sleep();
    EXPECT_FALSE(KillAll({stubborn}, absl::Seconds(1)));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(1));
    stubborn.Wait();
  });
}

TEST(JoinAll, B1_14_WithOptionsGivesThoseThatEndedInThatOrder) {
  WithManualClock([](ManualClock& clock) {
    std::vector<GreenThread<int>> all;
    for (const int seconds : {3, 1, 5, 2}) {
      all.push_back(Spawn([seconds] {
        Sleep(absl::Seconds(seconds));
        return seconds;
      }));
    }
    const auto seconds = [](const std::vector<GreenThread<int>>& threads) {
      std::vector<int> results;
      for (const auto& thread : threads) results.push_back(*thread.Value());
      return results;
    };
    EXPECT_EQ(seconds(JoinAll(all, Deadline::Never(), {.count = 1})), std::vector<int>{1});
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(1));
    // The one that had ended comes first, whatever its place.
    EXPECT_EQ(seconds(JoinAll(all, absl::Milliseconds(2500), {})), (std::vector<int>{1, 2, 3}));
    EXPECT_EQ(clock.SinceStart(), absl::Milliseconds(3500));
    EXPECT_EQ(seconds(JoinAll(all, Deadline::Never(), {})), (std::vector<int>{3, 1, 2, 5}));
    EXPECT_TRUE(JoinAll(all, Deadline::Never(), {.count = 0}).empty());
    EXPECT_EQ(Hub::Current().counts().timers, 0u);
    for (const auto& thread : all) EXPECT_FALSE(thread.HasLinks());
  });
}

TEST(JoinAll, B1_14_RaisesTheEarliestFailureAtOnce) {
  WithManualClock([](ManualClock& clock) {
    const auto after = [](int seconds, const char* error) {
      return Spawn([seconds, error] {
        Sleep(absl::Seconds(seconds));
        if (error != nullptr) throw std::runtime_error(error);
      });
    };
    std::vector<AnyGreenThread> all = {after(4, "late"), after(1, nullptr), after(2, "early"),
                                       after(3, "between")};
    auto killed = Spawn([] { throw GreenletExit(); });
    all.push_back(killed);  // no failure
    try {
      JoinAll(all, Deadline::Never(), {.raise_error = true});
      ADD_FAILURE();
    } catch (const std::runtime_error& e) {
      EXPECT_STREQ(e.what(), "early");
    }
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(2));
    for (const auto& thread : all) EXPECT_FALSE(thread.HasLinks());
    // Without being told to it raises nothing.
    EXPECT_EQ(JoinAll(all, Deadline::Never(), {}).size(), 5u);
    EXPECT_TRUE(JoinAll(all));
  });
}

TEST(JoinAll, B1_14_OneThatIsInterruptedLosesNothing) {
  WithManualClock([](ManualClock&) {
    auto slow = Spawn([] {
      Sleep(absl::Seconds(2));
      return 1;
    });
    auto joiner = Spawn([&] { JoinAll({slow}, Deadline::Never(), {}); });
    Sleep();
    EXPECT_TRUE(slow.HasLinks());
    joiner.Kill();
    EXPECT_FALSE(slow.HasLinks());
    EXPECT_EQ(slow.Wait(), 1);
  });
}

TEST(JoinAll, OfTheCallerItselfOrAnEmptyHandleIsALogicError) {
  std::string what;
  auto green = Spawn([&] {
    what = LogicError([] { JoinAll({CurrentGreenThread()}); });
    EXPECT_THROW(JoinAll({CurrentGreenThread()}, Deadline::Never(), {}), std::logic_error);
  });
  green.Wait();
  EXPECT_NE(what.find("waits for itself"), std::string::npos) << what;
  EXPECT_THROW(JoinAll({AnyGreenThread()}), std::logic_error);
  EXPECT_THROW(JoinAll({AnyGreenThread()}, Deadline::Never(), {}), std::logic_error);
  EXPECT_TRUE(JoinAll(std::vector<AnyGreenThread>()));
}

TEST(JoinAll, AHundredThousand) {
  constexpr int kMany = 100000;
  int ran = 0;
  std::vector<GreenThread<void>> all;
  all.reserve(kMany);
  for (int i = 0; i < kMany; ++i) all.push_back(Spawn([&] { ++ran; }));
  EXPECT_EQ(JoinAll(all, Deadline::Never(), {}).size(), static_cast<std::size_t>(kMany));
  EXPECT_TRUE(JoinAll(all));
  EXPECT_EQ(ran, kMany);
  EXPECT_EQ(Hub::Current().counts().green_threads, 1u);
}

TEST(JoinAll, AfterItsDeadlineItWaitsForNobodyElse) {
  WithManualClock([](ManualClock& clock) {
    std::vector<GreenThread<void>> all;
    for (int i = 0; i < 1000; ++i) all.push_back(Spawn([] { Sleep(absl::Seconds(9)); }));
    Sleep();
    const std::uint64_t before = Hub::Current().counts().turns;
    EXPECT_FALSE(JoinAll(all, absl::Seconds(1)));
    EXPECT_LE(Hub::Current().counts().turns, before + 10);
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(1));
    KillAll(all);
  });
}

TEST(KillAll, B1_16_WithAnExceptionAndUnstartedOnesNeverRun) {
  WithManualClock([](ManualClock&) {
    bool ran = false;
    auto queued = Spawn([&] { ran = true; });
    auto prepared = Prepare([&] { ran = true; });
    auto delayed = SpawnAfter(absl::Seconds(1), [&] { ran = true; });
    auto ended = Spawn([] {});
    Hub::Current().Post([] {});
    std::vector<GreenThread<void>> all = {queued, prepared, delayed};
    EXPECT_TRUE(KillAll(all, Boom()));
    for (const auto& thread : all) {
      EXPECT_EQ(thread.State(), GreenThreadState::kCancelled);
      EXPECT_THROW(thread.Wait(), std::runtime_error);
    }
    EXPECT_TRUE(ended.Successful());
    EXPECT_TRUE(KillAll({ended}));
    EXPECT_TRUE(KillAll(all));  // again
    EXPECT_FALSE(ran);
    EXPECT_EQ(Hub::Current().counts().timers, 0u);
  });
}

TEST(KillAll, B1_16_SoonWaitsForNobody) {
  std::vector<GreenThread<void>> all;
  for (int i = 0; i < 3; ++i) all.push_back(Spawn([] { Sleep(absl::Hours(1)); }));
  Sleep();
  KillAllSoon(all);
  for (const auto& thread : all) EXPECT_FALSE(thread.Ready());
  Sleep();
  for (const auto& thread : all) EXPECT_TRUE(thread.Killed());
  // Also in a hub callback.
  auto other = Spawn([] { Sleep(absl::Hours(1)); });
  Sleep();
  Hub::Current().Post([&] { KillAllSoon({other}, Boom()); });
  EXPECT_THROW(other.Wait(), std::runtime_error);
}

TEST(KillAll, B1_16_APlainGreenletMayBeAmongThem) {
  AnyGreenThread handle;
  bool cleaned = false;
  auto host = Spawn([&] {
    Greenlet greenlet([&] {
      handle = CurrentGreenThread();
      const OnExit on_exit{cleaned};
      Sleep(absl::Hours(1));
    });
    greenlet.Switch();
    Sleep();
  });
  Sleep();
  EXPECT_TRUE(KillAll({handle, host}));
  EXPECT_TRUE(cleaned);
  EXPECT_TRUE(host.Killed());
}

TEST(KillAll, MisuseIsALogicErrorAndKillsNobody) {
  auto green = Spawn([] { Sleep(); });
  Sleep();
  EXPECT_THROW(KillAll({green, AnyGreenThread()}), std::logic_error);
  EXPECT_THROW(KillAll({green}, std::exception_ptr()), std::logic_error);
  std::string what;
  Hub::Current().Post([&] { what = LogicError([&] { KillAll({green}); }); });
  while (what.empty()) Sleep();
  EXPECT_NE(what.find("hub callback"), std::string::npos) << what;
  OnFreshThread([&] { EXPECT_THROW(KillAll({green}), std::logic_error); });
  green.Wait();
  EXPECT_TRUE(green.Successful());
}

TEST(KillAll, AHundredThousandQueuedInAnyOrder) {
  constexpr std::size_t kMany = 100000;
  std::size_t ran = 0;
  std::size_t links = 0;
  std::vector<GreenThread<void>> all;
  all.reserve(kMany);
  for (std::size_t i = 0; i < kMany; ++i) {
    all.push_back(Spawn([&] { ++ran; }));
    all.back().Link([&] { ++links; });
  }
  std::reverse(all.begin(), all.end());
  EXPECT_TRUE(KillAll(all));
  EXPECT_EQ(ran, 0u);
  EXPECT_EQ(links, kMany);
  EXPECT_EQ(Hub::Current().counts().green_threads, 1u);
  EXPECT_EQ(Hub::Current().counts().runnable, 0u);
}

TEST(KillAll, AThousandThatSleep) {
  WithManualClock([](ManualClock& clock) {
    std::vector<int> order;
    std::vector<GreenThread<void>> all;
    for (int i = 0; i < 1000; ++i) {
      all.push_back(Spawn([&order, i] {
        const struct Note {
          std::vector<int>& order;
          int number;
          ~Note() { order.push_back(number); }
        } note{order, i};
        Sleep(absl::Hours(1));
      }));
    }
    Sleep();
    EXPECT_TRUE(KillAll(all));
    EXPECT_EQ(order.size(), 1000u);
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
    EXPECT_EQ(clock.SinceStart(), absl::ZeroDuration());
    EXPECT_EQ(Hub::Current().counts().timers, 0u);
  });
}

}  // namespace
}  // namespace verdant
