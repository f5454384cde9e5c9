#include "net/stop_signal.h"

#include <optional>
#include <vector>

#include "gtest/gtest.h"

namespace verdant::net {
namespace {

TEST(StopSignal, CallsInOrderAndOnce) {
  StopSignal signal;
  std::vector<int> calls;
  auto a = signal.OnStop([&] { calls.push_back(1); });
  auto b = signal.OnStop([&] { calls.push_back(2); });
  EXPECT_FALSE(signal.stopped());
  signal.Stop();
  signal.Stop();
  EXPECT_TRUE(signal.stopped());
  EXPECT_EQ(calls, (std::vector<int>{1, 2}));
}

TEST(StopSignal, AWatchThatHasEndedIsNotCalled) {
  StopSignal signal;
  int calls = 0;
  {
    auto watch = signal.OnStop([&] { ++calls; });
    StopSignal::Watch moved = std::move(watch);
  }
  signal.Stop();
  EXPECT_EQ(calls, 0);
}

TEST(StopSignal, ACallMayEndWatches) {
  StopSignal signal;
  int calls = 0;
  std::optional<StopSignal::Watch> second;
  auto first = signal.OnStop([&] {
    ++calls;
    second.reset();
  });
  second = signal.OnStop([&] { ++calls; });
  signal.Stop();
  EXPECT_EQ(calls, 1);
}

TEST(StopSignal, AStoppedOneCallsAtOnce) {
  StopSignal signal;
  signal.Stop();
  int calls = 0;
  auto watch = signal.OnStop([&] { ++calls; });
  EXPECT_EQ(calls, 1);
}

TEST(StopSignal, AWatchMayOutliveIt) {
  StopSignal::Watch watch;
  {
    StopSignal signal;
    watch = signal.OnStop([] {});
  }
}

}  // namespace
}  // namespace verdant::net
