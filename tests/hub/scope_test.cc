#include "hub/scope.h"

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

TEST(Scope, EndsWhenAllItsChildrenHave) {
  WithManualClock([](ManualClock& clock) {
    std::vector<int> ended;
    WithScope([&](Scope& scope) {
      for (const int i : {3, 1, 2}) {
        scope.SpawnN([&ended, i] {
          Sleep(absl::Seconds(i));
          ended.push_back(i);
        });
      }
      EXPECT_EQ(scope.size(), 3u);
    });
    EXPECT_EQ(ended, (std::vector<int>{1, 2, 3}));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(3));
  });
}

TEST(Scope, GivesWhatItsBodyReturnsAndLetsHandlesBeWaitedFor) {
  const int sum = WithScope([](Scope& scope) {
    auto a = scope.Spawn([](int x, int y) { return x + y; }, 1, 2);
    auto b = scope.Spawn([](int x) { return x; }, 4);
    return a.Wait() + b.Wait();
  });
  EXPECT_EQ(sum, 7);
}

TEST(Scope, WaitsForChildrenThatChildrenAdd) {
  int ran = 0;
  WithScope([&](Scope& scope) {
    scope.SpawnN([&] {
      Sleep();
      ++ran;
      scope.SpawnN([&] {
        Sleep();
        ++ran;
        scope.SpawnN([&] { ++ran; });
      });
    });
  });
  EXPECT_EQ(ran, 3);
}

TEST(Scope, TheDeadlineCancelsTheChildrenAndIsThrown) {
  WithManualClock([](ManualClock& clock) {
    bool cancelled = false;
    std::optional<bool> own;
    Scope scope({.deadline = absl::Seconds(2)});
    scope.SpawnN([&] {
      try {
        Sleep(absl::Hours(1));
      } catch (const GreenletExit&) {
        cancelled = true;
        throw;
      }
    });
    try {
      scope.Join();
    } catch (const TimeoutExpired& expired) {
      own = scope.TimedOut(expired);
    }
    EXPECT_EQ(own, true);
    EXPECT_TRUE(cancelled);
    EXPECT_EQ(scope.size(), 0u);
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(2));
  });
}

TEST(Scope, OfNestedDeadlinesTheEarlierCountsWhicheverItIs) {
  for (const auto& [outer_seconds, inner_seconds] : {std::pair{1, 5}, std::pair{5, 1}}) {
    WithManualClock([&, outer = outer_seconds, inner = inner_seconds](ManualClock& clock) {
      std::string thrown_by = "nobody";
      Scope outer_scope({.deadline = absl::Seconds(outer)});
      try {
        outer_scope.SpawnN([&] {
          Scope inner_scope({.deadline = absl::Seconds(inner)});
          EXPECT_EQ(CurrentDeadline().Remaining(), absl::Seconds(1));
          inner_scope.SpawnN([] {
            EXPECT_EQ(CurrentDeadline().Remaining(), absl::Seconds(1));
            Sleep(absl::Hours(1));
          });
          try {
            inner_scope.Join();
          } catch (const TimeoutExpired& expired) {
            EXPECT_TRUE(inner_scope.TimedOut(expired));
            thrown_by = "inner";
          }
        });
        outer_scope.Join();
      } catch (const TimeoutExpired& expired) {
        EXPECT_TRUE(outer_scope.TimedOut(expired));
        thrown_by = "outer";
      }
      EXPECT_EQ(thrown_by, outer < inner ? "outer" : "inner");
      EXPECT_EQ(clock.SinceStart(), absl::Seconds(1));
    });
  }
}

TEST(Scope, TheDeadlineIsInheritedAndEndsWithTheScope) {
  WithManualClock([](ManualClock&) {
    EXPECT_TRUE(CurrentDeadline().never());
    WithScope(
        [](Scope& scope) {
          EXPECT_EQ(CurrentDeadline().Remaining(), absl::Seconds(9));
          scope.SpawnN([] {
            Sleep(absl::Seconds(4));
            EXPECT_EQ(CurrentDeadline().Remaining(), absl::Seconds(5));
            Spawn([] { EXPECT_EQ(CurrentDeadline().Remaining(), absl::Seconds(5)); }).Wait();
          });
        },
        {.deadline = absl::Seconds(9)});
    EXPECT_TRUE(CurrentDeadline().never());
  });
}

TEST(Scope, CanBeUsedAgainAfterAJoin) {
  Scope scope;
  for (int round = 0; round < 3; ++round) {
    int ran = 0;
    for (int i = 0; i < 10; ++i) scope.SpawnN([&ran] { ++ran; });
    scope.Join();
    EXPECT_EQ(ran, 10);
    EXPECT_EQ(scope.size(), 0u);
  }
}

TEST(Scope, MisuseIsALogicError) {
  Scope scope;
  auto other = Spawn([&] { EXPECT_THROW(scope.Join(), std::logic_error); });
  other.Wait();
  EXPECT_THROW(Scope({.persist = absl::ZeroDuration()}), std::logic_error);
  EXPECT_NE(RefusalInHubCallback([] { Scope in_a_callback; }), "no error");
  std::thread([&] { EXPECT_THROW(scope.Join(), std::logic_error); }).join();
}

}  // namespace
}  // namespace verdant
