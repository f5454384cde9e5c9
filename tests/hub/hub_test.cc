#include "hub/hub.h"

#include <sys/resource.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "greenlet/greenlet.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

TEST(Hub, A12_1_B8_1_OnePerThreadMadeOnFirstUse) {
  Hub* here = &Hub::Current();
  EXPECT_EQ(here, &Hub::Current());
  OnFreshThread([&] { EXPECT_NE(here, &Hub::Current()); });
  EXPECT_THROW(Hub::Configure({}), std::logic_error);
}

TEST(Hub, ConfigureAppliesToTheCallingThread) {
  OnFreshThread([] {
    Hub::Configure({.stack_size = 128 * 1024});
    const std::size_t reserved = GetStackStats().reserved;
    Spawn([] {}).Wait();
    EXPECT_EQ((GetStackStats().reserved - reserved) % (128 * 1024), 0u);
    EXPECT_EQ(Hub::Current().options().stack_size, 128u * 1024);
  });
}

TEST(Hub, B8_6_SaysWhatTimeItIsAndWhatItPollsWith) {
  WithManualClock(
      [](ManualClock& clock) {
        Hub& hub = Hub::Current();
        const std::int64_t began = hub.NowNanos();
        EXPECT_EQ(began, clock.NowNanos());
        Sleep(absl::Seconds(5));
        EXPECT_EQ(hub.NowNanos() - began, 5000000000);
        EXPECT_EQ(hub.poller(), "poll");
      },
      {.poller = "poll"});
}

TEST(Hub, OneThatCannotBeMadeLeavesTheThreadWithoutOne) {
  OnFreshThread([] {
    rlimit before;
    getrlimit(RLIMIT_NOFILE, &before);
    rlimit none = before;
    none.rlim_cur = 3;
    setrlimit(RLIMIT_NOFILE, &none);
    for (int i = 0; i < 2; ++i) EXPECT_THROW(Hub::Current(), std::runtime_error);
    setrlimit(RLIMIT_NOFILE, &before);
    EXPECT_EQ(Spawn([] { return 1; }).Wait(), 1);
  });
}

TEST(Hub, MainIsTheThreadsMainEvenIfAGreenletUsesTheHubFirst) {
  OnFreshThread([] {
    Greenlet([] { Sleep(); }).Switch();
    EXPECT_EQ(CurrentGreenThread().Description(), "the main greenlet");
    Event<> never;
    EXPECT_THROW(never.Wait(), LoopExit);
  });
}

TEST(Hub, A12_11_ItEndsWithItsThreadAndDropsWhatWasStillToCome) {
  auto token = std::make_shared<int>(0);
  OnFreshThread([&] {
    auto parked = Spawn([] { Sleep(absl::Hours(1)); });
    Sleep();
    auto unstarted = Spawn([token] {});
    SpawnN([token] {});
    auto later = SpawnAfter(absl::Hours(1), [token] {});
    Hub::Current().ScheduleCall(absl::Hours(1), [token] {});
    Hub::Current().Post([token] {});
  });
  EXPECT_EQ(token.use_count(), 1);
}

TEST(Wake, B8_7_OfATaskThatIsNotParkedDoesNothing) {
  Hub& hub = Hub::Current();
  internal::Task* task = nullptr;
  std::vector<std::string> order;
  auto green = Prepare([&] {
    task = hub.CurrentTask();
    hub.Wake(task);  // running
    order.emplace_back("parks");
    EXPECT_EQ(hub.Park(task, {"the test"}), internal::WakeReason::kNotified);
    order.emplace_back("woken");
    // Woken twice before it ran, it is queued once, and this one is not cut short.
    EXPECT_EQ(hub.Park(task, {"the test"}, Deadline(absl::Milliseconds(1))),
              internal::WakeReason::kTimedOut);
    order.emplace_back("timed out");
  });
  auto never_started = Prepare([&] { order.emplace_back("started"); });
  never_started.Link([&] { order.emplace_back("its link"); });
  green.Start();
  Sleep();
  EXPECT_EQ(order, std::vector<std::string>{"parks"});
  hub.Wake(task);
  hub.Wake(task, internal::WakeReason::kTimedOut);  // queued: how it was woken stays
  order.emplace_back("wakes");
  green.Join();
  EXPECT_EQ(order, (std::vector<std::string>{"parks", "wakes", "woken", "timed out"}));
  hub.Wake(task);  // done
  EXPECT_EQ(hub.counts().runnable, 0u);
  EXPECT_TRUE(green.Dead());
}

TEST(Wake, B8_7_OfATaskThatHasNotStartedDoesNothing) {
  Hub& hub = Hub::Current();
  std::vector<internal::Task*> tasks;
  int runs = 0;
  auto green = Spawn([&] { ++runs; });
  for (internal::Task* task : hub.GreenThreads()) {
    if (task->state != internal::Task::State::kNew) continue;
    tasks.push_back(task);
    hub.Wake(task);
    hub.Wake(task);
  }
  EXPECT_EQ(tasks.size(), 1u);
  EXPECT_EQ(hub.counts().runnable, 1u);
  green.Wait();
  EXPECT_EQ(runs, 1);
}

}  // namespace
}  // namespace verdant
