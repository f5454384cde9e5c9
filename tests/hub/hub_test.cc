#include "hub/hub.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "greenlet/internal/sanitizer.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/semaphore.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

std::size_t MapEntries() {
  std::ifstream maps("/proc/self/maps");
  std::string line;
  std::size_t count = 0;
  while (std::getline(maps, line)) ++count;
  return count;
}

// The exit status of a child that runs `body` and exits with what it returns.
template <typename Body>
int InForkedChild(Body&& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Hub, B8_1_OnePerThreadMadeOnFirstUse) {
  Hub* here = &Hub::Current();
  EXPECT_EQ(here, &Hub::Current());
  OnFreshThread([&] { EXPECT_NE(here, &Hub::Current()); });
  EXPECT_THROW(Hub::Configure({}), std::logic_error);
}

TEST(Hub, ConfigureAppliesToTheCallingThread) {
  OnFreshThread([] {
    Hub::Configure({.stack_size = 128 * 1024});
    const std::size_t reserved = GetStackStats().reserved;
    Spawn([] {}).Wait();
    EXPECT_EQ((GetStackStats().reserved - reserved) % (128 * 1024), 0u);
    EXPECT_EQ(Hub::Current().options().stack_size, 128u * 1024);
  });
}

TEST(Hub, OneThatCannotBeMadeLeavesTheThreadWithoutOne) {
  OnFreshThread([] {
    rlimit before;
    getrlimit(RLIMIT_NOFILE, &before);
    rlimit none = before;
    none.rlim_cur = 3;
    setrlimit(RLIMIT_NOFILE, &none);
    for (int i = 0; i < 2; ++i) EXPECT_THROW(Hub::Current(), std::runtime_error);
    setrlimit(RLIMIT_NOFILE, &before);
    EXPECT_EQ(Spawn([] { return 1; }).Wait(), 1);
  });
}

TEST(Hub, MainIsTheThreadsMainEvenIfAGreenletUsesTheHubFirst) {
  OnFreshThread([] {
    Greenlet([] { Sleep(); }).Switch();
    EXPECT_EQ(CurrentGreenThread().Description(), "the main greenlet");
    Event<> never;
    EXPECT_THROW(never.Wait(), LoopExit);
  });
}

TEST(Hub, ItsThreadMayEndWhileGreenThreadsAreUnstartedRunnableOrParked) {
  auto token = std::make_shared<int>(0);
  OnFreshThread([&] {
    auto parked = Spawn([] { Sleep(absl::Hours(1)); });
    Sleep();
    auto unstarted = Spawn([token] {});
    SpawnN([token] {});
    auto later = SpawnAfter(absl::Hours(1), [token] {});
    Hub::Current().ScheduleCall(absl::Hours(1), [token] {});
    Hub::Current().Post([token] {});
  });
  EXPECT_EQ(token.use_count(), 1);
}

TEST(ScheduleCall, A12_7_EqualDeadlinesFireInTheOrderTheyWereSet) {
  WithManualClock([](ManualClock& clock) {
    std::vector<int> order;
    for (int i = 0; i < 3; ++i)
      Hub::Current().ScheduleCall(absl::Seconds(2), [&order, i] { order.push_back(i); });
    Hub::Current().ScheduleCall(absl::Seconds(1), [&] { order.push_back(9); });
    Sleep(absl::Seconds(3));
    EXPECT_EQ(order, (std::vector<int>{9, 0, 1, 2}));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(3));
  });
}

TEST(ScheduleCall, A12_7_CancelIsIdempotentAndSaysWhetherItWasInTime) {
  WithManualClock([](ManualClock&) {
    auto token = std::make_shared<int>(0);
    bool called = false;
    TimerHandle handle =
        Hub::Current().ScheduleCall(absl::Seconds(1), [&called, token] { called = true; });
    TimerHandle copy = handle;
    EXPECT_TRUE(copy.pending());
    EXPECT_TRUE(handle.Cancel());
    EXPECT_EQ(token.use_count(), 1);
    EXPECT_FALSE(handle.Cancel());
    EXPECT_FALSE(copy.Cancel());
    EXPECT_FALSE(TimerHandle().Cancel());
    Sleep(absl::Seconds(2));
    EXPECT_FALSE(called);
  });
}

