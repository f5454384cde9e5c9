#include "hub/green_thread.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/semaphore.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

struct OnExit {
  bool& flag;
  ~OnExit() { flag = true; }
};

// What the error handler of this thread's hub hears while it exists.
class Reports {
 public:
  Reports() {
    Hub::Current().SetErrorHandler([this](const UncaughtError& error) {
      contexts.push_back(error.context);
      errors.push_back(DescribeException(error.error));
    });
  }
  ~Reports() { Hub::Current().SetErrorHandler(nullptr); }
  std::vector<std::string> contexts;
  std::vector<std::string> errors;
};

std::exception_ptr Boom() { return std::make_exception_ptr(std::runtime_error("boom")); }

TEST(Sleep, A1_1_ZeroGoesToTheBackOfTheQueue) {
  std::vector<int> order;
  auto a = Spawn([&] {
    order.push_back(1);
    Sleep();
    order.push_back(3);
  });
  auto b = Spawn([&] { order.push_back(2); });
  JoinAll({a, b});
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST(Sleep, WakesInDeadlineOrderAndEqualDeadlinesInTheOrderTheySlept) {
  WithManualClock([](ManualClock& clock) {
    std::vector<int> order;
    std::vector<GreenThread<void>> all;
    for (const int seconds : {3, 1, 2, 1, 3, 2}) {
      all.push_back(Spawn([&order, seconds, number = static_cast<int>(all.size())] {
        Sleep(absl::Seconds(seconds));
        order.push_back(seconds * 10 + number);
      }));
    }
    JoinAll(all);
    EXPECT_EQ(order, (std::vector<int>{11, 13, 22, 25, 30, 34}));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(3));
  });
}

TEST(Sleep, A1_1_TheTimerOfASleeperWokenByAnExceptionIsGone) {
  WithManualClock([](ManualClock&) {
    auto sleeper = Spawn([] { Sleep(absl::Hours(1)); });
    Sleep();
    EXPECT_EQ(Hub::Current().counts().timers, 1u);
    sleeper.Kill();
    EXPECT_EQ(Hub::Current().counts().timers, 0u);
  });
}

TEST(Sleep, A1_1_IsALogicErrorInAHubCallback) {
  WithManualClock([](ManualClock&) {
    int refused = 0;
    Hub::Current().ScheduleCall(absl::Seconds(1), [&] {
      for (const absl::Duration duration : {absl::ZeroDuration(), absl::Seconds(1)}) {
        try {
          Sleep(duration);
        } catch (const std::logic_error& e) {
          if (std::string(e.what()).find("hub callback") != std::string::npos) ++refused;
        }
      }
    });
    Sleep(absl::Seconds(2));
    EXPECT_EQ(refused, 2);
  });
}

TEST(Sleep, DoesNotStarveTimersWhileOthersAreAlwaysRunnable) {
  bool stop = false;
  auto busy = Spawn([&] {
    while (!stop) Sleep();
  });
  Sleep(absl::Milliseconds(1));
  stop = true;
  busy.Wait();
}

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

TEST(Spawn, ResultsAndArgumentsPassThrough) {
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
  EXPECT_NE(reports.contexts[0].find("green_thread_test.cc:"), std::string::npos)
      << reports.contexts[0];
}

