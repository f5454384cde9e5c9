// Links that block, and what is thrown in those who run them.

#include <stdexcept>
#include <string>
#include <vector>

#include "greenlet/local.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/sleep.h"
#include "hub/timeout.h"
#include "tests/hub/green_thread_testing.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

TEST(Link, MayBlock) {
  std::vector<int> order;
  auto green = Spawn([] { Sleep(); });
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
  // Who waited before the links began is woken after them.
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
  EXPECT_TRUE(green.Dead());

  // One that comes while they run finds a result and does not wait.
  order.clear();
  auto other = Spawn([] { return 7; });
  Event<> go_on;
  other.Link([&] {
    go_on.Wait();
    order.push_back(1);
  });
  Sleep();
  EXPECT_EQ(other.Wait(), 7);
  EXPECT_FALSE(other.Dead());
  order.push_back(2);
  go_on.Send();
  Sleep();
  EXPECT_TRUE(other.Dead());
  EXPECT_EQ(order, (std::vector<int>{2, 1}));
}

TEST(Link, A1_10_OneThatBlocksIsEndedByAKillAndTheOthersRun) {
  WithManualClock([](ManualClock& clock) {
    Reports reports;
    std::vector<std::string> order;
    auto green = Spawn([] {
      Sleep();
      return 4;
    });
    Event<> never;
    green.Link([&] {
      const bool killed = !WithTimeout(absl::Hours(1), [&] { never.Wait(); });
      order.emplace_back(killed ? "timed out" : "sent");
    });
    green.Link([&] { order.emplace_back("second"); });
    auto joiner = Spawn([&] { green.Join(); });
    Sleep();
    Sleep();
    ASSERT_TRUE(green.Ready());
    ASSERT_FALSE(green.Dead());
    EXPECT_FALSE(joiner.Ready());
    green.Kill();
    EXPECT_TRUE(green.Dead());
    EXPECT_EQ(order, std::vector<std::string>{"second"});
    EXPECT_TRUE(joiner.Join(Deadline(absl::Seconds(1))));
    EXPECT_EQ(clock.SinceStart(), absl::ZeroDuration());
    // It had ended as it had, and who ends a link silently need not hear of it.
    EXPECT_EQ(green.Wait(), 4);
    EXPECT_EQ(reports.errors, std::vector<std::string>());
    green.Kill();
    EXPECT_EQ(green.Wait(), 4);
  });
}

TEST(Link, A1_10_AnyOtherExceptionThatKillsOneIsReported) {
  Reports reports;
  auto green = Spawn([] {});
  Event<> never;
  green.Link([&] { never.Wait(); });
  Sleep();
  green.KillSoon(Boom());
  EXPECT_FALSE(green.Dead());
  Sleep();
  EXPECT_TRUE(green.Dead());
  EXPECT_TRUE(green.Successful());
  EXPECT_EQ(reports.errors, std::vector<std::string>{"std::runtime_error: boom"});
  EXPECT_EQ(reports.contexts[0].find("a link of green thread"), 0u);
}

TEST(Link, B1_5_KillAndJoinWaitsUntilTheLinksAreOver) {
  WithManualClock([](ManualClock&) {
    auto green = Spawn([] {});
    Event<> never;
    bool last = false;
    green.Link([&] { never.Wait(); });
    green.Link([&] {
      Sleep(absl::Seconds(10));
      last = true;
    });
    Sleep();
    EXPECT_FALSE(green.KillAndJoin(Deadline(absl::Seconds(1))));
    EXPECT_FALSE(last);
    EXPECT_FALSE(green.Dead());
    Sleep(absl::Seconds(10));
    EXPECT_TRUE(last);
    EXPECT_TRUE(green.KillAndJoin());
    EXPECT_TRUE(green.Dead());

    auto other = Spawn([] {});
    other.Link([&] { never.Wait(); });
    Sleep();
    EXPECT_TRUE(other.KillAndJoin(Deadline(absl::Seconds(1))));
    EXPECT_TRUE(other.Dead());
  });
}

TEST(Link, A1_10_AKillFromWithinEndsThatLinkAndWhatComesTooLateForAllIsForgotten) {
  WithManualClock([](ManualClock&) {
    Reports reports;
    static bool released;
    released = false;
    struct SlowToGo {
      ~SlowToGo() {
        Sleep(absl::Seconds(1));
        released = true;
      }
    };
    static GreenLocal<SlowToGo> local;
    std::vector<int> order;
    auto green = Spawn([] { local.Get(); });
    green.Link([&] {
      order.push_back(1);
      green.Kill();
      order.push_back(-1);
    });
    green.Link([&] {
      order.push_back(2);
      green.KillSoon();  // by the next link that blocks; there is none
    });
    green.Join();
    EXPECT_EQ(order, (std::vector<int>{1, 2}));
    EXPECT_TRUE(released);
    EXPECT_EQ(reports.errors, std::vector<std::string>());
  });
}

TEST(Link, A1_8_Decision6_ATimeoutOrAGreenletExitOfItsOwnStaysInTheLink) {
  for (const bool ended : {false, true}) {
    Reports reports;
    auto green = Spawn([] { return 1; });
    if (ended) green.Wait();
    green.Link([] { throw TimeoutExpired(0, absl::Seconds(3)); });
    green.Link([] { throw GreenletExit(); });
    int called = 0;
    green.Link([&] { ++called; });
    EXPECT_EQ(green.Wait(), 1);
    EXPECT_EQ(called, 1);
    EXPECT_EQ(reports.errors, std::vector<std::string>{"verdant::TimeoutExpired"});
  }
}

TEST(Link, A1_8_WhatIsAimedAtTheLinkerWhileALinkRunsAtOnceIsThrownInIt) {
  WithManualClock([](ManualClock&) {
    Reports reports;
    auto ended = Spawn([] {});
    ended.Wait();
    Event<> never;
    const auto blocks = [&] { never.Wait(); };
    EXPECT_FALSE(WithTimeout(absl::Seconds(1), [&] { ended.Link(blocks); }));
    for (const auto& exception : {std::make_exception_ptr(GreenletExit()), Boom()}) {
      auto linker = Spawn([&] { ended.Link(blocks); });
      Sleep();
      linker.Kill(exception);
      EXPECT_EQ(linker.Error(), exception);
    }
    auto killed_by_itself = Spawn([&] { ended.Link([] { CurrentGreenThread().Kill(); }); });
    EXPECT_THROW(killed_by_itself.Wait(), GreenletExit);
    EXPECT_EQ(reports.errors, std::vector<std::string>());
    // In a hub callback nothing is aimed at anybody.
    Hub::Current().Post([&] { ended.Link([] { throw TimeoutExpired(0, absl::Seconds(3)); }); });
    Sleep(absl::Seconds(1));
    EXPECT_EQ(reports.errors.size(), 1u);
  });
}

}  // namespace
}  // namespace verdant