TEST(ScheduleCall, ADroppedHandleDoesNotCancelAndACallMayCancelItself) {
  WithManualClock([](ManualClock&) {
    int calls = 0;
    Hub::Current().ScheduleCall(absl::Seconds(1), [&] { ++calls; });
    TimerHandle self;
    self = Hub::Current().ScheduleCall(absl::Seconds(1), [&] {
      ++calls;
      EXPECT_FALSE(self.pending());
      EXPECT_FALSE(self.Cancel());
    });
    TimerHandle never = Hub::Current().ScheduleCall(absl::InfiniteDuration(), [&] { ++calls; });
    EXPECT_FALSE(never.pending());
    Sleep(absl::Seconds(2));
    EXPECT_EQ(calls, 2);
    EXPECT_FALSE(self.Cancel());
  });
}

TEST(ScheduleCall, WhatACallThrowsIsReportedAndTheHubGoesOn) {
  WithManualClock([](ManualClock&) {
    std::vector<std::string> reports;
    Hub::Current().SetErrorHandler([&](const UncaughtError& error) {
      reports.push_back(error.context + ": " + DescribeException(error.error));
      Hub::Current().SetErrorHandler(nullptr);  // may be done here
    });
    Hub::Current().ScheduleCall(absl::Seconds(1), [] { throw std::runtime_error("x"); });
    Sleep(absl::Seconds(2));
    EXPECT_EQ(reports, std::vector<std::string>{"a timer's call: std::runtime_error: x"});
  });
}

TEST(Post, CallsRunInOrderOnTheHubBetweenGreenThreads) {
  std::vector<int> order;
  for (int i = 0; i < 3; ++i) {
    Hub::Current().Post([&order, i] {
      EXPECT_TRUE(Hub::Current().OnHubStack());
      order.push_back(i);
    });
  }
  while (order.size() < 3) Sleep();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
}

TEST(Post, ManyThreadsPostWhileTheHubSleepsAndEachKeepsItsOrder) {
  constexpr int kThreads = 4;
  constexpr int kPosts = 2000;
  std::vector<int> next(kThreads, 0);
  int out_of_order = 0;
  int received = 0;
  Event<> done;
  Hub& hub = Hub::Current();
  const Hub::Keepalive keepalive(hub);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kPosts; ++i) {
        hub.Post([&, t, i] {
          if (next[static_cast<std::size_t>(t)]++ != i) ++out_of_order;
          if (++received == kThreads * kPosts) done.Send();
        });
        if (i % 64 == 0) std::this_thread::yield();
      }
    });
  }
  done.Wait();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(out_of_order, 0);
}

TEST(Post, ToAHubThatIsGoneIsRefusedByARemote) {
  std::optional<Hub::Remote> remote;
  std::optional<Hub::Keepalive> keepalive;
  auto token = std::make_shared<int>(0);
  OnFreshThread([&] {
    remote.emplace(Hub::Current());
    keepalive.emplace(Hub::Current());
    EXPECT_TRUE(remote->Post([token] {}));
  });
  EXPECT_EQ(token.use_count(), 1);
  EXPECT_FALSE(remote->Post([token] {}));
  EXPECT_EQ(token.use_count(), 1);
  keepalive.reset();
}

