#include "hub/handle.h"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/timeout.h"
#include "tests/hub/green_thread_testing.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

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

TEST(Wait, A1_6_OnOneselfIsALogicErrorThatNamesTheCulprit) {
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

TEST(Wait, B1_6_WithADeadlineThrowsTimeoutExpiredAndJoinSaysFalse) {
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
  EXPECT_NE(plain.find("handle_test.cc:"), std::string::npos) << plain;
  green.SetName("old").SetName("worker");
  EXPECT_NE(green.Description().find(" 'worker' spawned at "), std::string::npos)
      << green.Description();
  green.Wait();
}

TEST(Wait, A1_13_GreenletExitIsThrownByWaitHoweverItEndedTheBody) {
  auto raised = Spawn([]() -> int { throw GreenletExit(); });
  auto killed = Spawn([] {
    Sleep(absl::Hours(1));
    return 1;
  });
  auto unstarted = Prepare([] { return 1; });
  Sleep();
  killed.Kill();
  unstarted.Kill();
  for (const auto* green : {&raised, &killed, &unstarted}) {
    EXPECT_THROW(green->Wait(), GreenletExit);
    EXPECT_THROW(green->Wait(), GreenletExit);
    EXPECT_THROW(green->TryWait(), GreenletExit);
    EXPECT_TRUE(green->Join());
    EXPECT_TRUE(green->Killed());
  }
}

TEST(State, B1_3_AKilledOneIsNeitherASuccessNorAnErrorToReport) {
  Reports reports;
  {
    auto killed = Spawn([] { throw GreenletExit(); });
    Sleep();
    EXPECT_EQ(killed.State(), GreenThreadState::kKilled);
    EXPECT_TRUE(killed.Killed());
    EXPECT_FALSE(killed.Successful());
    EXPECT_NE(killed.Error(), nullptr);
    auto unseen = Spawn([] { throw GreenletExit(); });
    Sleep();
  }
  EXPECT_TRUE(reports.errors.empty());
  auto returned = Spawn([] {});
  auto failed = Spawn([] { throw std::runtime_error("boom"); });
  JoinAll({returned, failed});
  EXPECT_FALSE(returned.Killed());
  EXPECT_FALSE(failed.Killed());
}

TEST(State, B1_2_GoesFromUnstartedToItsEnd) {
  struct Seen {
    GreenThreadState state;
    bool started, alive, ready, dead, successful;
    bool operator==(const Seen&) const = default;
  };
  const auto look = [](const AnyGreenThread& t) {
    return Seen{t.State(), t.Started(), t.Alive(), t.Ready(), t.Dead(), t.Successful()};
  };
  using enum GreenThreadState;
  auto green = Prepare([] {
    Sleep();
    return 7;
  });
  EXPECT_EQ(look(green), (Seen{kUnstarted, false, false, false, false, false}));
  EXPECT_EQ(green.Value(), nullptr);
  green.Start();
  EXPECT_EQ(look(green), (Seen{kPending, false, true, false, false, false}));
  Sleep();
  EXPECT_EQ(look(green), (Seen{kRunning, true, true, false, false, false}));
  EXPECT_EQ(green.Value(), nullptr);
  EXPECT_EQ(green.Error(), nullptr);
  green.Join();
  EXPECT_EQ(look(green), (Seen{kSucceeded, true, false, true, true, true}));
  ASSERT_NE(green.Value(), nullptr);
  EXPECT_EQ(*green.Value(), 7);

  auto failing = Spawn([]() -> int { throw std::runtime_error("boom"); });
  failing.Join();
  EXPECT_EQ(look(failing), (Seen{kFailed, true, false, true, true, false}));
  EXPECT_EQ(failing.Value(), nullptr);
  EXPECT_EQ(DescribeException(failing.Error()), "std::runtime_error: boom");
  auto killed = Spawn([] { Sleep(absl::Hours(1)); });
  Sleep();
  killed.Kill();
  EXPECT_EQ(look(killed), (Seen{kKilled, true, false, true, true, false}));
  auto cancelled = Spawn([] {});
  cancelled.Cancel(Boom());
  EXPECT_EQ(look(cancelled), (Seen{kCancelled, false, false, true, true, false}));
  EXPECT_EQ(CurrentGreenThread().State(), kRunning);
}

TEST(State, B1_2_ReferencesAndMoveOnlyResultsHaveTheirPlace) {
  int variable = 1;
  auto reference = Spawn([&]() -> int& { return variable; });
  auto owner = Spawn([] { return std::make_unique<int>(5); });
  EXPECT_EQ(reference.TryWait(), nullptr);
  EXPECT_EQ(owner.TryWait(), nullptr);
  JoinAll(std::vector<AnyGreenThread>{reference, owner});
  EXPECT_EQ(reference.TryWait(), &variable);
  EXPECT_EQ(reference.Value(), &variable);
  EXPECT_EQ(**owner.TryWait(), 5);
  EXPECT_EQ(owner.Value(), &owner.Wait());
}

TEST(Wait, B1_6_TryWaitNeverWaits) {
  auto green = Spawn([] {
    Sleep();
    return 3;
  });
  auto nothing = Spawn([] {});
  auto failing = Spawn([]() -> int { throw std::runtime_error("boom"); });
  EXPECT_EQ(green.TryWait(), nullptr);
  EXPECT_FALSE(nothing.TryWait());
  EXPECT_EQ(failing.TryWait(), nullptr);
  EXPECT_FALSE(green.Started());  // it did not even yield
  Sleep();
  EXPECT_EQ(green.TryWait(), nullptr);
  EXPECT_TRUE(nothing.TryWait());
  EXPECT_THROW(failing.TryWait(), std::runtime_error);
  Sleep();
  ASSERT_NE(green.TryWait(), nullptr);
  EXPECT_EQ(*green.TryWait(), 3);
  int in_callback = 0;
  Hub::Current().Post([&] { in_callback = green.Wait() + *green.TryWait(); });
  while (in_callback == 0) Sleep();
  EXPECT_EQ(in_callback, 6);  // of one that has ended, where nothing may wait
}

TEST(Wait, B1_6_AThousandWaitersWakeInTheOrderTheyCame) {
  Event<int> event;
  auto worker = Spawn([&] { return event.Wait(); });
  std::vector<int> order;
  std::vector<GreenThread<void>> waiters;
  for (int i = 0; i < 1000; ++i) {
    waiters.push_back(Spawn([&, i] {
      EXPECT_EQ(worker.Wait(), 9);
      order.push_back(i);
    }));
  }
  Sleep();
  Sleep();
  for (std::size_t i = 0; i < 1000; i += 3) waiters[i].KillSoon();
  event.Send(9);
  JoinAll(waiters);
  EXPECT_EQ(order.size(), 666u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(Wait, InAHubCallbackIsALogicErrorUnlessItHasEnded) {
  auto green = Spawn([] { Sleep(absl::Hours(1)); });
  Sleep();
  std::string what;
  Hub::Current().Post([&] { what = LogicError([&] { green.Wait(); }); });
  while (what.empty()) Sleep();
  EXPECT_NE(what.find("hub callback"), std::string::npos) << what;
  green.Kill();
}

TEST(Handle, EverythingOfAnEmptyOneIsRefused) {
  const AnyGreenThread none;
  int refused = 0;
  const auto refuse = [&](auto&& call) {
    if (LogicError(call).find("empty GreenThread handle") != std::string::npos) ++refused;
  };
  refuse([&] { none.Start(); });
  refuse([&] { none.Join(); });
  refuse([&] { none.Kill(); });
  refuse([&] { none.KillSoon(); });
  refuse([&] { none.KillAndJoin(); });
  refuse([&] { none.Cancel(); });
  refuse([&] { none.Link([] {}); });
  refuse([&] { none.Link([](const AnyGreenThread&) {}); });
  refuse([&] { none.LinkException([] {}); });
  refuse([&] { none.Unlink(1); });
  refuse([&] { none.UnlinkAll(); });
  refuse([&] { static_cast<void>(none.HasLinks()); });
  refuse([&] { static_cast<void>(none.State()); });
  refuse([&] { static_cast<void>(none.Alive()); });
  refuse([&] { static_cast<void>(none.Ready()); });
  refuse([&] { static_cast<void>(none.Dead()); });
  refuse([&] { static_cast<void>(none.Killed()); });
  refuse([&] { static_cast<void>(none.Error()); });
  refuse([&] { none.SetName("x"); });
  refuse([&] { static_cast<void>(none.Name()); });
  refuse([&] { static_cast<void>(none.Description()); });
  refuse([&] { static_cast<void>(none.Spawner()); });
  EXPECT_EQ(refused, 22);
}

TEST(Handle, MayOutliveItsThreadAndThenOnlyTells) {
  GreenThread<int> ended;
  GreenThread<void> unstarted;
  AnyGreenThread main;
  OnFreshThread([&] {
    main = CurrentGreenThread();
    ended = Spawn([] { return 3; });
    unstarted = Prepare([] {});
    ended.Join();
  });
  EXPECT_EQ(ended.Wait(), 3);
  EXPECT_EQ(ended.State(), GreenThreadState::kSucceeded);
  ended.Kill();
  EXPECT_FALSE(unstarted.Ready());
  EXPECT_NE(LogicError([&] { unstarted.Join(); }).find("another thread's hub"), std::string::npos);
  EXPECT_THROW(unstarted.Kill(), std::logic_error);
  EXPECT_THROW(ended.Link([] {}), std::logic_error);
  EXPECT_EQ(main.Description(), "the main greenlet");
  EXPECT_EQ(main.Name(), "main");
}

TEST(Name, B1_10_IsNumberedWhenAskedForWithTheSmallestFreeNumber) {
  OnFreshThread([] {
    auto unasked = Spawn([] {});
    auto first = Spawn([] {});
    EXPECT_EQ(first.Name(), "GreenThread-0");
    EXPECT_EQ(first.MinimalIdent(), 0u);
    auto second = Spawn([] {});
    EXPECT_EQ(second.MinimalIdent(), 1u);
    {
      auto third = Spawn([] {});
      EXPECT_EQ(third.Name(), "GreenThread-2");
      third.Join();
      EXPECT_EQ(third.Name(), "GreenThread-2");  // ended, but there is a handle
    }
    first.Join();
    first = GreenThread<void>();
    auto fourth = Spawn([] {});
    auto fifth = Spawn([] {});
    EXPECT_EQ(fourth.MinimalIdent(), 0u);
    EXPECT_EQ(fifth.MinimalIdent(), 2u);
    EXPECT_EQ(unasked.MinimalIdent(), 3u);
    fifth.SetName("mine");
    EXPECT_EQ(fifth.Name(), "mine");
    EXPECT_EQ(CurrentGreenThread().Name(), "main");
    JoinAll({unasked, second, fourth, fifth});
  });
}

TEST(Spawner, B1_11_IsKnownByNumberAndFoundWhileItLives) {
  AnyGreenThread parent;
  GreenThread<void> child;
  unsigned line = 0;
  parent = Spawn([&] {
    child = Spawn([] { Sleep(); });
    line = __LINE__ - 1;
    Sleep();
    Sleep();
  });
  EXPECT_EQ(parent.SpawnerId(), CurrentGreenThread().id());
  EXPECT_EQ(parent.Spawner(), CurrentGreenThread());
  Sleep();
  EXPECT_EQ(child.SpawnerId(), parent.id());
  EXPECT_EQ(child.Spawner(), parent);
  EXPECT_EQ(child.SpawnSite().line(), line);
  EXPECT_NE(std::string(child.SpawnSite().file_name()).find("handle_test.cc"), std::string::npos);
  parent.Join();
  EXPECT_FALSE(child.Spawner());  // it does not keep its spawner
  EXPECT_EQ(child.SpawnerId(), parent.id());
  AnyGreenThread from_hub;
  Hub::Current().Post([&] { from_hub = Spawn([] {}); });
  while (!from_hub) Sleep();
  EXPECT_EQ(from_hub.SpawnerId(), 0u);
  EXPECT_FALSE(from_hub.Spawner());
  from_hub.Join();
}

}  // namespace
}  // namespace verdant
