#include "hub/flag.h"

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "hub/errors.h"
#include "hub/green_thread.h"
#include "hub/timeout.h"
#include "tests/hub/manual_clock.h"
#include "tests/hub/sync_testing.h"

namespace verdant {
namespace {

TEST(Flag, B4_1_LetsThroughWhoComesWhileItIsSetWithoutYielding) {
  Flag flag;
  EXPECT_FALSE(flag.Ready());
  flag.Set();
  flag.Set();
  EXPECT_TRUE(flag.Ready());
  bool other_ran = false;
  SpawnN([&] { other_ran = true; });
  EXPECT_TRUE(flag.Wait());
  EXPECT_TRUE(flag.Wait(absl::ZeroDuration()));
  EXPECT_FALSE(other_ran);
  Sleep();
  flag.Clear();
  flag.Clear();
  EXPECT_FALSE(flag.Ready());
  EXPECT_TRUE(Flag(true).Ready());
}

TEST(Flag, B4_1_SetNeverYieldsAndWaitersRunInTheOrderTheyCame) {
  Flag flag;
  std::vector<int> order;
  std::vector<GreenThread<void>> waiters;
  for (int i = 1; i <= 1000; ++i) {
    waiters.push_back(Spawn([&, i] {
      if (flag.Wait()) order.push_back(i);
    }));
  }
  Sleep();
  flag.Set();
  order.push_back(0);
  JoinAll(waiters);
  ASSERT_EQ(order.size(), 1001u);
  for (int i = 0; i <= 1000; ++i) EXPECT_EQ(order[i], i);
}

TEST(Flag, B4_1_OneClearedBeforeItsWaiterRunsStillLetsThatThrough) {
  WithManualClock([](ManualClock&) {
    Flag flag;
    auto waiter = Spawn([&] { return flag.Wait(); });
    auto with_deadline = Spawn([&] { return flag.Wait(absl::Seconds(1)); });
    Sleep();
    flag.Set();
    flag.Clear();
    EXPECT_TRUE(waiter.Wait());
    EXPECT_TRUE(with_deadline.Wait());
    EXPECT_FALSE(flag.Wait(absl::Seconds(1)));
  });
}

TEST(Flag, B4_1_AWaitWithADeadlineIsFalseWhenThatPassesFirst) {
  WithManualClock([](ManualClock& clock) {
    Flag flag;
    EXPECT_FALSE(flag.Wait(absl::Seconds(3)));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(3));
    EXPECT_FALSE(flag.Wait(absl::ZeroDuration()));
    EXPECT_FALSE(flag.Wait(-absl::Seconds(1)));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(3));
    flag.Set();
    EXPECT_TRUE(flag.Wait(-absl::Seconds(1)));
  });
}

TEST(Flag, B4_1_OneSetAfterTheDeadlineButBeforeTheWaiterRanLetsItThrough) {
  WithManualClock([](ManualClock&) {
    Flag flag;
    auto waiter = Spawn([&] { return flag.Wait(absl::Seconds(1)); });
    Sleep();
    Hub::Current().ScheduleCall(absl::Seconds(1), [&] {
      flag.Set();
      flag.Clear();
    });
    EXPECT_TRUE(waiter.Wait());
  });
}

TEST(Flag, B4_1_OneThatComesWhileThoseBeforeItAreOnTheirWayGoesAfterThem) {
  Flag flag;
  std::vector<std::string> order;
  auto a = Spawn([&] {
    flag.Wait();
    order.push_back("a");
  });
  auto b = Spawn([&] {
    flag.Wait();
    order.push_back("b");
  });
  Sleep();
  flag.Set();
  EXPECT_TRUE(flag.Wait());
  order.push_back("late");
  EXPECT_TRUE(flag.Wait());
  order.push_back("nobody before it");
  JoinAll({a, b});
  EXPECT_EQ(order, (std::vector<std::string>{"a", "b", "late", "nobody before it"}));
}

TEST(Flag, B4_1_TwoThatComeLateKeepTheirOrderToo) {
  Flag flag;
  std::vector<std::string> order;
  auto early = Spawn([&] {
    flag.Wait();
    order.push_back("early");
    // By now the late one is in line.
    flag.Wait();
    order.push_back("early again");
  });
  Sleep();
  flag.Set();
  flag.Wait();
  order.push_back("late");
  early.Join();
  EXPECT_EQ(order, (std::vector<std::string>{"early", "late", "early again"}));
}

TEST(Flag, B4_1_OneThatIsLetThroughAndKilledHoldsUpNobody) {
  Flag flag;
  auto killed = Spawn([&] { flag.Wait(); });
  auto other = Spawn([&] { return flag.Wait(); });
  Sleep();
  flag.Set();
  killed.Kill();
  EXPECT_THROW(killed.Wait(), GreenletExit);
  EXPECT_TRUE(other.Wait());
  bool yielded = false;
  SpawnN([&] { yielded = true; });
  flag.Wait();
  EXPECT_FALSE(yielded);
  Sleep();
}

TEST(Flag, AKilledWaiterLeavesNoTrace) {
  Flag flag;
  auto killed = Spawn([&] { flag.Wait(); });
  auto other = Spawn([&] { return flag.Wait(); });
  Sleep();
  killed.Kill();
  flag.Set();
  EXPECT_TRUE(other.Wait());
}

TEST(Flag, ATimeoutThrowsFromAWait) {
  WithManualClock([](ManualClock&) {
    Flag flag;
    Timeout timeout(absl::Seconds(1));
    EXPECT_THROW(flag.Wait(), TimeoutExpired);
    flag.Set();
    EXPECT_TRUE(flag.Wait());
  });
}

