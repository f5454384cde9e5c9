#include "hub/spawn.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "greenlet/stack.h"
#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "tests/hub/green_thread_testing.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

TEST(Spawn, A1_2_GreenThreadsStartInSpawnOrderAfterTheCallerWaits) {
  std::vector<int> order;
  auto a = Spawn([&] { order.push_back(1); });
  SpawnN([&] { order.push_back(2); });
  auto c = Spawn([&] { order.push_back(3); });
  order.push_back(0);
  EXPECT_FALSE(a.Started());
  c.Wait();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3}));
}

TEST(Spawn, A1_2_ResultsAndArgumentsPassThrough) {
  auto sum = Spawn([](int a, int b) { return a + b; }, 2, 3);
  EXPECT_EQ(sum.Wait(), 5);
  EXPECT_EQ(sum.Wait(), 5);
  EXPECT_EQ(Spawn([](int a) { return a; }, 1).Wait(), 1);
  EXPECT_EQ(Spawn([](int a, int b, int c, int d) { return a + b + c + d; }, 1, 2, 3, 4).Wait(), 10);
  EXPECT_EQ(*Spawn([] { return std::make_unique<int>(7); }).Wait(), 7);
  int variable = 1;
  int& reference = Spawn([&]() -> int& { return variable; }).Wait();
  EXPECT_EQ(&reference, &variable);
  auto owned = Spawn([p = std::make_unique<int>(8)] { return *p; });
  EXPECT_EQ(owned.Wait(), 8);
}

TEST(Spawn, ArgumentsAreCopiedWhenItIsCalled) {
  std::string text = "before";
  auto length = Spawn([](const std::string& s) { return s; }, text);
  text = "after";
  EXPECT_EQ(length.Wait(), "before");
}

TEST(Spawn, WhatTheBodyOwnsEndsWithItEvenIfTheHandleStays) {
  auto token = std::make_shared<int>(1);
  auto green = Spawn([token] { return 5; });
  EXPECT_EQ(token.use_count(), 2);
  green.Join();
  EXPECT_EQ(token.use_count(), 1);
  EXPECT_EQ(green.Wait(), 5);
}

TEST(Spawn, ManyFinishOneAfterTheOtherOnTheSameStack) {
  const std::size_t stacks_before = GetStackStats().in_use;
  std::size_t most = 0;
  for (int i = 0; i < 1000; ++i) SpawnN([&] { most = std::max(most, GetStackStats().in_use); });
  Sleep();
  while (Hub::Current().counts().green_threads > 1) Sleep();
  EXPECT_LE(most, stacks_before + 2);
}

TEST(SpawnN, A1_3_AnUncaughtExceptionGoesToTheHandlerAndAKillDoesNot) {
  Reports reports;
  SpawnN([] { throw std::runtime_error("boom"); });
  SpawnN([] { throw GreenletExit(); });
  Sleep();
  ASSERT_EQ(reports.errors, std::vector<std::string>{"std::runtime_error: boom"});
  EXPECT_NE(reports.contexts[0].find("spawn_test.cc:"), std::string::npos) << reports.contexts[0];
}

TEST(Spawn, B1_9_AnErrorNobodyLookedAtIsReportedWhenTheLastHandleGoes) {
  Reports reports;
  {
    auto lost = Spawn([] { throw std::runtime_error("lost"); });
    auto copy = lost;
    Sleep();
    EXPECT_TRUE(reports.errors.empty());
  }
  EXPECT_EQ(reports.errors, std::vector<std::string>{"std::runtime_error: lost"});
  {
    auto dropped_first = Spawn([] { throw std::runtime_error("unwatched"); });
  }
  Sleep();
  ASSERT_EQ(reports.errors.size(), 2u);
  EXPECT_EQ(reports.errors[1], "std::runtime_error: unwatched");
  {
    auto seen = Spawn([] { throw std::runtime_error("seen"); });
    seen.Join();
    auto killed = Spawn([] { Sleep(absl::Hours(1)); });
    Sleep();
    killed.Kill();
  }
  EXPECT_EQ(reports.errors.size(), 2u);
}

TEST(Spawn, AJoinThatTimedOutHasNotSeenTheError) {
  WithManualClock([](ManualClock&) {
    Reports reports;
    {
      auto late = Spawn([] {
        Sleep(absl::Seconds(2));
        throw std::runtime_error("late");
      });
      EXPECT_FALSE(late.Join(absl::Seconds(1)));
      Sleep(absl::Seconds(3));
    }
    EXPECT_EQ(reports.errors.size(), 1u);
  });
}

