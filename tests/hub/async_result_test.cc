#include "hub/async_result.h"

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "hub/errors.h"
#include "tests/hub/manual_clock.h"
#include "tests/hub/sync_testing.h"

namespace verdant {
namespace {

std::exception_ptr Boom() { return std::make_exception_ptr(std::runtime_error("boom")); }

TEST(AsyncResult, B4_2_SetNeverYieldsAndAllWhoWaitGetItInTheOrderTheyCame) {
  AsyncResult<int> result;
  std::vector<int> order;
  std::vector<GreenThread<void>> waiters;
  for (int i = 1; i <= 1000; ++i) {
    waiters.push_back(Spawn([&, i] { order.push_back(result.Get() * i); }));
  }
  Sleep();
  result.Set(2);
  order.push_back(0);
  JoinAll(waiters);
  ASSERT_EQ(order.size(), 1001u);
  for (int i = 0; i <= 1000; ++i) EXPECT_EQ(order[i], 2 * i);
  EXPECT_EQ(result.Get(), 2);
  EXPECT_EQ(result.Get(absl::ZeroDuration()), 2);
}

TEST(AsyncResult, B4_2_StateCanBeAskedWithoutWaiting) {
  AsyncResult<std::string> result;
  EXPECT_FALSE(result.Ready());
  EXPECT_FALSE(result.Successful());
  EXPECT_EQ(result.TryGet(), std::nullopt);
  EXPECT_EQ(result.Poll(), std::nullopt);
  EXPECT_EQ(result.Error(), nullptr);
  result.Set("text");
  EXPECT_TRUE(result.Ready());
  EXPECT_TRUE(result.Successful());
  EXPECT_EQ(result.TryGet(), "text");
  EXPECT_EQ(result.Poll(), "text");
  EXPECT_EQ(result.Error(), nullptr);
  result.SetException(Boom());
  EXPECT_TRUE(result.Ready());
  EXPECT_FALSE(result.Successful());
  EXPECT_THROW(result.TryGet(), std::runtime_error);
  EXPECT_EQ(result.Poll(), std::nullopt);
  EXPECT_EQ(DescribeException(result.Error()), "std::runtime_error: boom");
}

TEST(AsyncResult, B4_2_AnExceptionIsThrownToEveryWaiterEarlyAndLate) {
  AsyncResult<int> result;
  auto early = Spawn([&] { return result.Get(); });
  auto empty_handed = Spawn([&] { return result.Wait(); });
  Sleep();
  result.SetException(Boom());
  EXPECT_THROW(early.Wait(), std::runtime_error);
  EXPECT_EQ(empty_handed.Wait(), std::nullopt);
  EXPECT_THROW(result.Get(), std::runtime_error);
  EXPECT_THROW(result.Get(), std::runtime_error);
  EXPECT_EQ(result.Wait(), std::nullopt);
  EXPECT_THROW(result.SetException(nullptr), std::logic_error);
}

TEST(AsyncResult, B4_2_ASecondSetOverwrites) {
  AsyncResult<int> result;
  result.Set(1);
  result.Set(2);
  EXPECT_EQ(result.Get(), 2);
  result.SetException(Boom());
  EXPECT_THROW(result.Get(), std::runtime_error);
  result.Set(3);
  EXPECT_EQ(result.Get(), 3);
  EXPECT_EQ(result.Error(), nullptr);
}

TEST(AsyncResult, B4_2_AWaiterGetsWhatIsThereWhenItRuns) {
  AsyncResult<int> result;
  auto waiter = Spawn([&] { return result.Get(); });
  Sleep();
  result.Set(1);
  result.Set(2);
  EXPECT_EQ(waiter.Wait(), 2);
}

TEST(AsyncResult, B4_2_ADeadlineThrowsFromGetAndEmptiesWait) {
  WithManualClock([](ManualClock& clock) {
    AsyncResult<int> result;
    try {
      result.Get(absl::Seconds(2));
      ADD_FAILURE();
    } catch (const TimeoutExpired& expired) {
      EXPECT_EQ(expired.after(), absl::Seconds(2));
    }
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(2));
    EXPECT_EQ(result.Wait(absl::Seconds(1)), std::nullopt);
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(3));
    EXPECT_THROW(result.Get(absl::ZeroDuration()), TimeoutExpired);
    result.Set(7);
    EXPECT_EQ(result.Wait(absl::Seconds(1)), 7);
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(3));
  });
}

