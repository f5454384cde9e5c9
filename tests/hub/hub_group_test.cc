#include "hub/hub_group.h"

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/shared_event.h"
#include "hub/timeout.h"
#include "tests/hub/shared_testing.h"

namespace verdant {
namespace {

HubGroup::Options Two() {
  HubGroup::Options options;
  options.threads = 2;
  return options;
}

// What the hubs of a group report.
class Heard {
 public:
  Hub::ErrorHandler Handler() {
    return [this](const UncaughtError& error) {
      const std::lock_guard<std::mutex> lock(mutex_);
      texts_.push_back(error.context + ": " + DescribeException(error.error));
    };
  }
  std::vector<std::string> texts() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return texts_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> texts_;
};

// Keeps a hub busy from Begin() to End().
class Hog {
 public:
  ~Hog() { End(); }
  void Begin(HubGroup& group, std::size_t index) {
    group.SpawnNOn(index, [running = running_, end = end_] {
      *running = true;
      while (!*end) std::this_thread::yield();
    });
    Until([&] { return running_->load(); });
  }
  void End() { *end_ = true; }

 private:
  std::shared_ptr<std::atomic<bool>> running_ = std::make_shared<std::atomic<bool>>(false);
  std::shared_ptr<std::atomic<bool>> end_ = std::make_shared<std::atomic<bool>>(false);
};

TEST(HubGroup, HasAThreadForEachProcessorUnlessToldOtherwise) {
  cpu_set_t set;
  CPU_ZERO(&set);
  ASSERT_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
  EXPECT_EQ(HubGroup().size(), static_cast<std::size_t>(CPU_COUNT(&set)));
  EXPECT_EQ(HubGroup(Two()).size(), 2U);
}

TEST(HubGroup, SpawnOnRunsWhereItSaysAndStaysThere) {
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

TEST(RunInHub, ReturnsOrThrowsWhatTheCallDoesWhileTheOthersHereRun) {
  HubGroup group(Two());
  int ticks = 0;
  SharedEvent<> go;
  auto ticker = Spawn([&] {
    for (; ticks < 10; ++ticks) Sleep();
    go.Send(true);
  });
  EXPECT_EQ(group.RunInHub(
                0,
                [&go](int n) {
                  go.Wait();
                  return n + 1;
                },
                1),
            2);
  EXPECT_EQ(ticks, 10);
  ticker.Wait();
  EXPECT_EQ(RunInHub(group.remote(1), [&group] { return group.Here(); }), 1U);
  EXPECT_THROW(group.RunInHub(1, [] { throw std::runtime_error("boom"); }), std::runtime_error);
  EXPECT_EQ(*group.RunInHub(
                0, [](std::unique_ptr<int> p) { return p; }, std::make_unique<int>(3)),
            3);
}

TEST(RunInHub, FromAHubToItselfAndBackAndForth) {
  HubGroup group(Two());
  EXPECT_EQ(group.RunInHub(0,
                           [&group] {
                             return group.RunInHub(0, [&group] {
                               return group.RunInHub(1, [&group] {
                                 return group.RunInHub(0, [&group] { return group.Here(); });
                               });
                             });
                           }),
            0U);
}

TEST(RunInHub, InterruptedBeforeTheCallHasBegunTakesItBack) {
  HubGroup group(Two());
  Hog hog;
  hog.Begin(group, 0);
  std::atomic<bool> ran{false};
  EXPECT_FALSE(WithTimeout(absl::Milliseconds(1), [&] { group.RunInHub(0, [&] { ran = true; }); }));
  auto waiter = Spawn([&] { group.RunInHub(0, [&] { ran = true; }); });
  Sleep();
  waiter.KillAndJoin();
  hog.End();
  group.RunInHub(0, [] {});
  EXPECT_FALSE(ran);
}

TEST(RunInHub, InterruptedLaterItLeavesTheCallToItself) {
  Heard heard;
  HubGroup::Options options = Two();
  options.on_uncaught = heard.Handler();
  HubGroup group(options);
  SharedEvent<> begun;
  SharedEvent<> go;
  auto waiter = Spawn([&] {
    group.RunInHub(0, [&] {
      begun.Send(true);
      go.Wait();
      throw std::runtime_error("unheard");
    });
  });
  begun.Wait();
  waiter.KillAndJoin();
  go.Send(true);
  EXPECT_TRUE(group.Stop());
  ASSERT_EQ(heard.texts().size(), 1U);
  EXPECT_NE(heard.texts()[0].find("unheard"), std::string::npos);
}

TEST(RunInHub, OfAHubThatIsGoneOrGoesEndsTheWait) {
  std::optional<Hub::Remote> remote;
  HubThread([&] { remote.emplace(Hub::Current()); }).Join();
  EXPECT_THROW(RunInHub(*remote, [] {}), GreenletExit);

  SharedEvent<> made;
  SharedEvent<> begun;
  auto other = HubThread([&] {
    remote.emplace(Hub::Current());
    made.Send(true);
    begun.Wait();
  });
  made.Wait();
  EXPECT_THROW(RunInHub(*remote,
                        [&begun] {
                          begun.Send(true);
                          Sleep(absl::InfiniteDuration());
                        }),
               std::runtime_error);
}

TEST(RunInHub, InAHubCallbackThrowsBeforeAnythingIsDone) {
  HubGroup group(Two());
  std::atomic<bool> ran{false};
  Event<bool> refused;
  Hub::Current().ScheduleCall(absl::ZeroDuration(), [&] {
    try {
      group.RunInHub(0, [&] { ran = true; });
      refused.Send(false);
    } catch (const std::logic_error&) {
      refused.Send(true);
    }
  });
  EXPECT_TRUE(refused.Wait());
  group.Stop();
  EXPECT_FALSE(ran);
}

TEST(HubGroupStop, WaitsForWhatRunsAndWhatHasNotBegun) {
  HubGroup group(Two());
  std::atomic<int> ended{0};
  for (int i = 0; i < 200; ++i) {
    group.SpawnN([&ended] {
      for (int n = 0; n < 5; ++n) Sleep();
      // One that the group did not spawn is waited for as well.
      SpawnN([&ended] {
        Sleep();
        ++ended;
      });
    });
  }
  EXPECT_TRUE(group.Stop());
  EXPECT_EQ(ended, 200);
  EXPECT_TRUE(group.stopped());
  EXPECT_TRUE(group.Stop());
}

TEST(HubGroupStop, KillsWhatHasNotEndedByTheDeadlineEachOnItsThread) {
  HubGroup group(Two());
  std::vector<std::thread::id> homes;
  std::vector<std::thread::id> unwound(20);
  struct Unwound {
    std::thread::id& where;
    ~Unwound() { where = std::this_thread::get_id(); }
  };
  for (std::size_t i = 0; i < 2; ++i)
    homes.push_back(group.RunInHub(i, [] { return std::this_thread::get_id(); }));
  std::atomic<int> begun{0};
  for (std::size_t i = 0; i < 20; ++i) {
    group.SpawnNOn(i % 2, [&, i] {
      const Unwound mark{unwound[i]};
      ++begun;
      Sleep(absl::InfiniteDuration());
    });
  }
  Until([&] { return begun == 20; });
  EXPECT_FALSE(group.Stop(absl::Milliseconds(1)));
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(unwound[i], homes[i % 2]);
}

TEST(HubGroupStop, KillsWhatIsSpawnedMeanwhileAndWaitsForTheirCleanUp) {
  HubGroup group(Two());
  SharedEvent<> begun;
  bool cleaned_up = false;
  group.SpawnN([&] {
    try {
      begun.Send(true);
      Sleep(absl::InfiniteDuration());
    } catch (const GreenletExit&) {
      auto helper = Spawn([] { Sleep(absl::InfiniteDuration()); });
      helper.Join();  // until that is killed, too
      Sleep(absl::Milliseconds(1));
      cleaned_up = true;
      throw;
    }
  });
  begun.Wait();
  EXPECT_FALSE(group.Stop(absl::ZeroDuration()));
  EXPECT_TRUE(cleaned_up);
}

TEST(HubGroupStop, LeavesWhatWillNotEndAndSaysSo) {
  Heard heard;
  HubGroup::Options options = Two();
  options.unwind_within = absl::Milliseconds(20);
  options.on_uncaught = heard.Handler();
  HubGroup group(options);
  SharedEvent<> begun;
  group.SpawnN([&begun] {
    try {
      begun.Send(true);
      Sleep(absl::InfiniteDuration());
    } catch (const GreenletExit&) {
      Sleep(absl::InfiniteDuration());
    }
  });
  begun.Wait();
  EXPECT_FALSE(group.Stop(absl::ZeroDuration()));
  ASSERT_EQ(heard.texts().size(), 1U);
  EXPECT_NE(heard.texts()[0].find("hub_group_test.cc"), std::string::npos) << heard.texts()[0];
}

TEST(HubGroupStop, WhatIsGivenToItAfterwardsEndsUnrun) {
  HubGroup group(Two());
  group.Stop();
  bool ran = false;
  EXPECT_FALSE(group.SpawnN([&] { ran = true; }));
  EXPECT_FALSE(group.SpawnNOn(0, [&] { ran = true; }));
  EXPECT_FALSE(group.Post(1, [&] { ran = true; }));
  EXPECT_THROW(group.Spawn([&] { ran = true; }).Wait(), GreenletExit);
  EXPECT_THROW(group.SpawnOn(1, [&] { ran = true; }).Wait(), GreenletExit);
  EXPECT_THROW(group.RunInHub(0, [&] { ran = true; }), GreenletExit);
  EXPECT_FALSE(ran);
}

TEST(HubGroupStop, WhatNeverBeganIsCancelled) {
  std::vector<RemoteGreenThread<void>> calls;
  std::optional<HubGroup> group(Two());
  Hog hog;
  hog.Begin(*group, 0);
  Hog other;
  other.Begin(*group, 1);
  for (int i = 0; i < 10; ++i) calls.push_back(group->Spawn([] {}));
  calls.push_back(group->SpawnOn(0, [] { Sleep(absl::InfiniteDuration()); }));
  auto stopper = PlainThread([&] { EXPECT_FALSE(group->Stop(absl::ZeroDuration())); });
  Until([&] { return group->stopped(); });
  Sleep(absl::Milliseconds(5));  // the stop may reach the hubs, or not: they end either way
  hog.End();
  other.End();
  stopper.Join();
  for (const auto& call : calls) EXPECT_TRUE(call.Ready());
}

TEST(HubGroupStop, FromWithinIsRefused) {
  HubGroup group(Two());
  EXPECT_THROW(group.RunInHub(0, [&group] { group.Stop(); }), std::logic_error);
  EXPECT_FALSE(group.stopped());
}

TEST(HubGroupStop, InAHubCallbackIsRefusedBeforeAnythingIsDone) {
  HubGroup group(Two());
  Event<bool> refused;
  Hub::Current().ScheduleCall(absl::ZeroDuration(), [&] {
    try {
      group.Stop();
      refused.Send(false);
    } catch (const std::logic_error&) {
      refused.Send(true);
    }
  });
  EXPECT_TRUE(refused.Wait());
  EXPECT_FALSE(group.stopped());
  EXPECT_EQ(group.Spawn([] { return 1; }).Wait(), 1);
}

TEST(HubGroupStop, LetsTheOthersHereRunAndMayBeInterruptedAndRepeated) {
  HubGroup group(Two());
  SharedEvent<> go;
  group.SpawnN([&go] { go.Wait(); });
  EXPECT_FALSE(WithTimeout(absl::Milliseconds(1), [&group] { group.Stop(); }));
  EXPECT_TRUE(group.stopped());
  auto sender = Spawn([&go] { go.Send(true); });
  EXPECT_TRUE(group.Stop());
  sender.Wait();
}

TEST(HubGroupStop, ByTheDestructorKillsAtOnceUnlessGivenTime) {
  bool ended = false;
  {
    HubGroup::Options options = Two();
    options.stop_within = absl::InfiniteDuration();
    HubGroup group(options);
    group.SpawnN([&ended] {
      for (int i = 0; i < 100; ++i) Sleep();
      ended = true;
    });
  }
  EXPECT_TRUE(ended);
  SharedEvent<> begun;
  bool killed = false;
  {
    HubGroup group(Two());
    group.SpawnN([&] {
      try {
        begun.Send(true);
        Sleep(absl::InfiniteDuration());
      } catch (const GreenletExit&) {
        killed = true;
        throw;
      }
    });
    begun.Wait();
  }
  EXPECT_TRUE(killed);
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
