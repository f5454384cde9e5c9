#include "hub/event.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "tests/hub/manual_clock.h"
#include "tests/hub/sync_testing.h"

namespace verdant {
namespace {

TEST(Event, A2_1_SendNeverYieldsAndWaitersWakeAtTheNextTurn) {
  Event<int> event;
  std::vector<std::string> order;
  auto waiter = Spawn([&] { order.push_back("got " + std::to_string(event.Wait())); });
  Sleep();
  event.Send(7);
  order.push_back("sent");
  waiter.Join();
  EXPECT_EQ(order, (std::vector<std::string>{"sent", "got 7"}));
}

TEST(Event, A2_2_ASecondSendIsALogicError) {
  Event<int> event;
  event.Send(1);
  EXPECT_THROW(event.Send(2), std::logic_error);
  EXPECT_THROW(event.SendException(std::make_exception_ptr(1)), std::logic_error);
  EXPECT_EQ(event.Wait(), 1);
}

TEST(Event, A2_3_ResetNeedsSomethingSentAndMakesItFresh) {
  Event<int> event;
  EXPECT_THROW(event.Reset(), std::logic_error);
  event.Send(1);
  event.Reset();
  EXPECT_FALSE(event.Ready());
  event.Send(2);
  EXPECT_EQ(event.Wait(), 2);
}

TEST(Event, A2_4_AWaiterGetsWhatWasSentToItEvenAfterAReset) {
  Event<int> event;
  int got = 0;
  auto waiter = Spawn([&] { got = event.Wait(); });
  Sleep();
  event.Send(1);
  event.Reset();
  event.Send(2);
  waiter.Join();
  EXPECT_EQ(got, 1);
  EXPECT_EQ(event.Wait(), 2);
}

TEST(Event, A2_5_AnExceptionReachesEveryWaiterEarlyAndLate) {
  Event<int> event;
  int thrown = 0;
  const auto wait = [&] {
    try {
      event.Wait();
    } catch (const std::runtime_error& e) {
      EXPECT_STREQ(e.what(), "sent");
      ++thrown;
    }
  };
  auto a = Spawn(wait);
  auto b = Spawn(wait);
  Sleep();
  event.SendException(std::make_exception_ptr(std::runtime_error("sent")));
  JoinAll({a, b});
  wait();
  wait();
  EXPECT_EQ(thrown, 4);
}

TEST(Event, A2_6_AWaitWithADeadlineGivesNothingWhenItPasses) {
  WithManualClock([](ManualClock& clock) {
    Event<int> event;
    EXPECT_EQ(event.Wait(absl::Seconds(3)), std::nullopt);
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(3));
    event.Send(4);
    EXPECT_EQ(event.Wait(absl::Seconds(3)), 4);
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(3));
  });
}

TEST(Event, AValueSentAfterTheDeadlineButBeforeTheWaiterRanStillArrives) {
  WithManualClock([](ManualClock&) {
    Event<int> event;
    // Both timers are due at once; the sender's callback comes second, before any green thread
    // runs.
    std::optional<int> got;
    auto waiter = Spawn([&] { got = event.Wait(absl::Seconds(1)); });
    Sleep();
    Hub::Current().ScheduleCall(absl::Seconds(1), [&] { event.Send(5); });
    waiter.Join();
    EXPECT_EQ(got, 5);
  });
}

TEST(Event, A2_7_StateCanBeAskedWithoutWaiting) {
  Event<int> event;
  EXPECT_FALSE(event.Ready());
  EXPECT_FALSE(event.HasResult());
  EXPECT_FALSE(event.HasException());
  EXPECT_EQ(event.Poll(), std::nullopt);
  EXPECT_EQ(event.PollException(), nullptr);
  event.Send(3);
  EXPECT_TRUE(event.Ready());
  EXPECT_TRUE(event.HasResult());
  EXPECT_EQ(event.Poll(), 3);
  event.Reset();
  event.SendException(std::make_exception_ptr(std::runtime_error("x")));
  EXPECT_TRUE(event.HasException());
  EXPECT_FALSE(event.HasResult());
  EXPECT_EQ(event.Poll(), std::nullopt);
  EXPECT_NE(event.PollException(), nullptr);
}

TEST(Event, A2_7_TryWaitGivesWhatWaitWouldWithoutWaiting) {
  Event<int> event;
  EXPECT_EQ(event.TryWait(), std::nullopt);
  event.Send(3);
  EXPECT_EQ(event.TryWait(), 3);
  EXPECT_EQ(event.TryWait(), 3);
  event.Reset();
  EXPECT_EQ(event.TryWait(), std::nullopt);
  event.SendException(std::make_exception_ptr(std::runtime_error("x")));
  EXPECT_THROW(event.TryWait(), std::runtime_error);
  EXPECT_THROW(event.TryWait(), std::runtime_error);
  // In a hub callback as well, where Wait() could not.
  Event<int> fresh;
  InHubCallback([&] { EXPECT_EQ(fresh.TryWait(), std::nullopt); });
}

