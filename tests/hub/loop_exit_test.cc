#include <stdexcept>
#include <string>
#include <vector>

#include "greenlet/greenlet.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "hub/semaphore.h"
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

}  // namespace
}  // namespace verdant
