#include "hub/hub_group.h"

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "hub/shared_event.h"
#include "hub/timeout.h"
#include "tests/hub/hub_group_testing.h"
#include "tests/hub/shared_testing.h"

namespace verdant {
namespace {

TEST(HubGroup, HasAThreadForEachProcessorUnlessToldOtherwise) {
  cpu_set_t set;
  CPU_ZERO(&set);
  ASSERT_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
  EXPECT_EQ(HubGroup().size(), static_cast<std::size_t>(CPU_COUNT(&set)));
  EXPECT_EQ(HubGroup(Two()).size(), 2U);
}

TEST(HubGroup, A12_1_SpawnOnRunsWhereItSaysAndStaysThere) {
  HubGroup group(Two());
  std::set<std::thread::id> threads;
  for (std::size_t i = 0; i < group.size(); ++i) {
    const auto [before, after, number] =
        group
            .SpawnOn(i,
                     [&group] {
                       const auto id = std::this_thread::get_id();
                       for (int n = 0; n < 10; ++n) Sleep();
                       Sleep(absl::Milliseconds(1));
                       return std::tuple(id, std::this_thread::get_id(), group.Here());
                     })
            .Wait();
    EXPECT_EQ(before, after);
    EXPECT_EQ(number, i);
    threads.insert(before);
  }
  EXPECT_EQ(threads.size(), 2U);
  EXPECT_EQ(threads.count(std::this_thread::get_id()), 0U);
  EXPECT_EQ(group.Here(), std::nullopt);
  EXPECT_THROW(group.SpawnNOn(2, [] {}), std::logic_error);
  EXPECT_THROW(group.remote(2), std::logic_error);
}

TEST(HubGroup, SpawnOnStartsInTheOrderAskedFor) {
  HubGroup group(Two());
  std::vector<int> order;
  for (int i = 0; i < 1000; ++i) group.SpawnNOn(1, [&order, i] { order.push_back(i); });
  EXPECT_TRUE(group.Stop());
  ASSERT_EQ(order.size(), 1000U);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(HubGroup, ResultsOfAllKindsAreWaitedForInAGreenThreadAndOnAPlainThread) {
  HubGroup group(Two());
  int target = 0;
  auto check = [&] {
    EXPECT_EQ(group.Spawn([] { return 42; }).Wait(), 42);
    EXPECT_EQ(group.Spawn([](int a, int b) { return a + b; }, 1, 2).Wait(), 3);
    EXPECT_EQ(*group.Spawn([] { return std::make_unique<int>(7); }).Wait(), 7);
    EXPECT_EQ(&group.Spawn([&target]() -> int& { return target; }).Wait(), &target);
    group.Spawn([] {}).Wait();
    const auto kept = group.SpawnOn(1, [] { return std::string("kept"); });
    const std::string& text = kept.Wait();
    EXPECT_EQ(text, "kept");
    const auto copy = kept;
    EXPECT_EQ(std::string(copy.Wait()), "kept");
    EXPECT_TRUE(copy == kept);
    EXPECT_TRUE(kept.Ready() && kept.Started() && kept.Successful());
    EXPECT_THROW(group.Spawn([]() -> int { throw std::runtime_error("boom"); }).Wait(),
                 std::runtime_error);
  };
  check();
  Spawn(check).Wait();
  PlainThread([&] {
    check();
    EXPECT_EQ(internal::current_hub, nullptr);
  }).Join();
}

TEST(HubGroup, OneResultIsForAllWhoWait) {
  HubGroup group(Two());
  SharedEvent<int> go;
  const auto call = group.Spawn([&go] { return go.Wait(); });
  std::atomic<int> sum{0};
  {
    std::vector<TestThread> threads;
    for (int i = 0; i < 3; ++i) {
      auto add = [&sum, call] { sum += call.Wait(); };
      threads.push_back(i == 0 ? HubThread(add) : PlainThread(add));
    }
    EXPECT_FALSE(call.Join(absl::Milliseconds(1)));
    EXPECT_THROW(call.Wait(absl::Milliseconds(1)), TimeoutExpired);
    go.Send(5);
  }
  EXPECT_EQ(sum + call.Wait(), 20);
}

TEST(HubGroup, SpawnsFromWithinGoAnywhereToo) {
  HubGroup group(Two());
  const int sum = group
                      .Spawn([&group] {
                        std::vector<RemoteGreenThread<int>> parts;
                        for (int i = 0; i < 100; ++i)
                          parts.push_back(group.Spawn([i] { return i; }));
                        int total = 0;
                        for (auto& part : parts) total += part.Wait();
                        return total;
                      })
                      .Wait();
  EXPECT_EQ(sum, 4950);
}

TEST(HubGroup, WhatABusyHubHasNotBegunIsTakenByOneThatHasNothingToDo) {
  HubGroup group(Two());
  Hog first;
  Hog second;
  first.Begin(group, 0);
  second.Begin(group, 1);
  std::vector<RemoteGreenThread<std::optional<std::size_t>>> calls;
  for (int i = 0; i < 100; ++i) calls.push_back(group.Spawn([&group] { return group.Here(); }));
  for (const auto& call : calls) EXPECT_FALSE(call.Started());
  second.End();
  for (const auto& call : calls) EXPECT_EQ(call.Wait(), 1U);
}

TEST(HubGroup, AnIdleHubIsGivenWorkBeforeABusyOne) {
  HubGroup group(Two());
  Hog hog;
  hog.Begin(group, 0);
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(group.Spawn([&group] { return group.Here(); }).Wait(), 1U);
}

TEST(HubGroup, WhatWasSpawnedOnAHubWaitsForIt) {
  HubGroup group(Two());
  Hog hog;
  hog.Begin(group, 0);
  auto bound = group.SpawnOn(0, [&group] { return group.Here(); });
  auto cancelled = group.SpawnOn(0, [] {});
  EXPECT_EQ(group.Spawn([&group] { return group.Here(); }).Wait(), 1U);
  EXPECT_FALSE(bound.Started());
  EXPECT_TRUE(cancelled.Cancel());
  EXPECT_FALSE(cancelled.Cancel());
  EXPECT_THROW(cancelled.Wait(), GreenletExit);
  hog.End();
  EXPECT_EQ(bound.Wait(), 0U);
  EXPECT_FALSE(bound.Cancel());
}

TEST(HubGroup, WhatACancelledCallCapturedIsDestroyedAtOnce) {
  HubGroup group(Two());
  Hog hog;
  hog.Begin(group, 0);
  auto captured = std::make_shared<int>(1);
  auto call = group.SpawnOn(0, [captured] {});
  EXPECT_EQ(captured.use_count(), 2);
  call.Kill();
  EXPECT_EQ(captured.use_count(), 1);
  EXPECT_TRUE(call.Ready());
}

TEST(HubGroup, AKillUnwindsOnTheGreenThreadsOwnThread) {
  HubGroup group(Two());
  const auto home = group.SpawnOn(1, [] { return std::this_thread::get_id(); }).Wait();
  std::thread::id unwound;
  SharedEvent<> begun;
  struct Unwound {
    std::thread::id& where;
    ~Unwound() { where = std::this_thread::get_id(); }
  };
  auto call = group.SpawnOn(1, [&] {
    const Unwound mark{unwound};
    begun.Send(true);
    Sleep(absl::InfiniteDuration());
  });
  begun.Wait();
  EXPECT_TRUE(call.KillAndJoin());
  EXPECT_EQ(unwound, home);
  EXPECT_THROW(call.Wait(), GreenletExit);
  EXPECT_FALSE(call.Successful());
  EXPECT_NE(call.Error(), nullptr);
  call.Kill();  // too late, and no matter
}

TEST(HubGroup, AKillMayCarryAnyException) {
  HubGroup group(Two());
  auto call = group.Spawn([] { Sleep(absl::InfiniteDuration()); });
  call.Kill(std::make_exception_ptr(std::runtime_error("enough")));
  EXPECT_THROW(call.Wait(), std::runtime_error);
  EXPECT_THROW(call.Kill(nullptr), std::logic_error);
}

TEST(HubGroup, ErrorsThatNobodyCatchesGoToTheHubsHandler) {
  Heard heard;
  HubGroup::Options options = Two();
  options.on_uncaught = heard.Handler();
  HubGroup group(options);
  group.SpawnN([] { throw std::runtime_error("one"); });
  Until([&] { return heard.texts().size() == 1; });
  group.Post(0, [] { throw std::runtime_error("two"); });
  Until([&] { return heard.texts().size() == 2; });
  static_cast<void>(group.Spawn([] { throw std::runtime_error("three"); }));
  Until([&] { return heard.texts().size() == 3; });
  {
    const auto call = group.Spawn([] { throw std::runtime_error("four"); });
    Until([&] { return call.Ready(); });
  }
  Until([&] { return heard.texts().size() == 4; });
  EXPECT_THROW(group.Spawn([] { throw std::runtime_error("seen"); }).Wait(), std::runtime_error);
  group.Stop();
  const std::vector<std::string> texts = heard.texts();
  ASSERT_EQ(texts.size(), 4U);
  EXPECT_NE(texts[2].find("hub_group_test.cc"), std::string::npos) << texts[2];
  EXPECT_NE(texts[3].find("four"), std::string::npos) << texts[3];
}

TEST(HubGroup, PostRunsBetweenGreenThreadsInOrder) {
  HubGroup group(Two());
  std::vector<int> order;
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(group.Post(0, [&order, i] {
      EXPECT_TRUE(Hub::Current().OnHubStack());
      order.push_back(i);
    }));
  }
  group.RunInHub(0, [] {});
  ASSERT_EQ(order.size(), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(HubGroup, ThatCannotStartSaysWhyAndLeavesNothing) {
  HubGroup::Options options = Two();
  options.hub.poller = "nonsense";
  EXPECT_THROW(HubGroup group(options), std::logic_error);
  options = Two();
  options.threads = 1000000;
  EXPECT_THROW(HubGroup group(options), std::logic_error);
}

TEST(HubGroup, PinsItsThreadsWhenAsked) {
  HubGroup::Options options = Two();
  options.pin = true;
  HubGroup group(options);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(group.RunInHub(i,
                             [] {
                               cpu_set_t set;
                               CPU_ZERO(&set);
                               sched_getaffinity(0, sizeof(set), &set);
                               return CPU_COUNT(&set);
                             }),
              1);
  }
}

TEST(HubGroup, TenThousandCallsFromEverywhereAllRunOnce) {
  constexpr int kEach = 2500;
  std::vector<std::atomic<int>> ran(4 * kEach);
  {
    HubGroup group(Two());
    auto spawn = [&](int from) {
      for (int i = from; i < from + kEach; ++i) {
        group.SpawnN([&ran, i] {
          if (i % 3 == 0) Sleep();
          ++ran[static_cast<std::size_t>(i)];
        });
      }
    };
    auto plain = PlainThread([&] { spawn(0); });
    auto inside = group.Spawn([&] { spawn(kEach); });
    auto other = group.SpawnOn(0, [&] { spawn(2 * kEach); });
    spawn(3 * kEach);
    plain.Join();
    inside.Wait();
    other.Wait();
    EXPECT_TRUE(group.Stop());
  }
  for (std::atomic<int>& count : ran) ASSERT_EQ(count, 1);
}

#if !defined(__SANITIZE_THREAD__)
TEST(HubGroup, InAForkedChildItHasNoThreads) {
  auto group = std::make_unique<HubGroup>(Two());
  group->RunInHub(0, [] {});
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    bool right = !group->SpawnN([] {}) && !group->Post(0, [] {});
    auto call = group->Spawn([] {});
    right = right && call.Ready() && group->Stop();
    group.reset();
    _exit(right ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_TRUE(group->Stop());
}
#endif

}  // namespace
}  // namespace verdant
