#include "hub/metaphore.h"

#include <stdexcept>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hub/errors.h"
#include "hub/green_thread.h"
#include "tests/hub/manual_clock.h"
#include "tests/hub/sync_testing.h"

namespace verdant {
namespace {

TEST(Metaphore, A6_8_NobodyWaitsWhileNothingIsUnderWay) {
  Metaphore metaphore;
  bool yielded = false;
  SpawnN([&] { yielded = true; });
  EXPECT_TRUE(metaphore.Ready());
  EXPECT_TRUE(metaphore.Wait());
  EXPECT_FALSE(yielded);
  Sleep();
}

TEST(Metaphore, A6_8_WaitersGoWhenTheCountIsZeroAgainInTheOrderTheyCame) {
  Metaphore metaphore;
  metaphore.Inc();
  metaphore.Inc(2);
  EXPECT_EQ(metaphore.count(), 3);
  std::vector<int> order;
  std::vector<GreenThread<void>> waiters;
  for (int i = 0; i < 3; ++i) {
    waiters.push_back(Spawn([&, i] {
      metaphore.Wait();
      order.push_back(i);
    }));
  }
  Sleep();
  metaphore.Dec();
  Sleep();
  EXPECT_TRUE(order.empty());
  EXPECT_FALSE(metaphore.Ready());
  metaphore.Dec(2);
  EXPECT_EQ(metaphore.count(), 0);
  EXPECT_TRUE(metaphore.Ready());
  EXPECT_TRUE(order.empty()) << "at the hub's next turn";
  JoinAll(waiters);
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
}

TEST(Metaphore, A6_8_AWaiterLetThroughStaysSoWhenTheCountRisesAgain) {
  Metaphore metaphore;
  metaphore.Inc();
  auto waiter = Spawn([&] { return metaphore.Wait(); });
  Sleep();
  metaphore.Dec();
  metaphore.Inc();
  EXPECT_TRUE(waiter.Wait());
  EXPECT_FALSE(metaphore.Ready());
}

TEST(Metaphore, A6_8_BelowZeroOrByNothingIsALogicErrorAndChangesNothing) {
  Metaphore metaphore;
  EXPECT_THROW(metaphore.Dec(), std::logic_error);
  metaphore.Inc(2);
  EXPECT_THROW(metaphore.Dec(3), std::logic_error);
  EXPECT_THROW(metaphore.Dec(0), std::logic_error);
  EXPECT_THROW(metaphore.Inc(0), std::logic_error);
  EXPECT_THROW(metaphore.Inc(-1), std::logic_error);
  EXPECT_EQ(metaphore.count(), 2);
}

TEST(Metaphore, A6_8_AWaitWithADeadlineGivesUp) {
  WithManualClock([](ManualClock& clock) {
    Metaphore metaphore;
    metaphore.Inc();
    EXPECT_FALSE(metaphore.Wait(absl::Seconds(2)));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(2));
    metaphore.Dec();
    EXPECT_TRUE(metaphore.Wait(absl::Seconds(2)));
  });
}

TEST(Metaphore, LinksAreCalledAtZeroAndADeadlockNamesIt) {
  OnFreshThread([] {
    Metaphore metaphore;
    metaphore.Inc();
    int called = 0;
    metaphore.Link([&] { ++called; });
    EXPECT_TRUE(metaphore.Unlink(metaphore.Link([&] { ++called; })));
    try {
      metaphore.Wait();
      ADD_FAILURE();
    } catch (const LoopExit& e) {
      EXPECT_NE(std::string(e.what()).find("waiting in Metaphore::Wait"), std::string::npos);
    }
    metaphore.Dec();
    EXPECT_EQ(called, 1);
  });
}

}  // namespace
}  // namespace verdant