TEST(Spawn, AResultNobodyCanAskForEndsWhereItMayStillBlock) {
  bool destroyed = false;
  struct Slow {
    explicit Slow(bool& d) : done(&d) {}
    Slow(Slow&& other) noexcept : done(std::exchange(other.done, nullptr)) {}
    ~Slow() {
      if (done == nullptr) return;
      Sleep();
      Sleep();
      *done = true;
    }
    bool* done;
  };
  {
    auto dropped = Spawn([&] { return Slow(destroyed); });
  }
  int others = 0;
  for (int i = 0; i < 10; ++i) SpawnN([&] { ++others; });
  for (int i = 0; i < 5; ++i) Sleep();
  EXPECT_TRUE(destroyed);
  EXPECT_EQ(others, 10);
}

TEST(Spawn, A1_2_AThousandStartInOrderAtTheNextTurn) {
  std::vector<int> order;
  for (int i = 0; i < 1000; ++i) SpawnN([&order, i] { order.push_back(i); });
  EXPECT_TRUE(order.empty());
  while (Hub::Current().counts().green_threads > 1) Sleep();
  ASSERT_EQ(order.size(), 1000u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(Spawn, B1_4_OfAnEmptyFunctionIsALogicErrorAtOnce) {
  const std::size_t before = Hub::Current().counts().green_threads;
  const std::function<void()> empty;
  const std::function<void(int)> empty_with_argument;
  int (*null)() = nullptr;
  const std::string what = LogicError([&] { static_cast<void>(Spawn(empty)); });
  EXPECT_NE(what.find("empty function"), std::string::npos) << what;
  EXPECT_THROW(static_cast<void>(Spawn(empty_with_argument, 1)), std::logic_error);
  EXPECT_THROW(static_cast<void>(Spawn(null)), std::logic_error);
  EXPECT_THROW(SpawnN(empty), std::logic_error);
  EXPECT_THROW(static_cast<void>(SpawnAfter(absl::Seconds(1), empty)), std::logic_error);
  EXPECT_THROW(static_cast<void>(SpawnAfterLocal(absl::Seconds(1), empty)), std::logic_error);
  EXPECT_THROW(static_cast<void>(Prepare(empty)), std::logic_error);
  EXPECT_THROW(SpawnN(absl::AnyInvocable<void()>()), std::logic_error);
  EXPECT_EQ(Hub::Current().counts().green_threads, before);
  EXPECT_EQ(Hub::Current().counts().timers, 0u);
  EXPECT_EQ(Spawn(+[] { return 4; }).Wait(), 4);
}

TEST(SpawnN, B1_13_HasNoHandleAndItsResultIsDropped) {
  static_assert(std::is_void_v<decltype(SpawnN([] { return 1; }))>);
  int sum = 0;
  SpawnN([&] { return ++sum; });
  SpawnN([&](int a) { return sum += a; }, 10);
  SpawnN([&](int a, int b) { return sum += a + b; }, 100, 1000);
  SpawnN([&](int a, int b, int c, int d) { return sum += a * b * c * d; }, 10, 10, 10, 10);
  EXPECT_EQ(Hub::Current().counts().green_threads, 5u);
  Sleep();
  EXPECT_EQ(sum, 11111);
  EXPECT_EQ(Hub::Current().counts().green_threads, 1u);
}

TEST(SpawnN, B1_13_CanStillBeKilledByWhoKnowsItFromInside) {
  AnyGreenThread inside;
  bool cleaned = false;
  SpawnN([&] {
    inside = CurrentGreenThread();
    const OnExit on_exit{cleaned};
    Sleep(absl::Hours(1));
  });
  Sleep();
  inside.Kill();
  EXPECT_TRUE(cleaned);
  EXPECT_TRUE(inside.Killed());
}

TEST(Spawn, B1_9_AnUncaughtErrorStaysOutOfTheHubAndMain) {
  Reports reports;
  int after = 0;
  {
    auto failing = Spawn([] { throw std::runtime_error("contained"); });
    failing.SetName("failing");
    SpawnN([&] { ++after; });
    Sleep();
    Sleep();
    EXPECT_EQ(failing.State(), GreenThreadState::kFailed);
  }
  EXPECT_EQ(after, 1);
  ASSERT_EQ(reports.errors, std::vector<std::string>{"std::runtime_error: contained"});
  EXPECT_NE(reports.contexts[0].find("'failing' spawned at "), std::string::npos)
      << reports.contexts[0];
}

}  // namespace
}  // namespace verdant