TEST(AsyncResult, B4_2_AResultAfterTheDeadlineButBeforeTheWaiterRanArrives) {
  WithManualClock([](ManualClock&) {
    AsyncResult<int> result;
    auto waiter = Spawn([&] { return result.Get(absl::Seconds(1)); });
    Sleep();
    Hub::Current().ScheduleCall(absl::Seconds(1), [&] { result.Set(5); });
    EXPECT_EQ(waiter.Wait(), 5);
  });
}

TEST(AsyncResult, B4_2_OfVoidIsTheMereFact) {
  AsyncResult<void> result;
  EXPECT_FALSE(result.TryGet());
  auto waiter = Spawn([&] { result.Get(); });
  Sleep();
  EXPECT_FALSE(waiter.Ready());
  result.Set();
  waiter.Wait();
  EXPECT_TRUE(result.TryGet());
  EXPECT_TRUE(result.Wait());
}

TEST(AsyncResult, B4_2_FollowsAGreenThreadToItsResult) {
  AsyncResult<long> result;
  auto thread = Spawn([] {
    Sleep();
    return 42;
  });
  result.Follow(thread);
  EXPECT_FALSE(result.Ready());
  EXPECT_EQ(result.Get(), 42);
  EXPECT_EQ(thread.Wait(), 42);

  AsyncResult<int> late;
  late.Follow(thread);
  EXPECT_EQ(late.TryGet(), 42) << "it has ended already";

  AsyncResult<void> fact;
  fact.Follow(Spawn([] {}));
  fact.Get();
}

TEST(AsyncResult, B4_2_FollowsAGreenThreadToItsErrorWhichCountsAsSeen) {
  Reports reports;
  AsyncResult<int> result;
  result.Follow(Spawn([]() -> int { throw std::runtime_error("mine"); }));
  EXPECT_THROW(result.Get(), std::runtime_error);
  auto killed = Spawn([] { return 1; });
  result.Follow(killed);
  killed.Kill();
  EXPECT_THROW(result.Get(), GreenletExit);
  EXPECT_TRUE(reports.texts.empty());
}

TEST(AsyncResult, B4_2_OneGoneBeforeTheGreenThreadItFollowsDoesNoHarm) {
  auto result = std::make_unique<AsyncResult<int>>();
  auto thread = Spawn([] { return 1; });
  result->Follow(thread);
  result = nullptr;
  EXPECT_EQ(thread.Wait(), 1);
}

TEST(AsyncResult, KilledAndTimedOutWaitersLeaveTheOthersTheirResult) {
  WithManualClock([](ManualClock&) {
    AsyncResult<int> result;
    auto killed = Spawn([&] { return result.Get(); });
    auto timed_out = Spawn([&] { return result.Get(absl::Seconds(1)); });
    auto interrupted = Spawn([&] {
      const Timeout timeout(absl::Seconds(2));
      return result.Get();
    });
    auto patient = Spawn([&] { return result.Get(); });
    Sleep();
    killed.Kill();
    Sleep(absl::Seconds(3));
    result.Set(1);
    EXPECT_THROW(killed.Wait(), GreenletExit);
    EXPECT_THROW(timed_out.Wait(), TimeoutExpired);
    EXPECT_THROW(interrupted.Wait(), TimeoutExpired);
    EXPECT_EQ(patient.Wait(), 1);
  });
}

TEST(AsyncResult, WhoWasWokenGetsItEvenIfTheAsyncResultIsGone) {
  auto result = std::make_unique<AsyncResult<std::string>>();
  auto woken = Spawn([r = result.get()] { return r->Get(); });
  Sleep();
  result->Set("still there");
  result = nullptr;
  EXPECT_EQ(woken.Wait(), "still there");

  result = std::make_unique<AsyncResult<std::string>>();
  auto stuck = Spawn([r = result.get()] { return r->Get(); });
  Sleep();
  result = nullptr;
  Sleep();
  EXPECT_FALSE(stuck.Ready());
  stuck.Kill();
}

TEST(AsyncResult, WaitingInAHubCallbackIsRefusedUnlessItIsThere) {
  AsyncResult<int> result;
  EXPECT_NE(RefusalInHubCallback([&] { result.Get(); }).find("hub callback"), std::string::npos);
  EXPECT_NE(RefusalInHubCallback([&] { result.Wait(); }).find("hub callback"), std::string::npos);
  InHubCallback([&] {
    result.Set(3);
    EXPECT_EQ(result.Get(), 3);
  });
}