TEST(Spawn, AnErrorNobodyLookedAtIsReportedWhenTheLastHandleGoes) {
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

TEST(Wait, A1_6_AnExceptionIsThrownByEveryWaitOfEveryWaiter) {
  auto bad = Spawn([]() -> int { throw std::runtime_error("boom"); });
  int thrown = 0;
  const auto wait = [&] {
    try {
      bad.Wait();
    } catch (const std::runtime_error&) {
      ++thrown;
    }
  };
  auto a = Spawn(wait);
  auto b = Spawn(wait);
  JoinAll({a, b});
  wait();
  wait();
  EXPECT_EQ(thrown, 4);
  EXPECT_FALSE(bad.Successful());
  EXPECT_TRUE(bad.Ready());
  EXPECT_NE(bad.Error(), nullptr);
}

TEST(Wait, OnOneselfIsALogicErrorThatNamesTheCulprit) {
  GreenThread<void> self;
  std::string what;
  self = Spawn([&] {
    try {
      self.Wait();
    } catch (const std::logic_error& e) {
      what = e.what();
    }
  });
  self.SetName("narcissus");
  self.Wait();
  EXPECT_NE(what.find("'narcissus'"), std::string::npos) << what;
  EXPECT_NE(what.find("waits for itself"), std::string::npos) << what;
}

TEST(Wait, WithADeadlineThrowsTimeoutExpiredAndJoinSaysFalse) {
  WithManualClock([](ManualClock& clock) {
    auto slow = Spawn([] {
      Sleep(absl::Hours(1));
      return 3;
    });
    EXPECT_FALSE(slow.Join(absl::Seconds(1)));
    try {
      slow.Wait(absl::Seconds(2));
      FAIL();
    } catch (const TimeoutExpired& expired) {
      EXPECT_EQ(expired.after(), absl::Seconds(2));
    }
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(3));
    EXPECT_EQ(slow.Wait(), 3);
  });
}

TEST(Wait, FromAnotherThreadIsRefused) {
  auto green = Spawn([] { Sleep(); });
  OnFreshThread([&] {
    EXPECT_THROW(green.Join(), std::logic_error);
    EXPECT_THROW(green.Kill(), std::logic_error);
  });
  green.Wait();
}

TEST(Wait, AnEmptyHandleIsRefused) {
  GreenThread<int> none;
  EXPECT_FALSE(none);
  EXPECT_THROW(none.Wait(), std::logic_error);
  EXPECT_THROW(none.Kill(), std::logic_error);
  EXPECT_THROW(none.Ready(), std::logic_error);
}

TEST(Wait, ATemporaryHandleMovesTheResultUnlessAnotherHandleRemains) {
  auto kept = Spawn([] { return std::string(100, 'k'); });
  const auto copy = [&] { return kept; };
  EXPECT_EQ(copy().Wait().size(), 100u);
  EXPECT_EQ(kept.Wait().size(), 100u);
  EXPECT_EQ(std::move(kept).Wait().size(), 100u);
}

TEST(Link, A1_7_LinksRunInOrderInsideTheEndedGreenThreadBeforeWaitersWake) {
  std::vector<std::string> order;
  auto green = Spawn([&] { order.push_back("body"); });
  const std::uint64_t id = green.id();
  for (const char* name : {"first", "second"}) {
    green.Link([&order, name, id] {
      EXPECT_EQ(CurrentGreenThread().id(), id);
      order.push_back(name);
    });
  }
  green.Wait();
  order.push_back("waiter");
  EXPECT_EQ(order, (std::vector<std::string>{"body", "first", "second", "waiter"}));
}

TEST(Link, A1_7_OnAnEndedOneItIsCalledAtOnce) {
  auto green = Spawn([] {});
  green.Wait();
  bool called = false;
  green.Link([&] { called = true; });
  EXPECT_TRUE(called);
}

