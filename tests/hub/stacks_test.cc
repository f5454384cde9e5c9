#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "greenlet/internal/sanitizer.h"
#include "greenlet/stack.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "tests/greenlet/stack_testing.h"
#include "tests/hub/manual_clock.h"
#include "tests/testing/death_tests.h"

namespace verdant {
namespace {

// 200,000 green threads asleep at once, each on a guarded stack of its own.
TEST(Scale, TwoHundredThousandSleepersWithGuardsTakeAHandfulOfMapEntries) {
#if defined(VERDANT_ASAN) || defined(VERDANT_TSAN) || defined(VERDANT_VALGRIND)
  constexpr int kSleepers = 2000;
#else
  constexpr int kSleepers = 200000;
#endif
  if (StackGuardKind() != GuardKind::kGuardRegion)
    GTEST_SKIP() << "no guard regions on this kernel";
  WithManualClock(
      [&](ManualClock& clock) {
        int awake = 0;
        const std::size_t entries = MapEntries();
        for (int i = 0; i < kSleepers; ++i) {
          SpawnN([&awake] {
            Sleep(absl::Seconds(30));
            ++awake;
          });
        }
        Sleep(absl::Seconds(1));
        EXPECT_EQ(Hub::Current().counts().timers, static_cast<std::size_t>(kSleepers));
        EXPECT_GE(GetStackStats().in_use, static_cast<std::size_t>(kSleepers));
#if !defined(VERDANT_ASAN) && !defined(VERDANT_TSAN)
        EXPECT_LT(MapEntries() - entries, 100u);
#else
        static_cast<void>(entries);
#endif
        EXPECT_EQ(awake, 0);
        EXPECT_TRUE(Hub::Current().Join());
        EXPECT_EQ(awake, kSleepers);
        EXPECT_EQ(clock.SinceStart(), absl::Seconds(30));
      },
      {.stack_size = kMinStackSize});
}

TEST(Stacks, AGreenThreadThatGetsNoneEndsWithThatAndEverythingElseGoesOn) {
#if defined(VERDANT_ASAN) || defined(VERDANT_TSAN)
  GTEST_SKIP() << "the sanitizer does not let mappings fail";
#endif
  OnFreshThread([] {
    Hub::Configure({.stack_size = std::size_t{1} << 50});
    std::vector<std::string> reports;
    Hub::Current().SetErrorHandler(
        [&](const UncaughtError& error) { reports.push_back(error.context); });
    bool ran = false;
    bool linked = false;
    int refused = 0;
    auto green = Spawn([&] { ran = true; });
    green.Link([&] {
      linked = true;
      try {
        Sleep(absl::Seconds(1));
      } catch (const std::logic_error&) {
        ++refused;
      }
    });
    EXPECT_THROW(green.Wait(), StackExhausted);
    EXPECT_FALSE(green.Started());
    EXPECT_TRUE(linked);
    EXPECT_EQ(refused, 1);
    SpawnN([&] { ran = true; });
    Sleep();
    Sleep(absl::Milliseconds(1));
    EXPECT_FALSE(ran);
    EXPECT_EQ(reports.size(), 1u);
    Hub::Current().SetErrorHandler(nullptr);
  });
}

TEST(Scale, IdleStacksBeyondTheWarmOnesGiveTheirPagesBack) {
#if defined(VERDANT_ASAN) || defined(VERDANT_TSAN)
  GTEST_SKIP() << "sanitizers keep pages of their own";
#endif
  OnFreshThread([] {
    const auto resident_pages = [] {
      std::ifstream statm("/proc/self/statm");
      std::size_t total = 0, resident = 0;
      statm >> total >> resident;
      return resident;
    };
    Event<> event;
    std::vector<GreenThread<void>> all;
    for (int i = 0; i < 4000; ++i) all.push_back(Spawn([&] { event.Wait(); }));
    Sleep();
    while (Hub::Current().counts().runnable != 0) Sleep();
    const std::size_t busy = resident_pages();
    event.Send();
    JoinAll(all);
    // The thing under test is what the hub does with nothing to do; how often it needs that is its
    // own affair.
    for (int i = 0; i < 500 && resident_pages() + 3000 >= busy; ++i) Sleep(absl::Milliseconds(10));
    EXPECT_LT(resident_pages() + 3000, busy);
  });
}

TEST(StackDeathTest, AnOverflowNamesTheGreenThreadAndWhereItWasSpawned) {
#if defined(VERDANT_ASAN) || defined(VERDANT_TSAN)
  GTEST_SKIP() << "the sanitizer reports the overflow itself";
#endif
  DieInAFreshProcess();
  EXPECT_DEATH(
      {
        auto glutton = Spawn([] { return Devour(1 << 20); });
        glutton.SetName("glutton");
        glutton.Wait();
      },
      "verdant: stack overflow in green thread [0-9]+ 'glutton', spawned at "
      ".*stacks_test.cc:[0-9]+: "
      "its stack of 64 KiB");
  EXPECT_DEATH(
      {
        Event<> never;
        for (int i = 0; i < 15; ++i) SpawnN([&] { never.Wait(); });
        Spawn([] { return Devour(1 << 20); }).Wait();
      },
      "verdant: stack overflow in green thread 17, spawned at .*stacks_test.cc:[0-9]+: its stack "
      "of "
      "64 KiB");
}

}  // namespace
}  // namespace verdant