TEST(Keepalive, TheLastOneThatGoesLetsTheHubSeeADeadlock) {
  Event<> never;
  std::optional<Hub::Keepalive> keepalive;
  keepalive.emplace(Hub::Current());
  Hub::Keepalive moved = std::move(*keepalive);
  std::atomic<bool> waiting{false};
  std::thread dropper([&, last = std::move(moved)]() mutable {
    while (!waiting.load()) std::this_thread::yield();
    const Hub::Keepalive gone = std::move(last);
  });
  waiting = true;
  EXPECT_THROW(never.Wait(), LoopExit);
  dropper.join();
}

TEST(LoopExit, B8_2_IsThrownInMainAndNamesWhoWaitsForWhatAndWhere) {
  Event<int> never;
  Semaphore semaphore(0);
  auto first = Spawn([&] { never.Wait(); });
  first.SetName("stuck one");
  auto second = Spawn([&] { semaphore.Acquire(); });
  std::string what;
  try {
    first.Wait();
    FAIL();
  } catch (const LoopExit& e) {
    what = e.what();
  }
  EXPECT_EQ(what.find("this operation would block forever"), 0u) << what;
  EXPECT_NE(what.find("the main greenlet: waiting in GreenThread::Join"), std::string::npos)
      << what;
  EXPECT_NE(what.find("'stuck one' spawned at "), std::string::npos) << what;
  EXPECT_NE(what.find("hub_test.cc:"), std::string::npos) << what;
  EXPECT_NE(what.find(": waiting in Event::Wait"), std::string::npos) << what;
  EXPECT_NE(what.find(": waiting in Semaphore::Acquire"), std::string::npos) << what;
  KillAll({first, second});
}

TEST(LoopExit, B8_2_MayBeCaughtAnyNumberOfTimes) {
  Event<int> never;
  for (int i = 0; i < 3; ++i) EXPECT_THROW(never.Wait(), LoopExit);
  never.Send(1);
  EXPECT_EQ(never.Wait(), 1);
}

TEST(LoopExit, IsThrownInTheGreenletThatBlocksInMainsPlace) {
  Event<> never;
  auto bystander = Spawn([&] { never.Wait(); });
  Sleep();
  Greenlet greenlet([&] { never.Wait(); });
  EXPECT_THROW(greenlet.Switch(), LoopExit);
  EXPECT_TRUE(greenlet.dead());
  EXPECT_FALSE(bystander.Ready());
  bystander.Kill();
}

TEST(LoopExit, ReachesAMainThatStandsAsideWithNobodyLeftToSwitchBack) {
  OnFreshThread([] {
    Greenlet middle;
    auto green = Spawn([&] {
      middle = Greenlet([] {});
      Sleep();
    });
    Sleep();
    // Its parent, the green thread, is parked and then ends: whoever switches to it never hears of
    // it again.
    EXPECT_THROW(middle.Switch(), LoopExit);
    EXPECT_TRUE(middle.dead());
    EXPECT_TRUE(green.Ready());
  });
}

TEST(LoopExit, SaysHowManyMoreThereAreInsteadOfListingThousands) {
  Event<> never;
  std::vector<GreenThread<void>> all;
  for (int i = 0; i < 300; ++i) all.push_back(Spawn([&] { never.Wait(); }));
  try {
    never.Wait();
    FAIL();
  } catch (const LoopExit& e) {
    EXPECT_NE(std::string(e.what()).find("  and 201 more\n"), std::string::npos) << e.what();
  }
  KillAll(all);
}

TEST(Join, B8_1_ComesBackWhenNothingCanHappenAnyMore) {
  WithManualClock([](ManualClock& clock) {
    Event<> never;
    int done = 0;
    auto stuck = Spawn([&] { never.Wait(); });
    for (int i = 1; i <= 3; ++i) {
      SpawnN([&done, i] {
        Sleep(absl::Seconds(i));
        ++done;
      });
    }
    EXPECT_TRUE(Hub::Current().Join());
    EXPECT_EQ(done, 3);
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(3));
    EXPECT_TRUE(Hub::Current().Join());
    stuck.Kill();
  });
}

