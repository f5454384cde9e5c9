#include "hub/shared_event.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "tests/hub/manual_clock.h"
#include "tests/hub/shared_testing.h"

namespace verdant {
namespace {

TEST(SharedEvent, B4_3_GivesEachItsCopyNowAndLater) {
  SharedEvent<std::string> event;
  EXPECT_FALSE(event.Ready());
  EXPECT_EQ(event.Poll(), std::nullopt);
  std::atomic<int> right{0};
  auto wait = [&] { right += event.Wait() == "word" ? 1 : 0; };
  std::vector<TestThread> threads;
  threads.push_back(PlainThread(wait));
  threads.push_back(HubThread(wait));
  auto green = Spawn(wait);
  Sleep();
  threads.push_back(HubThread([&] { event.Send("word"); }));
  green.Wait();
  threads.clear();
  EXPECT_EQ(right, 3);
  EXPECT_EQ(event.Wait(), "word");
  EXPECT_TRUE(event.HasResult());
  EXPECT_FALSE(event.HasException());
  EXPECT_EQ(event.Poll(), "word");
}

TEST(SharedEvent, SendsOnce) {
  SharedEvent<> event;
  event.Send();
  EXPECT_THROW(event.Send(), std::logic_error);
  EXPECT_THROW(event.SendException(std::make_exception_ptr(1)), std::logic_error);
  EXPECT_EQ(event.Wait(Deadline::Never()), false);  // a bool's value unless one is given
  SharedEvent<> other;
  EXPECT_THROW(other.SendException(nullptr), std::logic_error);
}

TEST(SharedEvent, AnExceptionIsThrownInEachWait) {
  SharedEvent<int> event;
  std::atomic<int> thrown{0};
  auto wait = [&] {
    try {
      event.Wait();
    } catch (const std::runtime_error&) {
      ++thrown;
    }
  };
  auto plain = PlainThread(wait);
  auto other = HubThread(wait);
  auto green = Spawn(wait);
  Sleep();
  event.SendException(std::make_exception_ptr(std::runtime_error("boom")));
  green.Wait();
  plain.Join();
  other.Join();
  EXPECT_EQ(thrown, 3);
  EXPECT_TRUE(event.HasException());
  EXPECT_NE(event.PollException(), nullptr);
}

TEST(SharedEvent, ADeadlineComesToNothing) {
  WithManualClock([](ManualClock& clock) {
    SharedEvent<int> event;
    EXPECT_EQ(event.Wait(absl::Seconds(2)), std::nullopt);
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(2));
    event.Send(3);
    EXPECT_EQ(event.Wait(absl::ZeroDuration()), 3);
  });
  PlainThread([] {
    SharedEvent<int> event;
    EXPECT_EQ(event.Wait(absl::Milliseconds(1)), std::nullopt);
    EXPECT_EQ(internal::current_hub, nullptr);
  }).Join();
}

TEST(SharedEvent, OneKilledLeavesTheOthersWaiting) {
  SharedEvent<int> event;
  auto killed = Spawn([&] { return event.Wait(); });
  auto other = Spawn([&] { return event.Wait(); });
  Sleep();
  killed.KillAndJoin();
  event.Send(1);
  EXPECT_EQ(other.Wait(), 1);
  EXPECT_TRUE(killed.Killed());
}

TEST(SharedEvent, WaitersOfOneHubWakeInTheOrderTheyCame) {
  SharedEvent<> event;
  std::vector<int> order;
  std::vector<AnyGreenThread> green;
  for (int i = 0; i < 1000; ++i) {
    green.push_back(Spawn([&, i] {
      event.Wait();
      order.push_back(i);
    }));
  }
  Sleep();
  auto sender = PlainThread([&] { event.Send(); });
  JoinAll(green);
  ASSERT_EQ(order.size(), 1000U);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(SharedEvent, DestroyedUnderItsWaitersItTellsThem) {
  auto event = std::make_unique<SharedEvent<>>();
  auto waiter = Spawn([&event = *event] { event.Wait(); });
  Sleep();
  event.reset();
  EXPECT_THROW(waiter.Wait(), std::logic_error);
}

TEST(SharedEvent, MayBeDestroyedByWhomItWakes) {
  for (int i = 0; i < 100; ++i) {
    auto event = std::make_unique<SharedEvent<int>>();
    auto sender = PlainThread([&event = *event] { event.Send(1); });
    EXPECT_EQ(event->Wait(), 1);
    event.reset();
  }
}

}  // namespace
}  // namespace verdant