TEST(Flag, ItsWaitersMayOutliveItLetThroughOrNot) {
  auto flag = std::make_unique<Flag>();
  auto lucky = Spawn([f = flag.get()] { return f->Wait(); });
  Sleep();
  flag->Set();
  flag->Clear();
  auto unlucky = Spawn([f = flag.get()] { return f->Wait(); });
  auto in_line = Spawn([f = flag.get()] { return f->Wait(); });
  // `lucky` ran already when the others begin to wait; let another be on its way.
  Sleep();
  EXPECT_TRUE(lucky.Ready());
  in_line.Kill();
  flag = nullptr;
  Sleep();
  EXPECT_FALSE(unlucky.Ready());
  unlucky.Kill();
  EXPECT_TRUE(lucky.Wait());

  flag = std::make_unique<Flag>();
  auto on_its_way = Spawn([f = flag.get()] { return f->Wait(); });
  Sleep();
  flag->Set();
  flag = nullptr;
  EXPECT_TRUE(on_its_way.Wait());
}

TEST(Flag, WaitingInAHubCallbackIsRefusedUnlessItIsSet) {
  Flag flag;
  EXPECT_NE(RefusalInHubCallback([&] { flag.Wait(); }).find("hub callback"), std::string::npos);
  auto waiter = Spawn([&] { return flag.Wait(); });
  Sleep();
  InHubCallback([&] {
    flag.Set();
    EXPECT_TRUE(flag.Wait());
  });
  EXPECT_TRUE(waiter.Wait());
}

TEST(Flag, ADeadlockShowsWhoWaitsInIt) {
  OnFreshThread([] {
    Flag flag;
    try {
      flag.Wait();
      ADD_FAILURE();
    } catch (const LoopExit& e) {
      EXPECT_NE(std::string(e.what()).find("waiting in Flag::Wait"), std::string::npos) << e.what();
    }
  });
}

TEST(Flag, B4_4_LinksAreCalledWhenItIsSetBeforeWaitersRunAndOnce) {
  Flag flag;
  std::vector<std::string> order;
  auto waiter = Spawn([&] {
    flag.Wait();
    order.push_back("waiter");
  });
  Sleep();
  flag.Link([&] {
    order.push_back("first link");
    flag.Clear();
  });
  const auto gone = flag.Link([&] { order.push_back("never"); });
  flag.Link([&] { order.push_back("second link"); });
  EXPECT_TRUE(flag.Unlink(gone));
  flag.Set();
  waiter.Join();
  EXPECT_EQ(order, (std::vector<std::string>{"first link", "second link", "waiter"}));
  flag.Set();
  EXPECT_EQ(order.size(), 3u);
  EXPECT_EQ(flag.Link([&] { order.push_back("at once"); }), 0u);
  EXPECT_EQ(order.back(), "at once");
}

TEST(Flag, B4_4_AnErringLinkIsReportedAndLaterOnesAreCalled) {
  Reports reports;
  Flag flag;
  bool later = false;
  flag.Link([] { throw std::runtime_error("boom"); });
  flag.Link([&] { later = true; });
  flag.Set();
  EXPECT_TRUE(later);
  EXPECT_EQ(reports.texts,
            (std::vector<std::string>{"a link of a Flag: std::runtime_error: boom"}));
}

TEST(Flag, B4_3_OnAnotherThreadEveryCallIsRefused) {
  Flag flag;
  std::thread([&] {
    EXPECT_THROW(flag.Set(), std::logic_error);
    EXPECT_THROW(flag.Clear(), std::logic_error);
    EXPECT_THROW(flag.Wait(), std::logic_error);
    EXPECT_THROW(flag.Ready(), std::logic_error);
    EXPECT_THROW(flag.Link([] {}), std::logic_error);
    EXPECT_THROW(Flag::Remote{flag}, std::logic_error);
  }).join();
  EXPECT_FALSE(flag.Ready());
}

TEST(Flag, B4_3_ARemoteSetsAndClearsItFromAnyThreadInOrder) {
  OnFreshThread([] {
    Flag flag;
    Flag done;
    auto waiter = Spawn([&] { return flag.Wait(); });
    Sleep();  // it waits before anything is sent
    std::jthread setter([remote = Flag::Remote(flag), finished = Flag::Remote(done)] {
      EXPECT_TRUE(remote.Set());
      EXPECT_TRUE(remote.Clear());
      EXPECT_TRUE(finished.Set());
    });
    // Would be a LoopExit if nobody but a green thread could set it.
    EXPECT_TRUE(done.Wait());
    EXPECT_TRUE(waiter.Wait());
    EXPECT_FALSE(flag.Ready());
    setter.join();
  });
}

TEST(Flag, B4_3_WithoutARemoteLeftADeadlockIsSeenAgain) {
  OnFreshThread([] {
    Flag flag;
    std::optional<Flag::Remote> remote(flag);
    std::jthread dropper([gone = std::move(*remote)] {});
    remote.reset();
    EXPECT_THROW(flag.Wait(), LoopExit);
    dropper.join();
  });
}

TEST(Flag, B4_3_ARemoteMayOutliveTheFlagAndItsHub) {
  std::optional<Flag::Remote> kept;
  OnFreshThread([&] {
    {
      Flag flag;
      kept.emplace(flag);
    }
    EXPECT_TRUE(kept->Set());
    Sleep();
  });
  EXPECT_FALSE(kept->Set());
  EXPECT_FALSE(kept->Clear());
}

}  // namespace
}  // namespace verdant
