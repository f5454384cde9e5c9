#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "greenlet/greenlet.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "hub/semaphore.h"
#include "hub/sleep.h"
#include "hub/timeout.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

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
  EXPECT_NE(what.find("loop_exit_test.cc:"), std::string::npos) << what;
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

TEST(LoopExit, Decision8_AThousandThatAreAlikeShareALine) {
  WithManualClock([](ManualClock&) {
    Event<> never;
    Semaphore none(0);
    std::vector<GreenThread<void>> all;
    unsigned line = 0;
    for (int i = 0; i < 1000; ++i) {
      line = __LINE__ + 1;
      all.push_back(Spawn([&, i] { i % 4 == 0 ? none.Acquire() : (never.Wait(), true); }));
    }
    all[2].SetName("another");
    auto single = Spawn([&] { never.Wait(); });
    std::string what;
    try {
      never.Wait();
      FAIL();
    } catch (const LoopExit& e) {
      what = e.what();
    }
    const std::string site = "spawned at tests/hub/loop_exit_test.cc:" + std::to_string(line);
    EXPECT_NE(what.find("\n  250 green threads " + site + ": waiting in Semaphore::Acquire\n"),
              std::string::npos)
        << what;
    EXPECT_NE(what.find("\n  749 green threads " + site + ": waiting in Event::Wait\n"),
              std::string::npos)
        << what;
    EXPECT_NE(what.find(" 'another' " + site + ": waiting in Event::Wait\n"), std::string::npos)
        << what;
    EXPECT_NE(what.find("\n  green thread 1002 spawned at "), std::string::npos) << what;
    EXPECT_EQ(std::count(what.begin(), what.end(), '\n'), 6);
    KillAll(all);
    single.Kill();
  });
}

TEST(LoopExit, Decision8_SaysHowManyMoreThereAreAfterAHundredLines) {
  WithManualClock([](ManualClock&) {
    Event<> never;
    std::vector<GreenThread<void>> all;
    for (int i = 0; i < 300; ++i) {
      all.push_back(Spawn([&] { never.Wait(); }));
      all.back().SetName("number " + std::to_string(i));
    }
    std::vector<GreenThread<void>> alike;
    for (int i = 0; i < 300; ++i) alike.push_back(Spawn([&] { never.Wait(); }));
    try {
      never.Wait();
      FAIL();
    } catch (const LoopExit& e) {
      EXPECT_NE(std::string(e.what()).find("'number 98' spawned"), std::string::npos) << e.what();
      EXPECT_NE(std::string(e.what()).find("  and 501 more\n"), std::string::npos) << e.what();
    }
    KillAll(all);
    KillAll(alike);
  });
}

TEST(LoopExit, B7_1_ComesInSpiteOfATimeoutThatDoesNotCount) {
  WithManualClock([](ManualClock& clock) {
    Event<> never;
    {
      Timeout timeout(absl::Hours(1));
      timeout.Unref();
      EXPECT_TRUE(timeout.pending());
      EXPECT_THROW(never.Wait(), LoopExit);
      timeout.Cancel();
      timeout.Start();  // it stays so
      EXPECT_THROW(never.Wait(), LoopExit);
    }
    EXPECT_EQ(clock.SinceStart(), absl::ZeroDuration());
    // It fires all the same where something else keeps the hub.
    {
      Timeout timeout(absl::Seconds(1));
      timeout.Unref();
      EXPECT_THROW(Sleep(absl::Seconds(2)), TimeoutExpired);
    }
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(1));
    // And nothing of that is left: one that counts is waited for.
    const Timeout counts(absl::Seconds(1));
    EXPECT_THROW(never.Wait(), TimeoutExpired);
  });
}

}  // namespace
}  // namespace verdant