TEST(Join, B8_1_SaysWhetherTheDeadlineCameFirst) {
  WithManualClock([](ManualClock& clock) {
    SpawnN([] { Sleep(absl::Seconds(10)); });
    EXPECT_FALSE(Hub::Current().Join(absl::Seconds(4)));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(4));
    EXPECT_TRUE(Hub::Current().Join(absl::Seconds(100)));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(10));
    EXPECT_TRUE(Hub::Current().Join(absl::Seconds(5)));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(10));
  });
}

TEST(Join, ByTwoAtOnceIsALogicError) {
  WithManualClock([](ManualClock&) {
    auto first = Spawn([] { Hub::Current().Join(); });
    Sleep();
    EXPECT_THROW(Hub::Current().Join(), std::logic_error);
    first.Wait();
    auto killed = Spawn([] { Hub::Current().Join(absl::Hours(1)); });
    Sleep();
    killed.Kill();
    EXPECT_TRUE(Hub::Current().Join());
  });
}

TEST(Join, IsRefusedInACallback) {
  std::string what;
  Hub::Current().Post([&] {
    try {
      Hub::Current().Join();
    } catch (const std::logic_error& e) {
      what = e.what();
    }
  });
  EXPECT_TRUE(Hub::Current().Join());
  EXPECT_NE(what.find("hub callback"), std::string::npos);
}

TEST(Dump, ShowsEveryStateInOrderOfCreation) {
  Event<> never;
  auto parked = Spawn([&] { never.Wait(); });
  auto runnable = Spawn([&] { Sleep(); });
  Sleep();
  auto fresh = Spawn([] {});
  const std::string dump = Hub::Current().Dump();
  std::size_t at = 0;
  for (const char* state : {"the main greenlet: running\n", ": waiting in Event::Wait\n",
                            ": runnable\n", ": not started\n"}) {
    at = dump.find(state, at);
    ASSERT_NE(at, std::string::npos) << state << " in " << dump;
  }
  EXPECT_NE(Hub::Current().Dump(1).find("  and 3 more\n"), std::string::npos);
  parked.Kill();
  JoinAll({runnable, fresh});
}

TEST(Counts, CountWhatThereIs) {
  WithManualClock([](ManualClock&) {
    const Hub::Counts before = Hub::Current().counts();
    EXPECT_EQ(before.green_threads, 1u);
    auto sleeper = Spawn([] { Sleep(absl::Seconds(1)); });
    EXPECT_EQ(Hub::Current().counts().runnable, 1u);
    Sleep();
    EXPECT_EQ(Hub::Current().counts().green_threads, 2u);
    EXPECT_EQ(Hub::Current().counts().timers, 1u);
    sleeper.Wait();
    const Hub::Counts after = Hub::Current().counts();
    EXPECT_EQ(after.green_threads, 1u);
    EXPECT_GT(after.switches, before.switches);
    EXPECT_GT(after.turns, before.turns);
  });
}

TEST(Wake, OfATaskThatIsNotParkedDoesNothing) {
  int runs = 0;
  Event<> event;
  auto green = Spawn([&] {
    event.Wait();
    ++runs;
  });
  Sleep();
  event.Send();
  Hub& hub = Hub::Current();
  Hub::Current().Post(
      [&] { hub.Wake(hub.CurrentTask()); });  // on the hub's stack: refused and reported
  hub.SetErrorHandler([](const UncaughtError&) {});
  green.Wait();
  hub.SetErrorHandler(nullptr);
  EXPECT_EQ(runs, 1);
}

