#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/handle.h"
#include "tests/hub/green_thread_testing.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

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

TEST(Kill, B1_5_SoonNeverWaitsAndTakesItsTurn) {
  std::vector<std::string> order;
  auto sleeper = Spawn([&] {
    try {
      Sleep(absl::Hours(1));
    } catch (const GreenletExit&) {
      order.emplace_back("killed");
      throw;
    }
  });
  Sleep();
  auto other = Spawn([&] { order.emplace_back("other"); });
  sleeper.KillSoon();
  order.emplace_back("killer");
  EXPECT_FALSE(sleeper.Ready());
  JoinAll(std::vector<AnyGreenThread>{sleeper, other});
  EXPECT_EQ(order, (std::vector<std::string>{"killer", "other", "killed"}));
  EXPECT_TRUE(sleeper.Killed());
  sleeper.KillSoon();  // ended: nothing
  sleeper.KillSoon(Boom());
  EXPECT_TRUE(sleeper.Killed());
}

TEST(Kill, B1_5_SoonOfOneNotStartedOrNotEvenPending) {
  bool ran = false;
  int links = 0;
  auto queued = Spawn([&] { ran = true; });
  auto prepared = Prepare([&] { ran = true; });
  queued.Link([&] { ++links; });
  prepared.Link([&] { ++links; });
  queued.KillSoon();
  prepared.KillSoon(Boom());
  EXPECT_EQ(links, 0);
  EXPECT_EQ(prepared.State(), GreenThreadState::kPending);
  EXPECT_THROW(queued.Wait(), GreenletExit);
  EXPECT_THROW(prepared.Wait(), std::runtime_error);
  EXPECT_FALSE(ran);
  EXPECT_EQ(links, 2);
}

TEST(Kill, B1_5_SoonOfOneselfIsThrownByTheNextCallThatBlocks) {
  std::vector<int> order;
  auto green = Spawn([&] {
    CurrentGreenThread().KillSoon();
    order.push_back(1);
    Sleep();
    order.push_back(2);
  });
  EXPECT_THROW(green.Wait(), GreenletExit);
  EXPECT_EQ(order, std::vector<int>{1});
}

TEST(Kill, B1_5_AndJoinWaitsForTheEndUpToADeadline) {
  WithManualClock([](ManualClock& clock) {
    auto slow = Spawn([] {
      try {
        Sleep(absl::Hours(1));
      } catch (const GreenletExit&) {
        Sleep(absl::Seconds(3));
        throw;
      }
    });
    Sleep();
    EXPECT_FALSE(slow.KillAndJoin(absl::Seconds(1)));  // silently gives up
    EXPECT_FALSE(slow.Ready());
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(1));
    EXPECT_TRUE(slow.Join());
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(3));
    EXPECT_TRUE(slow.Killed());
    EXPECT_TRUE(slow.KillAndJoin());  // again: nothing to do

    auto green = Spawn([] { Sleep(absl::Hours(1)); });
    Sleep();
    EXPECT_TRUE(green.KillAndJoin(Boom(), absl::Seconds(1)));  // throws nothing here
    EXPECT_EQ(green.State(), GreenThreadState::kFailed);
    EXPECT_FALSE(green.Successful());
    EXPECT_THROW(green.Wait(), std::runtime_error);
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(3));
    EXPECT_EQ(Hub::Current().counts().timers, 0u);
  });
}

TEST(Kill, B1_5_AndJoinOfOneselfThrowsInPlaceAndOfNobodyInAHubCallback) {
  auto self = Spawn([] { CurrentGreenThread().KillAndJoin(Boom()); });
  EXPECT_THROW(self.Wait(), std::runtime_error);
  auto victim = Spawn([] { Sleep(absl::Hours(1)); });
  Sleep();
  std::string what;
  Hub::Current().Post([&] { what = LogicError([&] { victim.KillAndJoin(); }); });
  while (what.empty()) Sleep();
  EXPECT_NE(what.find("hub callback"), std::string::npos) << what;
  Sleep();
  EXPECT_FALSE(victim.Ready());  // it was not even told
  EXPECT_TRUE(victim.KillAndJoin());
}

TEST(Kill, EveryKindFromAnotherThreadIsALogicError) {
  auto green = Spawn([] { Sleep(); });
  OnFreshThread([&] {
    int refused = 0;
    const auto refuse = [&](auto&& call) {
      if (LogicError(call).find("another thread's hub") != std::string::npos) ++refused;
    };
    refuse([&] { green.Kill(); });
    refuse([&] { green.KillSoon(); });
    refuse([&] { green.KillAndJoin(); });
    refuse([&] { green.Cancel(); });
    EXPECT_EQ(refused, 4);
  });
  green.Wait();
  EXPECT_TRUE(green.Successful());
}

TEST(Kill, TheMainGreenletIsKilledWhereItWaits) {
  OnFreshThread([] {
    AnyGreenThread main = CurrentGreenThread();
    auto killer = Spawn([&] { main.Kill(); });
    Event<> event;
    EXPECT_THROW(event.Wait(), GreenletExit);
    EXPECT_FALSE(main.Ready());
    killer.Wait();
  });
}

TEST(Kill, AThousandThatSleepEachByItself) {
  WithManualClock([](ManualClock&) {
    constexpr std::size_t kMany = 1000;
    std::size_t cleaned = 0;
    std::vector<GreenThread<void>> all;
    for (std::size_t i = 0; i < kMany; ++i) {
      all.push_back(Spawn([&] {
        const struct Count {
          std::size_t& cleaned;
          ~Count() { ++cleaned; }
        } count{cleaned};
        Sleep(absl::Hours(1));
      }));
    }
    Sleep();
    EXPECT_EQ(Hub::Current().counts().timers, kMany);
    for (std::size_t i = 0; i < kMany; ++i) {
      all[i].Kill();
      EXPECT_EQ(cleaned, i + 1);
    }
    EXPECT_EQ(Hub::Current().counts().timers, 0u);
    EXPECT_EQ(Hub::Current().counts().green_threads, 1u);
  });
}

}  // namespace
}  // namespace verdant
