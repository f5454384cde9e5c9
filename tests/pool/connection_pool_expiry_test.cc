// How old and how idle the connections of a pool get.

#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "pool/connection_pool.h"
#include "tests/hub/manual_clock.h"
#include "tests/pool/connection_testing.h"
#include "tests/pool/settle.h"

namespace verdant {
namespace {

using Pool = ConnectionPool<TestConnection>;

TEST(ConnectionPool, A4_7_ATimerClosesWhatLiesIdleTooLong) {
  WithManualClock([](ManualClock& clock) {
    ConnectionLog log;
    Pool pool(ConnectTo(log), {.max_idle = absl::Seconds(10), .max_age = absl::Seconds(60)});
    {
      auto a = pool.Get();
      auto b = pool.Get();
      EXPECT_TRUE(a->Close().ok());
      Sleep(absl::Seconds(4));
      EXPECT_TRUE(b->Close().ok());
    }
    Sleep(absl::Seconds(5));
    EXPECT_TRUE(log.closed.empty());
    Sleep(absl::Seconds(1));
    Settle();
    EXPECT_EQ(log.closed, (std::vector<int>{0}));
    EXPECT_EQ(pool.idle(), 1u);
    Sleep(absl::Seconds(4));
    Settle();
    EXPECT_EQ(log.closed, (std::vector<int>{0, 1}));
    EXPECT_EQ(pool.size(), 0u);
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(14));
    // Nothing left to watch: no timer keeps the hub from being idle.
    EXPECT_EQ(Hub::Current().counts().timers, 0u);
  });
}

TEST(ConnectionPool, A4_7_UseKeepsAConnectionFromExpiring) {
  WithManualClock([](ManualClock&) {
    ConnectionLog log;
    Pool pool(ConnectTo(log), {.max_idle = absl::Seconds(10), .max_age = absl::Hours(1)});
    for (int i = 0; i < 5; ++i) {
      auto lease = pool.Get();
      EXPECT_EQ((*lease)->number(), 0);
      EXPECT_TRUE(lease->Close().ok());
      Sleep(absl::Seconds(9));
    }
    EXPECT_TRUE(log.closed.empty());
    EXPECT_LE(Hub::Current().counts().timers, 1u);
  });
}

TEST(ConnectionPool, A4_7_AConnectionThatIsTooOldIsClosedWhenItComesBack) {
  WithManualClock([](ManualClock&) {
    ConnectionLog log;
    int cleaned = 0;
    Pool pool(ConnectTo(log), {.max_age = absl::Seconds(30)}, [&](TestConnection&) {
      ++cleaned;
      return absl::OkStatus();
    });
    auto lease = pool.Get();
    Sleep(absl::Seconds(29));
    EXPECT_TRUE(lease->Close().ok());
    EXPECT_EQ(cleaned, 1);
    lease = pool.Get();
    EXPECT_EQ((*lease)->number(), 0);
    Sleep(absl::Seconds(1));
    EXPECT_TRUE(lease->Close().ok());
    EXPECT_EQ(cleaned, 1);
    EXPECT_EQ(log.closed, (std::vector<int>{0}));
    EXPECT_EQ(pool.Free(), 4);
  });
}

TEST(ConnectionPool, A4_7_AnIdleConnectionIsClosedWhenItIsTooOld) {
  WithManualClock([](ManualClock& clock) {
    ConnectionLog log;
    Pool pool(ConnectTo(log), {.max_idle = absl::Seconds(25), .max_age = absl::Seconds(30)});
    auto lease = pool.Get();
    Sleep(absl::Seconds(20));
    EXPECT_TRUE(lease->Close().ok());
    Sleep(absl::Seconds(9));
    EXPECT_TRUE(log.closed.empty());
    Sleep(absl::Seconds(1));
    Settle();
    EXPECT_EQ(log.closed, (std::vector<int>{0}));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(30));
  });
}

TEST(ConnectionPool, A4_7_AnExpiredOneIsNotGivenOutEvenBeforeTheTimerRuns) {
  WithManualClock([](ManualClock& clock) {
    ConnectionLog log;
    Pool pool(ConnectTo(log));
    { auto lease = pool.Get(); }
    clock.Advance(absl::Seconds(10));
    auto lease = pool.Get();
    EXPECT_EQ((*lease)->number(), 1);
    EXPECT_EQ(log.closed, (std::vector<int>{0}));
  });
}

TEST(ConnectionPool, A4_6_WithNoAgeOrIdleTimeAConnectionIsClosedWhenItComesBack) {
  for (bool age : {false, true}) {
    ConnectionLog log;
    ConnectionPoolOptions options;
    (age ? options.max_age : options.max_idle) = absl::ZeroDuration();
    Pool pool(ConnectTo(log), options);
    for (int i = 0; i < 3; ++i) {
      auto lease = pool.Get();
      EXPECT_EQ((*lease)->number(), i);
    }
    EXPECT_EQ(log.closed, (std::vector<int>{0, 1, 2}));
    EXPECT_EQ(pool.size(), 0u);
  }
}

TEST(ConnectionPool, A4_6_WithoutLimitsNothingExpiresAndNoTimerRuns) {
  WithManualClock([](ManualClock&) {
    ConnectionLog log;
    Pool pool(ConnectTo(log), {.max_idle = absl::InfiniteDuration(),
                               .max_age = absl::InfiniteDuration(),
                               .connect_timeout = absl::InfiniteDuration()});
    { auto lease = pool.Get(); }
    EXPECT_EQ(Hub::Current().counts().timers, 0u);
    Sleep(absl::Hours(1000));
    EXPECT_EQ(pool.idle(), 1u);
  });
}

TEST(ConnectionPool, A4_7_PrefilledConnectionsExpireToo) {
  WithManualClock([](ManualClock&) {
    ConnectionLog log;
    Pool pool(ConnectTo(log), {.min_size = 2});
    Sleep(absl::Seconds(10));
    Settle();
    EXPECT_EQ(log.closed.size(), 2u);
    EXPECT_EQ(pool.Free(), 4);
  });
}

TEST(ConnectionPool, A4_7_DestroyingThePoolStopsTheTimer) {
  WithManualClock([](ManualClock&) {
    ConnectionLog log;
    {
      Pool pool(ConnectTo(log));
      { auto lease = pool.Get(); }
      EXPECT_EQ(Hub::Current().counts().timers, 1u);
    }
    EXPECT_EQ(Hub::Current().counts().timers, 0u);
    EXPECT_EQ(log.closed, (std::vector<int>{0}));
  });
}

}  // namespace
}  // namespace verdant