// 200,000 green threads asleep at once, each on a guarded stack of its own.
TEST(Scale, TwoHundredThousandSleepersWithGuardsTakeAHandfulOfMapEntries) {
#if defined(VERDANT_ASAN) || defined(VERDANT_TSAN)
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

// Fills the stack below the caller; not optimised into a loop.
int Devour(int depth) {
  volatile char room[512];
  std::memset(const_cast<char*>(room), depth, sizeof(room));
  return depth == 0 ? room[0] : Devour(depth - 1) + room[1];
}

TEST(StackDeathTest, AnOverflowNamesTheGreenThreadAndWhereItWasSpawned) {
#if defined(VERDANT_ASAN) || defined(VERDANT_TSAN)
  GTEST_SKIP() << "the sanitizer reports the overflow itself";
#endif
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_DEATH(
      {
        auto glutton = Spawn([] { return Devour(1 << 20); });
        glutton.SetName("glutton");
        glutton.Wait();
      },
      "verdant: stack overflow in green thread [0-9]+ 'glutton', spawned at .*hub_test.cc:[0-9]+: "
      "its stack of 64 KiB");
  EXPECT_DEATH(
      {
        Event<> never;
        for (int i = 0; i < 15; ++i) SpawnN([&] { never.Wait(); });
        Spawn([] { return Devour(1 << 20); }).Wait();
      },
      "verdant: stack overflow in green thread 17, spawned at .*hub_test.cc:[0-9]+: its stack of "
      "64 KiB");
}

TEST(Fork, A12_17_AChildThatUsesGreenThreadsGetsAHubOfItsOwn) {
  Event<> never;
  auto parents = Spawn([&] { never.Wait(); });
  Sleep();
  EXPECT_EQ(InForkedChild([&] {
              if (Hub::Current().counts().green_threads != 1) return 1;
              int sum = 0;
              auto a = Spawn([&] {
                Sleep(absl::Milliseconds(1));
                ++sum;
              });
              auto b = Spawn([&] { ++sum; });
              JoinAll({a, b});
              try {
                Event<> nothing;
                nothing.Wait();
                return 2;
              } catch (const LoopExit&) {
              }
              try {
                parents.Join();
                return 3;
              } catch (const std::logic_error&) {
              }
              return sum == 2 ? 0 : 4;
            }),
            0);
  EXPECT_EQ(Hub::Current().counts().green_threads, 2u);
  parents.Kill();
}

TEST(Fork, AGreenThreadThatForksIsTheChildsMainAndItsEndIsTheChilds) {
  bool others_ran = false;
  int status = -1;
  Event<> go;
  auto bystander = Spawn([&] {
    go.Wait();
    others_ran = true;
  });
  bool in_child = false;
  auto forker = Spawn([&] {
    const pid_t child = fork();
    if (child == 0) {
      in_child = true;
      go.Send();  // the waiter is the parent's: nobody here
      if (CurrentGreenThread().Description() != "the main greenlet") _exit(1);
      if (Spawn([] { return 7; }).Wait() != 7) _exit(2);
      Sleep(absl::Milliseconds(1));
      if (others_ran) _exit(3);
      return;  // exit(0), like the last thread of a process
    }
    waitpid(child, &status, 0);
  });
  forker.Link([&] {
    if (in_child) _exit(4);
  });
  forker.Wait();
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_FALSE(others_ran);
  go.Send();
  bystander.Wait();
  EXPECT_TRUE(others_ran);
}

TEST(Fork, AnErrorThatLeavesAForkedGreenThreadIsReportedAndFailsTheChild) {
  int status = -1;
  Spawn([&] {
    const pid_t child = fork();
    if (child == 0) {
      Hub::Current().SetErrorHandler([](const UncaughtError& error) {
        if (error.context != "the main greenlet of a forked child") _exit(9);
      });
      throw std::runtime_error("child");
    }
    waitpid(child, &status, 0);
  }).Wait();
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 1);
}

TEST(Fork, PostsInTheChildDoNotReachTheParent) {
  bool called = false;
  const Hub::Remote remote(Hub::Current());
  EXPECT_EQ(InForkedChild([&] {
              remote.Post([&] { called = true; });
              Sleep(absl::Milliseconds(1));
              return called ? 1 : 0;
            }),
            0);
  Sleep();
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace verdant