TEST(AsyncResult, B4_4_LinksAreCalledWhenItIsSetAndOnlyOnce) {
  AsyncResult<int> result;
  std::vector<std::string> order;
  auto waiter = Spawn([&] { order.push_back("waiter " + std::to_string(result.Get())); });
  Sleep();
  result.Link([&] { order.push_back("link " + std::to_string(*result.Poll())); });
  const auto gone = result.Link([&] { order.push_back("never"); });
  EXPECT_TRUE(result.Unlink(gone));
  EXPECT_FALSE(result.Unlink(gone));
  result.Set(1);
  result.Set(2);
  waiter.Join();
  EXPECT_EQ(order, (std::vector<std::string>{"link 1", "waiter 2"}));
  EXPECT_EQ(result.Link([&] { order.push_back("at once"); }), 0u);
  EXPECT_EQ(order.back(), "at once");
}

TEST(AsyncResult, B4_4_AnErringLinkIsReportedAndLaterOnesAreCalled) {
  Reports reports;
  AsyncResult<int> result;
  bool later = false;
  result.Link([] { throw std::runtime_error("boom"); });
  result.Link([&] { later = true; });
  result.SetException(Boom());
  EXPECT_TRUE(later);
  EXPECT_EQ(reports.texts,
            (std::vector<std::string>{"a link of an AsyncResult: std::runtime_error: boom"}));
}

TEST(AsyncResult, B4_3_OnAnotherThreadEveryCallIsRefused) {
  AsyncResult<int> result;
  std::thread([&] {
    EXPECT_THROW(result.Set(1), std::logic_error);
    EXPECT_THROW(result.SetException(Boom()), std::logic_error);
    EXPECT_THROW(result.Get(), std::logic_error);
    EXPECT_THROW(result.TryGet(), std::logic_error);
    EXPECT_THROW(result.Wait(), std::logic_error);
    EXPECT_THROW(result.Ready(), std::logic_error);
    EXPECT_THROW(result.Link([] {}), std::logic_error);
    EXPECT_THROW(AsyncResult<int>::Remote{result}, std::logic_error);
  }).join();
  EXPECT_FALSE(result.Ready());
}

TEST(AsyncResult, B4_3_ARemoteSetsItFromAnyThread) {
  OnFreshThread([] {
    AsyncResult<std::string> result;
    std::jthread setter([remote = AsyncResult<std::string>::Remote(result)] {
      EXPECT_TRUE(remote.Set("from afar"));
    });
    EXPECT_EQ(result.Get(), "from afar");
    setter.join();
    AsyncResult<std::string> failure;
    std::jthread failer([remote = AsyncResult<std::string>::Remote(failure)] {
      EXPECT_THROW(remote.SetException(nullptr), std::logic_error);
      EXPECT_TRUE(remote.SetException(Boom()));
    });
    EXPECT_THROW(failure.Get(), std::runtime_error);
    failer.join();
  });
}

TEST(AsyncResult, B4_3_CopiesOfARemoteMaySetItFromManyThreadsAndTheLastCounts) {
  OnFreshThread([] {
    AsyncResult<int> result;
    std::vector<std::thread> setters;
    {
      const AsyncResult<int>::Remote remote(result);
      for (int i = 1; i <= 4; ++i) {
        setters.emplace_back([copy = remote, i] {
          for (int round = 0; round < 100; ++round) EXPECT_TRUE(copy.Set(i));
        });
      }
    }
    EXPECT_GT(result.Get(), 0);
    for (std::thread& setter : setters) setter.join();
    AsyncResult<void> last;
    AsyncResult<void>::Remote(last).Set();
    last.Get();
    EXPECT_GT(result.Get(), 0);
  });
}

TEST(AsyncResult, B4_3_WithoutARemoteLeftADeadlockIsSeenAgain) {
  OnFreshThread([] {
    AsyncResult<int> result;
    std::optional<AsyncResult<int>::Remote> remote(result);
    std::jthread dropper([gone = std::move(*remote)] {});
    remote.reset();
    try {
      result.Get();
      ADD_FAILURE();
    } catch (const LoopExit& e) {
      EXPECT_NE(std::string(e.what()).find("waiting in AsyncResult::Get"), std::string::npos);
    }
    dropper.join();
  });
}

TEST(AsyncResult, B4_3_ARemoteMayOutliveTheAsyncResultAndItsHub) {
  const auto value = std::make_shared<int>(1);
  std::optional<AsyncResult<std::shared_ptr<int>>::Remote> kept;
  OnFreshThread([&] {
    {
      AsyncResult<std::shared_ptr<int>> result;
      kept.emplace(result);
    }
    EXPECT_TRUE(kept->Set(value));
    Sleep();
    Sleep(absl::Milliseconds(1));
    EXPECT_EQ(value.use_count(), 1);
  });
  EXPECT_FALSE(kept->Set(value));
  EXPECT_EQ(value.use_count(), 1);
}

}  // namespace
}  // namespace verdant