TEST(Link, A1_7_OneAddedByALinkRunsAfterTheOthers) {
  std::vector<int> order;
  auto green = Spawn([] {});
  green.Link([&] {
    order.push_back(1);
    green.Link([&] { order.push_back(3); });
  });
  green.Link([&] { order.push_back(2); });
  green.Wait();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST(Link, Decision6_WhatALinkThrowsIsReportedAndTheOthersStillRun) {
  Reports reports;
  bool second = false;
  auto green = Spawn([] { return 1; });
  green.Link([] { throw std::runtime_error("link"); });
  green.Link([&] { second = true; });
  EXPECT_EQ(green.Wait(), 1);
  EXPECT_TRUE(second);
  ASSERT_EQ(reports.errors, std::vector<std::string>{"std::runtime_error: link"});
  EXPECT_EQ(reports.contexts[0].find("a link of green thread"), 0u);
}

TEST(Link, MayBlock) {
  std::vector<int> order;
  auto green = Spawn([] {});
  green.Link([&] {
    Sleep();
    Sleep();
    order.push_back(1);
  });
  auto waiter = Spawn([&] {
    green.Join();
    order.push_back(2);
  });
  waiter.Wait();
  while (order.size() < 2) Sleep();
  EXPECT_EQ(order.size(), 2u);
}

TEST(Link, A1_9_UnlinkSaysWhetherItWasThere) {
  bool called = false;
  auto green = Spawn([] {});
  const std::uint64_t link = green.Link([&] { called = true; });
  EXPECT_TRUE(green.Unlink(link));
  EXPECT_FALSE(green.Unlink(link));
  EXPECT_FALSE(green.Unlink(0));
  green.Wait();
  EXPECT_FALSE(called);
}

TEST(Kill, A1_10_RaisesAtTheSwitchPointBeforeAnythingElseRuns) {
  std::vector<std::string> order;
  auto sleeper = Spawn([&] {
    try {
      Sleep(absl::Hours(1));
    } catch (const GreenletExit&) {
      order.push_back("killed");
      throw;
    }
  });
  Sleep();
  auto other = Spawn([&] { order.push_back("other"); });
  sleeper.Kill();
  order.push_back("killer");
  EXPECT_EQ(order, (std::vector<std::string>{"killed", "other", "killer"}));
  EXPECT_THROW(sleeper.Wait(), GreenletExit);
}

TEST(Kill, A1_10_AlsoOneThatIsRunnableIsKilledBeforeAnythingElseRuns) {
  std::vector<std::string> order;
  Event<> event;
  auto other = Spawn([&] {
    event.Wait();
    order.push_back("other");
  });
  auto victim = Spawn([&] {
    const struct Note {
      std::vector<std::string>& order;
      ~Note() { order.push_back("killed"); }
    } note{order};
    event.Wait();
  });
  Sleep();
  event.Send();  // both are runnable now, the other one first
  victim.Kill();
  EXPECT_EQ(order, (std::vector<std::string>{"killed", "other"}));
}

TEST(Kill, A1_10_MayBeSurvived) {
  auto cat = Spawn([] {
    try {
      Sleep(absl::Hours(1));
    } catch (const GreenletExit&) {
    }
    Sleep();
    return 9;
  });
  Sleep();
  cat.Kill();
  EXPECT_FALSE(cat.Ready());
  EXPECT_EQ(cat.Wait(), 9);
}

TEST(Kill, A1_10_OfADeadOneDoesNothing) {
  auto green = Spawn([] { return 1; });
  green.Wait();
  green.Kill();
  EXPECT_EQ(green.Wait(), 1);
}

TEST(Kill, A1_10_OfOneselfThrowsInPlace) {
  bool after = false;
  auto green = Spawn([&] {
    CurrentGreenThread().Kill();
    after = true;
  });
  EXPECT_THROW(green.Wait(), GreenletExit);
  EXPECT_FALSE(after);
}

TEST(Kill, A1_11_BeforeStartTheBodyNeverRunsButLinksFire) {
  bool ran = false;
  bool linked = false;
  bool cleaned = false;
  struct Captured {
    explicit Captured(bool& c) : cleaned(&c) {}
    Captured(Captured&& other) noexcept : cleaned(std::exchange(other.cleaned, nullptr)) {}
    ~Captured() {
      if (cleaned != nullptr) *cleaned = true;
    }
    bool* cleaned;
  };
  auto green = Spawn([&ran, captured = Captured(cleaned)] { ran = true; });
  green.Link([&] { linked = true; });
  green.Kill();
  EXPECT_FALSE(ran);
  EXPECT_TRUE(linked);
  EXPECT_TRUE(cleaned);
  EXPECT_TRUE(green.Ready());
  EXPECT_FALSE(green.Started());
  EXPECT_THROW(green.Wait(), GreenletExit);
}

TEST(Kill, A1_14_Decision16_AnExceptionBeforeStartIsWhatWaitThrowsAndNothingElse) {
  auto green = Spawn([] { return 1; });
  green.Kill(Boom());
  EXPECT_THROW(green.Wait(), std::runtime_error);
  Sleep();
  Event<> event;
  EXPECT_THROW(event.Wait(), LoopExit);  // no stale wake-up ends this wait early
}

TEST(Kill, ANullExceptionIsRefused) {
  auto green = Spawn([] {});
  EXPECT_THROW(green.Kill(nullptr), std::logic_error);
  green.Wait();
}

TEST(Kill, TwiceThrowsTwice) {
  int killed = 0;
  auto stubborn = Spawn([&] {
    for (int i = 0; i < 2; ++i) {
      try {
        Sleep(absl::Hours(1));
      } catch (const GreenletExit&) {
        ++killed;
      }
    }
  });
  Sleep();
  Hub::Current().Post([&] {
    stubborn.Kill();
    stubborn.Kill();
  });
  stubborn.Wait();
  EXPECT_EQ(killed, 2);
}

TEST(Kill, ASecondOneThatFindsItEndedByTheFirstIsForgotten) {
  Reports reports;
  auto green = Spawn([] { Sleep(absl::Hours(1)); });
  Sleep();
  Hub::Current().Post([&] {
    green.Kill();
    green.Kill(Boom());
  });
  EXPECT_THROW(green.Wait(), GreenletExit);
  EXPECT_TRUE(reports.errors.empty());
}

TEST(Kill, FromAHubCallbackTakesEffectInTheNextTurn) {
  auto sleeper = Spawn([] { Sleep(absl::Hours(1)); });
  Sleep();
  Hub::Current().Post([&] {
    sleeper.Kill();
    EXPECT_FALSE(sleeper.Ready());
  });
  EXPECT_THROW(sleeper.Wait(), GreenletExit);
}

TEST(Kill, AWaiterKilledWhileItJoinsLeavesTheJoinedAlone) {
  Event<int> event;
  auto worker = Spawn([&] { return event.Wait(); });
  auto waiter = Spawn([&] { worker.Wait(); });
  Sleep();
  waiter.Kill();
  event.Send(4);
  EXPECT_EQ(worker.Wait(), 4);
}

TEST(Cancel, A1_12_OnlyBeforeItHasStarted) {
  bool ran = false;
  auto green = Spawn([&] { ran = true; });
  EXPECT_TRUE(green.Cancel());
  EXPECT_FALSE(ran);
  auto running = Spawn([] { Sleep(); });
  Sleep();
  EXPECT_FALSE(running.Cancel());
  running.Wait();
  auto with_error = Spawn([] {});
  EXPECT_TRUE(with_error.Cancel(Boom()));
  EXPECT_THROW(with_error.Wait(), std::runtime_error);
}

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

TEST(KillAll, GivesUpAtItsDeadline) {
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

TEST(CurrentGreenThread, IsAHandleOnWhoeverCalls) {
  const AnyGreenThread main = CurrentGreenThread();
  EXPECT_EQ(main.Description(), "the main greenlet");
  AnyGreenThread inside;
  auto green = Spawn([&] { inside = CurrentGreenThread(); });
  green.Wait();
  EXPECT_EQ(inside, static_cast<AnyGreenThread&>(green));
  EXPECT_NE(inside, main);
}

TEST(Description, NamesTheGreenThreadAndWhereItWasSpawned) {
  auto green = Spawn([] {});
  const std::string plain = green.Description();
  EXPECT_EQ(plain.find("green thread " + std::to_string(green.id()) + " spawned at "), 0u) << plain;
  EXPECT_NE(plain.find("green_thread_test.cc:"), std::string::npos) << plain;
  green.SetName("old").SetName("worker");
  EXPECT_NE(green.Description().find(" 'worker' spawned at "), std::string::npos)
      << green.Description();
  green.Wait();
}

TEST(Greenlets, APlainGreenletMayBlockAndIsKilledAndJoinedLikeAGreenThread) {
  AnyGreenThread handle;
  bool cleaned = false;
  bool linked = false;
  Greenlet greenlet([&] {
    handle = CurrentGreenThread();
    const OnExit on_exit{cleaned};
    Sleep();
    Greenlet::Current().parent().Switch();
  });
  greenlet.Switch();
  ASSERT_TRUE(handle);
  EXPECT_FALSE(handle.Ready());
  EXPECT_NE(handle.Description().find("greenlet "), std::string::npos);
  handle.Link([&] { linked = true; });
  auto joiner = Spawn([&] { handle.Join(); });
  Sleep();
  greenlet = Greenlet();  // unwinds it
  EXPECT_TRUE(cleaned);
  EXPECT_TRUE(handle.Ready());
  EXPECT_TRUE(linked);
  joiner.Wait();
  EXPECT_NE(handle.Description(), "");
}

TEST(Greenlets, OneParkedInTheHubCannotBeSwitchedToAndLosesNothingByTheAttempt) {
  Greenlet greenlet;
  auto green = Spawn([&] {
    greenlet = Greenlet::Current();
    Sleep();
    return 1;
  });
  Sleep();
  EXPECT_THROW(greenlet.Switch(5), std::logic_error);
  EXPECT_THROW(greenlet.Throw(), std::logic_error);
  EXPECT_EQ(green.Wait(), 1);
}

TEST(Greenlets, OneWhoseParentHasEndedReturnsToTheHub) {
  Reports reports;
  Greenlet orphan;
  Spawn([&] {
    orphan = Greenlet([] {
      Greenlet::Current().parent().Switch();
      throw std::runtime_error("orphan");
    });
    orphan.Switch();
  }).Wait();
  auto green = Spawn([&] { orphan.Switch(); });
  Sleep();
  Sleep();
  EXPECT_TRUE(orphan.dead());
  EXPECT_EQ(reports.errors, std::vector<std::string>{"std::runtime_error: orphan"});
  // The one that switched to it stands aside for good: nobody switches back.
  EXPECT_FALSE(green.Ready());
  EXPECT_NE(Hub::Current().Dump().find("aside in a greenlet's switch"), std::string::npos);
}

// Exceptions in flight in many green threads, each switching inside handlers, destructors and
// rethrows.
TEST(Exceptions, StateNeverMixesWhileOthersThrowAndCatch) {
  constexpr int kThreads = 50;
  constexpr int kRounds = 20;
  int wrong = 0;
  std::vector<GreenThread<void>> all;
  for (int i = 0; i < kThreads; ++i) {
    all.push_back(Spawn([&wrong, i] {
      struct SwitchWhileUnwinding {
        int& wrong;
        int expected;
        ~SwitchWhileUnwinding() {
          if (std::uncaught_exceptions() != expected) ++wrong;
          Sleep();
          if (std::uncaught_exceptions() != expected) ++wrong;
        }
      };
      for (int round = 0; round < kRounds; ++round) {
        const std::string mine = std::to_string(i) + "/" + std::to_string(round);
        try {
          const SwitchWhileUnwinding guard{wrong, 1};
          throw std::runtime_error(mine);
        } catch (const std::runtime_error& outer) {
          Sleep();
          try {
            if (i % 3 == 0) Sleep();
            throw std::logic_error("inner " + mine);
          } catch (const std::logic_error& inner) {
            Sleep();
            if (inner.what() != "inner " + mine) ++wrong;
          }
          Sleep();
          if (outer.what() != mine) ++wrong;
          try {
            throw;
          } catch (const std::runtime_error& again) {
            if (again.what() != mine) ++wrong;
          }
          if (std::uncaught_exceptions() != 0) ++wrong;
        }
        if (std::current_exception() != nullptr) ++wrong;
      }
    }));
  }
  JoinAll(all);
  EXPECT_EQ(wrong, 0);
  for (auto& green : all) EXPECT_TRUE(green.Successful());
}

}  // namespace
}  // namespace verdant
