#include "hub/metrics.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/hub_group.h"
#include "hub/io.h"
#include "hub/semaphore.h"
#include "hub/trace.h"
#include "tests/hub/io_testing.h"
#include "tests/hub/manual_clock.h"
#include "tests/hub/prometheus_testing.h"

namespace verdant {
namespace {

using testing::PrometheusSamples;

const HubMetrics* Find(const std::vector<HubMetrics>& hubs, std::uint64_t number) {
  const auto found = std::find_if(hubs.begin(), hubs.end(),
                                  [number](const HubMetrics& hub) { return hub.hub == number; });
  return found != hubs.end() ? &*found : nullptr;
}

TEST(Metrics, GreenThreadsAreCountedByStateAndOperation) {
  WithManualClock([](ManualClock&) {
    Semaphore gate(0);
    Event<> event;
    std::vector<AnyGreenThread> all;
    for (int i = 0; i < 3; ++i) all.push_back(Spawn([&] { gate.Acquire(); }));
    all.push_back(Spawn([] { Sleep(absl::Seconds(1)); }));
    Trace trace;  // makes no difference
    trace.Start();
    all.push_back(Spawn([&] { event.Wait(); }));
    Sleep();
    SpawnN([] {});
    const HubMetrics metrics = CollectOwnMetrics();
    EXPECT_TRUE(metrics.answered);
    EXPECT_EQ(metrics.states.not_started, 1u);
    EXPECT_EQ(metrics.states.runnable, 1u);  // main
    EXPECT_EQ(metrics.states.waiting, 5u);
    EXPECT_EQ(metrics.states.waiting_in.size(), 3u);
    EXPECT_EQ(metrics.states.waiting_in.at("Sleep"), 1u);
    EXPECT_EQ(metrics.counts.green_threads, 7u);
    EXPECT_EQ(metrics.counts.spawned, 7u);
    EXPECT_EQ(metrics.counts.timers, 1u);
    for (int i = 0; i < 3; ++i) gate.Release();
    event.Send();
    JoinAll(all);
    EXPECT_EQ(CollectOwnMetrics().states.waiting, 0u);
  });
}

TEST(Metrics, A12_14_WhatTheHubDoesIsCounted) {
  OnFreshThread([] {
    const HubMetrics before = CollectOwnMetrics();
    EXPECT_EQ(before.counts.sleeps, 0u);
    EXPECT_EQ(before.counts.posted_calls, 0u);
    Pair pair;
    auto descriptor = IoDescriptor::Register(pair.fd[0]);
    ASSERT_TRUE(descriptor.ok());
    descriptor->ReadWouldBlock();
    auto reader = Spawn([&] { descriptor->WaitReadable(); });
    Hub::Current().Post([] {});
    Hub::Current().Post([] {});
    Sleep(absl::Milliseconds(1));
    const HubMetrics while_waiting = CollectOwnMetrics();
    EXPECT_EQ(while_waiting.counts.readers, 1u);
    ASSERT_EQ(write(pair.fd[1], "x", 1), 1);
    reader.Join();
    const HubMetrics after = CollectOwnMetrics();
    EXPECT_EQ(after.counts.posted_calls, 2u);
    EXPECT_GE(after.counts.sleeps, 1u);
    EXPECT_GT(after.counts.turns, before.counts.turns);
    EXPECT_GT(after.counts.switches, before.counts.switches);
    EXPECT_GT(after.counts.poller_calls, while_waiting.counts.poller_calls);
    EXPECT_EQ(after.counts.readers, 0u);
    EXPECT_GT(after.turn_times.count(), 0u);
    EXPECT_EQ(after.timer_lag.count(), 1u);
  });
}

TEST(Metrics, EachPollerCountsItsSystemCalls) {
  for (const char* poller : {"epoll", "poll", "select"}) {
    OnFreshThread([poller] {
      Hub::Options options;
      options.poller = poller;
      Hub::Configure(options);
      Sleep(absl::Microseconds(100));
      EXPECT_GT(CollectOwnMetrics().counts.poller_calls, 0u) << poller;
    });
  }
}

TEST(Metrics, LongTurnsAndLateTimersAreInTheHistograms) {
  WithManualClock([](ManualClock& clock) {
    auto sleeper = Spawn([] { Sleep(absl::Seconds(1)); });
    Sleep();
    EXPECT_EQ(CollectOwnMetrics().timer_lag.count(), 0u);
    // Computes until long after the timer was due.
    clock.Advance(absl::Seconds(1) + absl::Milliseconds(300));
    sleeper.Join();
    const HubMetrics metrics = CollectOwnMetrics();
    EXPECT_EQ(metrics.timer_lag.count(), 1u);
    EXPECT_EQ(metrics.timer_lag.sum_nanos(), 300'000'000);
    EXPECT_EQ(metrics.timer_lag.counts()[12], 1u);  // up to 0.5 s
    EXPECT_EQ(DurationHistogram::kBounds[12], 500'000'000);
    EXPECT_EQ(metrics.turn_times.counts()[14], 1u);  // 1.3 s: up to 2.5 s
  });
}

TEST(DurationHistogram, EachBoundBelongsToItsBucket) {
  DurationHistogram histogram;
  histogram.Add(-5);
  histogram.Add(0);
  EXPECT_EQ(histogram.sum_nanos(), 0);
  for (const std::int64_t bound : DurationHistogram::kBounds) histogram.Add(bound);
  histogram.Add(DurationHistogram::kBounds.back() + 1);
  EXPECT_EQ(histogram.counts().front(), 3u);
  EXPECT_EQ(histogram.counts()[1], 1u);
  EXPECT_EQ(histogram.counts().back(), 1u);
  EXPECT_EQ(histogram.count(), DurationHistogram::kBounds.size() + 3);
  const std::int64_t before = histogram.sum_nanos();
  DurationHistogram copy = histogram;
  copy.Add(7);
  EXPECT_EQ(copy.sum_nanos(), before + 7);
  EXPECT_EQ(histogram.sum_nanos(), before);
}

// ---- All hubs. ----

TEST(Metrics, AllHubsAnswerWhoeverAsks) {
  HubGroup::Options options;
  options.threads = 2;
  options.name = "crew";
  HubGroup group(options);
  std::vector<std::uint64_t> numbers;
  for (std::size_t i = 0; i < 2; ++i)
    numbers.push_back(group.RunInHub(i, [] { return Hub::Current().number(); }));
  const auto check = [&] {
    const auto hubs = CollectMetrics(Deadline::Never());
    for (std::size_t i = 0; i < 2; ++i) {
      const HubMetrics* hub = Find(hubs, numbers[i]);
      ASSERT_NE(hub, nullptr);
      EXPECT_TRUE(hub->answered);
      EXPECT_EQ(hub->thread_name, "crew-" + std::to_string(i));
      EXPECT_GE(hub->counts.green_threads, 1u);
    }
    EXPECT_TRUE(std::is_sorted(hubs.begin(), hubs.end(),
                               [](const auto& a, const auto& b) { return a.hub < b.hub; }));
  };
  // A thread without a hub.
  std::thread([&] {
    check();
    EXPECT_EQ(internal::current_hub, nullptr);
  }).join();
  // A main greenlet, a green thread, one of the hubs that are asked.
  OnFreshThread([&] {
    Hub::Current();
    check();
    Spawn([&] { check(); }).Join();
  });
  group.RunInHub(0, [&] { check(); });
}

TEST(Metrics, TwoThatAskEachOtherBothGetAnswers) {
  HubGroup::Options options;
  options.threads = 2;
  HubGroup group(options);
  auto one = group.SpawnOn(0, [] { return CollectMetrics(Deadline::Never()).size(); });
  auto other = group.SpawnOn(1, [] { return CollectMetrics(Deadline::Never()).size(); });
  EXPECT_GE(one.Wait(), 2u);
  EXPECT_GE(other.Wait(), 2u);
}

TEST(Metrics, AStuckHubIsNamedWithoutAnAnswer) {
  std::promise<void> release;
  std::promise<std::uint64_t> stuck;
  std::thread blocked([&] {
    pthread_setname_np(pthread_self(), "stuck \"one\"");
    const std::uint64_t number = Hub::Current().number();
    stuck.set_value(number);
    release.get_future().wait();
    Sleep(absl::Nanoseconds(1));  // answers, too late
  });
  const std::uint64_t number = stuck.get_future().get();
  OnFreshThread([&] {
    Hub::Current();
    const auto hubs = CollectMetrics(absl::Milliseconds(20));
    const HubMetrics* hub = Find(hubs, number);
    ASSERT_NE(hub, nullptr);
    EXPECT_FALSE(hub->answered);
    EXPECT_EQ(hub->thread_name, "stuck \"one\"");
    const HubMetrics* own = Find(hubs, Hub::Current().number());
    ASSERT_NE(own, nullptr);
    EXPECT_TRUE(own->answered);
    const PrometheusSamples samples(PrometheusText(hubs));
    EXPECT_EQ(samples.Value("verdant_hub_up", {{"thread", "stuck \"one\""}}), 0);
    EXPECT_EQ(samples.Count("verdant_turns_total", {{"thread", "stuck \"one\""}}), 0u);
    EXPECT_EQ(samples.Value("verdant_hub_up", {{"hub", std::to_string(own->hub)}}), 1);
  });
  release.set_value();
  blocked.join();
}

TEST(Metrics, AHubThatEndsInsteadOfAnsweringIsLeftOut) {
  std::promise<void> release;
  std::promise<std::uint64_t> ending;
  std::thread ender([&] {
    ending.set_value(Hub::Current().number());
    release.get_future().wait();
  });
  const std::uint64_t number = ending.get_future().get();
  std::thread asker([&] {
    const auto hubs = CollectMetrics(Deadline::Never());
    EXPECT_EQ(Find(hubs, number), nullptr);
  });
  release.set_value();
  ender.join();
  asker.join();
  EXPECT_EQ(Find(CollectMetrics(absl::Seconds(10)), number), nullptr);
}

TEST(Metrics, AHubCallbackMustNotAsk) {
  OnFreshThread([] {
    std::optional<bool> threw;
    Hub::Current().Post([&] {
      try {
        CollectMetrics();
        threw = false;
      } catch (const std::logic_error&) {
        threw = true;
      }
      EXPECT_TRUE(CollectOwnMetrics().answered);
    });
    Sleep(absl::Nanoseconds(1));
    EXPECT_EQ(threw, true);
  });
}

TEST(Metrics, TheChildOfAForkKnowsOfItsOwnHubOnly) {
  OnFreshThread([] {
    const std::uint64_t number = Hub::Current().number();
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const auto hubs = CollectMetrics(absl::Seconds(10));
      const bool empty = hubs.empty();
      const bool anew = Hub::Current().number() != number;
      const bool one = CollectMetrics(absl::Seconds(10)).size() == 1;
      _exit(empty && anew && one ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  });
}

// ---- As text. ----

TEST(Metrics, ThePrometheusTextSaysWhatTheNumbersAre) {
  WithManualClock([](ManualClock& clock) {
    pthread_setname_np(pthread_self(), "a\\b\"c\nd");
    Semaphore gate(0);
    auto waiter = Spawn([&] { gate.Acquire(); });
    Sleep();
    clock.Advance(absl::Milliseconds(3));
    Sleep(absl::Seconds(1));
    const HubMetrics metrics = CollectOwnMetrics();
    const PrometheusSamples samples(PrometheusText({metrics}));
    const PrometheusSamples::Labels hub = {{"hub", std::to_string(metrics.hub)},
                                           {"thread", "a\\b\"c\nd"}};
    const auto value = [&](const std::string& name, const std::string& label = "hub",
                           std::string is = "") {
      PrometheusSamples::Labels labels = hub;
      if (!is.empty()) labels[label] = is;
      return samples.Value(name, labels);
    };
    EXPECT_EQ(value("verdant_hub_up"), 1);
    EXPECT_EQ(value("verdant_green_threads", "state", "new"), 0);
    EXPECT_EQ(value("verdant_green_threads", "state", "runnable"), 1);
    EXPECT_EQ(value("verdant_green_threads", "state", "waiting"), 1);
    EXPECT_EQ(samples.Count("verdant_green_threads_waiting", hub), 1u);
    EXPECT_EQ(value("verdant_spawned_total"), 2);
    EXPECT_EQ(value("verdant_turns_total"), static_cast<double>(metrics.counts.turns));
    EXPECT_EQ(value("verdant_switches_total"), static_cast<double>(metrics.counts.switches));
    EXPECT_EQ(value("verdant_sleeps_total"), static_cast<double>(metrics.counts.sleeps));
    EXPECT_EQ(value("verdant_poller_calls_total"),
              static_cast<double>(metrics.counts.poller_calls));
    EXPECT_EQ(samples.TypeOf("verdant_turn_seconds"), "histogram");
    EXPECT_EQ(value("verdant_turn_seconds_bucket", "le", "0.0025"),
              value("verdant_turn_seconds_bucket", "le", "0.001"));
    EXPECT_EQ(value("verdant_turn_seconds_bucket", "le", "0.005"),
              value("verdant_turn_seconds_bucket", "le", "0.0025") + 1);
    EXPECT_EQ(value("verdant_turn_seconds_count"),
              value("verdant_turn_seconds_bucket", "le", "+Inf"));
    EXPECT_EQ(value("verdant_turn_seconds_sum"), 0.003);
    EXPECT_EQ(value("verdant_timer_lag_seconds_count"), 1);
    gate.Release();
    waiter.Join();
  });
}

TEST(Metrics, ThreeHubsKeepTheirSamplesTogether) {
  std::vector<HubMetrics> hubs(3);
  for (std::size_t i = 0; i < 3; ++i) {
    hubs[i].hub = i;
    hubs[i].answered = i != 1;
    hubs[i].states.waiting_in["read"] = i;
  }
  const PrometheusSamples samples(PrometheusText(hubs));
  EXPECT_EQ(samples.Count("verdant_hub_up", {}), 3u);
  EXPECT_EQ(samples.Count("verdant_green_threads_waiting", {{"operation", "read"}}), 2u);
}

TEST(Metrics, NoHubsAreNoSamples) { EXPECT_EQ(PrometheusSamples(PrometheusText({})).size(), 0u); }

}  // namespace
}  // namespace verdant
