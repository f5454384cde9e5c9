#include "hub/monitor.h"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

TEST(MonitoringFunction, B13_2_IsCalledOnAnotherThreadThoughTheHubIsStuck) {
  OnFreshThread([] {
    std::atomic<int> calls{0};
    std::atomic<std::thread::id> caller{};
    const MonitoringFunction function(absl::Milliseconds(1), [&] {
      caller = std::this_thread::get_id();
      ++calls;
    });
    while (calls < 3) {
    }
    EXPECT_NE(caller.load(), std::this_thread::get_id());
  });
}

TEST(MonitoringFunction, B13_2_ThatIsGoneIsCalledNoMore) {
  OnFreshThread([] {
    std::atomic<int> one{0};
    std::atomic<int> other{0};
    auto removed = std::make_unique<MonitoringFunction>(absl::Milliseconds(1), [&] { ++one; });
    const MonitoringFunction stays(absl::Milliseconds(1), [&] { ++other; });
    while (one < 2) {
    }
    removed = nullptr;
    const int then = one;
    const int until = other + 5;
    while (other < until) {
    }
    EXPECT_EQ(one, then);
  });
}

TEST(MonitoringFunction, B13_2_ItsEndWaitsForACallUnderWay) {
  OnFreshThread([] {
    std::atomic<bool> inside{false};
    std::atomic<bool> let_go{false};
    std::atomic<bool> finished{false};
    auto function = std::make_unique<MonitoringFunction>(absl::Milliseconds(1), [&] {
      inside = true;
      while (!let_go) {
      }
      finished = true;
    });
    while (!inside) {
    }
    std::thread helper([&] { let_go = true; });
    function = nullptr;
    EXPECT_TRUE(finished);
    helper.join();
  });
}

TEST(MonitoringFunction, B13_2_RefusesPeriodsAndFunctionsThatMakeNoSense) {
  OnFreshThread([] {
    EXPECT_THROW(MonitoringFunction(absl::ZeroDuration(), [] {}), std::logic_error);
    EXPECT_THROW(MonitoringFunction(absl::Seconds(-1), [] {}), std::logic_error);
    EXPECT_THROW(MonitoringFunction(absl::Seconds(1), nullptr), std::logic_error);
    EXPECT_THROW(MemoryMonitor({.limit = 1, .on_event = nullptr}), std::logic_error);
  });
}

TEST(MonitoringFunction, B13_4_ItsHubMayGoFirst) {
  std::unique_ptr<MonitoringFunction> survivor;
  std::atomic<int> calls{0};
  OnFreshThread([&] {
    survivor = std::make_unique<MonitoringFunction>(absl::Milliseconds(1), [&] { ++calls; });
    while (calls == 0) {
    }
  });
  const int then = calls;
  survivor = nullptr;
  EXPECT_EQ(calls, then);
}

TEST(MemoryMonitor, B13_3_TellsOfTooMuchOfGrowthAndOfTheEnd) {
  OnFreshThread([] {
    const std::vector<std::size_t> readings = {50, 120, 120, 110, 130, 90, 80, 101};
    std::size_t next = 0;
    std::atomic<bool> done{false};
    std::vector<std::string> events;
    {
      const MemoryMonitor monitor({.limit = 100,
                                   .on_event =
                                       [&](const MemoryEvent& event) {
                                         EXPECT_EQ(event.limit, 100u);
                                         events.push_back(std::to_string(event.used) +
                                                          (event.exceeded ? "!" : ""));
                                       },
                                   .period = absl::Milliseconds(1),
                                   .used =
                                       [&] {
                                         if (next == readings.size()) {
                                           done = true;
                                           return readings.back();
                                         }
                                         return readings[next++];
                                       }});
      while (!done) {
      }
    }
    EXPECT_EQ(events, (std::vector<std::string>{"120!", "130!", "90", "101!"}));
  });
}

TEST(MemoryMonitor, B13_3_LooksAtWhatIsResidentByDefault) {
  OnFreshThread([] {
    std::atomic<std::size_t> used{0};
    const MemoryMonitor monitor({.limit = 1,
                                 .on_event = [&](const MemoryEvent& event) { used = event.used; },
                                 .period = absl::Milliseconds(1)});
    while (used == 0) {
    }
    EXPECT_GT(used.load(), 100000u);
  });
}

}  // namespace
}  // namespace verdant