TEST(Event, A2_8_WaitersWakeInTheOrderTheyCame) {
  Event<> event;
  std::vector<int> order;
  std::vector<GreenThread<void>> waiters;
  for (int i = 0; i < 5; ++i) {
    waiters.push_back(Spawn([&, i] {
      event.Wait();
      order.push_back(i);
    }));
  }
  Sleep();
  event.Send();
  JoinAll(waiters);
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(Event, AKilledWaiterLeavesTheOthersTheirTurn) {
  Event<int> event;
  int got = 0;
  auto killed = Spawn([&] { event.Wait(); });
  auto waiter = Spawn([&] { got = event.Wait(); });
  Sleep();
  killed.Kill();
  event.Send(9);
  waiter.Join();
  EXPECT_EQ(got, 9);
  EXPECT_THROW(killed.Wait(), GreenletExit);
}

TEST(Event, OneKilledAfterTheSendStillEndsByTheKill) {
  Event<int> event;
  bool returned = false;
  auto waiter = Spawn([&] {
    event.Wait();
    returned = true;
  });
  Sleep();
  event.Send(1);
  waiter.Kill();
  EXPECT_FALSE(returned);
}

TEST(Event, ItsWaitersMayOutliveIt) {
  auto event = std::make_unique<Event<int>>();
  auto waiter = Spawn([&event = *event] { event.Wait(); });
  Sleep();
  event = nullptr;
  Sleep();
  EXPECT_FALSE(waiter.Ready());
  waiter.Kill();
  EXPECT_TRUE(waiter.Ready());
}

TEST(Event, ATimeoutTakenBackBeforeItIsThrownDoesNotEndTheWait) {
  WithManualClock([](ManualClock&) {
    Event<int> event;
    Timeout* patience = nullptr;
    auto waiter = Spawn([&] {
      Timeout timeout(absl::Seconds(1));
      patience = &timeout;
      return event.Wait();
    });
    Sleep();
    // Runs after the Timeout fired, before the waiter does.
    Hub::Current().ScheduleCall(absl::Seconds(1), [&] {
      EXPECT_TRUE(patience->Fired());
      patience->Cancel();
    });
    Hub::Current().ScheduleCall(absl::Seconds(5), [&] { event.Send(11); });
    EXPECT_EQ(waiter.Wait(), 11);
  });
}

TEST(Event, AValueThatArrivesBesideATimeoutTakenBackIsNotLost) {
  WithManualClock([](ManualClock&) {
    Event<int> event;
    Timeout* patience = nullptr;
    auto waiter = Spawn([&] {
      Timeout timeout(absl::Seconds(1));
      patience = &timeout;
      return event.Wait();
    });
    Sleep();
    Hub::Current().ScheduleCall(absl::Seconds(1), [&] {
      event.Send(12);
      patience->Cancel();
    });
    EXPECT_EQ(waiter.Wait(), 12);
  });
}

TEST(Event, SendingToAWaiterOfAnotherThreadIsRefused) {
  Event<int> event;
  auto waiter = Spawn([&] { return event.Wait(); });
  Sleep();
  std::thread([&] { EXPECT_THROW(event.Send(1), std::logic_error); }).join();
  waiter.Kill();
}

TEST(Event, OneRefusedToAnotherThreadIsStillFreshAndItsWaiterStillWaits) {
  Event<int> event;
  auto waiter = Spawn([&] { return event.Wait(); });
  Sleep();
  event.Link([] {});
  std::thread([&] { EXPECT_THROW(event.Send(1), std::logic_error); }).join();
  EXPECT_FALSE(event.Ready());
  event.Send(2);
  EXPECT_EQ(waiter.Wait(), 2);
}

TEST(Event, WithLinksButNoWaitersAnotherThreadsSendIsRefusedToo) {
  Event<int> event;
  int called = 0;
  event.Link([&] { ++called; });
  std::thread([&] { EXPECT_THROW(event.Send(1), std::logic_error); }).join();
  EXPECT_FALSE(event.Ready());
  EXPECT_EQ(called, 0);
}

TEST(Event, A2_1_MaySendInAHubCallbackWhereWaitingIsRefused) {
  Event<int> event;
  EXPECT_NE(RefusalInHubCallback([&] { event.Wait(); }).find("hub callback"), std::string::npos);
  auto waiter = Spawn([&] { return event.Wait(); });
  Sleep();
  InHubCallback([&] {
    event.Send(3);
    EXPECT_EQ(event.Wait(), 3) << "there is nothing to wait for";
  });
  EXPECT_EQ(waiter.Wait(), 3);
}

TEST(Event, A2_3_WaitersOfBeforeAndAfterTheResetGetEachTheirOwn) {
  Event<int> event;
  auto before = Spawn([&] { return event.Wait(); });
  Sleep();
  event.Send(1);
  event.Reset();
  auto after = Spawn([&] { return event.Wait(); });
  Sleep();
  EXPECT_EQ(before.Wait(), 1);
  EXPECT_FALSE(after.Ready());
  event.SendException(std::make_exception_ptr(std::runtime_error("second")));
  EXPECT_THROW(after.Wait(), std::runtime_error);
}

TEST(Event, A2_6_OnceSentAWaitReturnsAtOnce) {
  Event<int> event;
  event.Send(1);
  bool yielded = false;
  SpawnN([&] { yielded = true; });
  EXPECT_EQ(event.Wait(), 1);
  EXPECT_EQ(event.Wait(absl::ZeroDuration()), 1);
  EXPECT_FALSE(yielded);
  Sleep();
}

TEST(Event, A2_8_AThousandWaitersWakeInTheOrderTheyCameButForThoseThatLeft) {
  WithManualClock([](ManualClock&) {
    Event<> event;
    std::vector<int> order;
    std::vector<GreenThread<void>> waiters;
    for (int i = 0; i < 1000; ++i) {
      waiters.push_back(Spawn([&, i] {
        if (event.Wait(i % 3 == 1 ? Deadline(absl::Seconds(1)) : Deadline::Never())) {
          order.push_back(i);
        }
      }));
    }
    Sleep();
    for (int i = 2; i < 1000; i += 3) waiters[i].Kill();
    Sleep(absl::Seconds(2));
    event.Send();
    JoinAll(waiters);
    ASSERT_EQ(order.size(), 334u);
    for (int i = 0; i < 334; ++i) EXPECT_EQ(order[i], 3 * i);
  });
}

TEST(Event, B4_4_LinksAreCalledInOrderWhenItIsSentBeforeWaitersRun) {
  Event<int> event;
  std::vector<std::string> order;
  auto waiter = Spawn([&] { order.push_back("waiter " + std::to_string(event.Wait())); });
  Sleep();
  event.Link([&] { order.push_back("first " + std::to_string(*event.Poll())); });
  const auto gone = event.Link([&] { order.push_back("never"); });
  event.Link([&] { order.push_back("second"); });
  EXPECT_TRUE(event.Unlink(gone));
  EXPECT_FALSE(event.Unlink(gone));
  event.Send(1);
  order.push_back("sent");
  waiter.Join();
  EXPECT_EQ(order, (std::vector<std::string>{"first 1", "second", "sent", "waiter 1"}));
  EXPECT_EQ(event.Link([&] { order.push_back("at once"); }), 0u);
  EXPECT_EQ(order.back(), "at once");
}

TEST(Event, B4_4_AnErringLinkIsReportedAndNeitherLinksNorWaitersMissAnything) {
  Reports reports;
  Event<int> event;
  auto waiter = Spawn([&] { return event.Wait(); });
  Sleep();
  bool later = false;
  event.Link([] { throw std::runtime_error("boom"); });
  event.Link([&] { later = true; });
  event.Send(1);
  EXPECT_TRUE(later);
  EXPECT_EQ(waiter.Wait(), 1);
  EXPECT_EQ(reports.texts,
            (std::vector<std::string>{"a link of an Event: std::runtime_error: boom"}));
}

TEST(Event, B4_4_ALinkMayResetItAndTheOthersAreCalledAllTheSame) {
  Event<int> event;
  std::vector<int> called;
  event.Link([&] {
    called.push_back(1);
    event.Reset();
    event.Link([&] { called.push_back(3); });
  });
  event.Link([&] { called.push_back(2); });
  event.Send(1);
  EXPECT_EQ(called, (std::vector<int>{1, 2}));
  event.Send(2);
  EXPECT_EQ(called, (std::vector<int>{1, 2, 3}));
}

TEST(Event, B4_4_ALinkMayDestroyIt) {
  auto event = std::make_unique<Event<int>>();
  auto waiter = Spawn([e = event.get()] { return e->Wait(); });
  Sleep();
  event->Link([&] { event = nullptr; });
  event->Link([] { ADD_FAILURE() << "gone with the event"; });
  event->Send(4);
  EXPECT_EQ(event, nullptr);
  EXPECT_EQ(waiter.Wait(), 4);
}

TEST(Event, CarriesMoveOnlyOwnersAsSharedPointers) {
  Event<std::shared_ptr<std::string>> event;
  event.Send(std::make_shared<std::string>("text"));
  EXPECT_EQ(*event.Wait(), "text");
}

}  // namespace
}  // namespace verdant
