#include "pool/connection_pool.h"

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/timeout.h"
#include "tests/hub/manual_clock.h"
#include "tests/pool/connection_testing.h"
#include "tests/pool/settle.h"

namespace verdant {
namespace {

using Pool = ConnectionPool<TestConnection>;

// Of a pool that has one.
int NumberOf(absl::StatusOr<Pool::Lease>&& lease) { return (*lease)->number(); }

TEST(ConnectionPool, A4_6_TheDefaults) {
  const ConnectionPoolOptions defaults;
  EXPECT_EQ(defaults.min_size, 0u);
  EXPECT_EQ(defaults.max_size, 4u);
  EXPECT_EQ(defaults.max_idle, absl::Seconds(10));
  EXPECT_EQ(defaults.max_age, absl::Seconds(30));
  EXPECT_EQ(defaults.connect_timeout, absl::Seconds(5));
}

TEST(ConnectionPool, A4_6_TheOneUsedLastIsUsedFirst) {
  ConnectionLog log;
  Pool pool(ConnectTo(log));
  {
    auto a = pool.Get();
    auto b = pool.Get();
    EXPECT_EQ((*a)->number(), 0);
    EXPECT_EQ((**b).number(), 1);
    EXPECT_EQ(pool.Free(), 2);
    EXPECT_TRUE(b->Close().ok());
    EXPECT_TRUE(a->Close().ok());
  }
  EXPECT_EQ(pool.idle(), 2u);
  auto a = pool.Get();
  auto b = pool.Get();
  EXPECT_EQ((*a)->number(), 0);
  EXPECT_EQ((*b)->number(), 1);
  EXPECT_EQ(log.opened, 2);
  EXPECT_TRUE(log.closed.empty());
}

TEST(ConnectionPool, A4_6_MinSizeConnectsAtOnce) {
  ConnectionLog log;
  Pool pool(ConnectTo(log), {.min_size = 2});
  EXPECT_EQ(log.opened, 2);
  EXPECT_EQ(pool.idle(), 2u);
}

TEST(ConnectionPool, A4_6_ConnectingThatTakesTooLongIsADeadlineExceeded) {
  WithManualClock([](ManualClock& clock) {
    bool hang = true;
    ConnectionLog log;
    Pool pool([&](Deadline by) -> absl::StatusOr<TestConnection> {
      EXPECT_EQ(by.Remaining(), absl::Seconds(5));
      if (hang) Sleep(absl::InfiniteDuration());
      return TestConnection(log);
    });
    const absl::Status late = pool.Get().status();
    EXPECT_EQ(late.code(), absl::StatusCode::kDeadlineExceeded);
    EXPECT_NE(late.message().find("connecting took longer than 5s"), std::string::npos) << late;
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(5));
    EXPECT_EQ(pool.Free(), 4);
    hang = false;
    EXPECT_TRUE(pool.Get().ok());
  });
}

TEST(ConnectionPool, A4_6_TheCallersDeadlineBoundsWaitingAndConnectingTogether) {
  WithManualClock([](ManualClock& clock) {
    ConnectionLog log;
    absl::Duration allowed;
    bool hang = false;
    Pool pool(
        [&](Deadline by) -> absl::StatusOr<TestConnection> {
          allowed = by.Remaining();
          if (hang) Sleep(absl::InfiniteDuration());
          return TestConnection(log);
        },
        {.max_size = 1});
    auto first = pool.Get();
    EXPECT_EQ(allowed, absl::Seconds(5));
    hang = true;
    auto holder = Spawn([lease = *std::move(first)]() mutable {
      Sleep(absl::Seconds(2));
      lease.Discard();
    });
    EXPECT_EQ(pool.Get(absl::Seconds(3)).status().code(), absl::StatusCode::kDeadlineExceeded);
    EXPECT_EQ(allowed, absl::Seconds(1));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(3));
    EXPECT_EQ(pool.Free(), 1);
    holder.Wait();
  });
}

TEST(ConnectionPool, A4_6_AFailedConnectIsReturnedAndServesTheNextWaiter) {
  Event<> gate;
  int calls = 0;
  ConnectionLog log;
  Pool pool(
      [&](Deadline) -> absl::StatusOr<TestConnection> {
        if (++calls == 1) {
          gate.Wait();
          return absl::UnavailableError("db1: connection refused");
        }
        if (calls == 2) throw std::runtime_error("driver");
        return TestConnection(log);
      },
      {.max_size = 1});
  auto first = Spawn([&] { return pool.Get().status(); });
  auto second = Spawn([&] { return pool.Get().status(); });
  auto third = Spawn([&] { return pool.Get().status(); });
  Settle();
  EXPECT_EQ(pool.Waiting(), 2u);
  gate.Send();
  EXPECT_EQ(first.Wait(), absl::UnavailableError("db1: connection refused"));
  EXPECT_THROW(second.Wait(), std::runtime_error);
  EXPECT_TRUE(third.Wait().ok());
  EXPECT_EQ(pool.Free(), 1);
}

TEST(ConnectionPool, A4_7_ClosingTwiceGivesBackOnce) {
  ConnectionLog log;
  Pool pool(ConnectTo(log), {.max_size = 2});
  auto lease = pool.Get();
  EXPECT_TRUE(static_cast<bool>(*lease));
  EXPECT_TRUE(lease->Close().ok());
  EXPECT_FALSE(static_cast<bool>(*lease));
  EXPECT_TRUE(lease->Close().ok());
  lease->Discard();
  EXPECT_EQ(pool.idle(), 1u);
  EXPECT_EQ(pool.Free(), 2);
  Pool::Lease moved = *pool.Get();
  Pool::Lease other = std::move(moved);
  EXPECT_TRUE(moved.Close().ok());
  EXPECT_EQ(pool.Free(), 1);
  other = Pool::Lease();
  EXPECT_EQ(pool.Free(), 2);
  EXPECT_TRUE(log.closed.empty());
}

TEST(ConnectionPool, A4_7_ADiscardedOneIsClosedAndTheNextGetConnects) {
  ConnectionLog log;
  Pool pool(ConnectTo(log), {.max_size = 1});
  auto lease = pool.Get();
  auto waiter = Spawn([&] { return NumberOf(pool.Get()); });
  Settle();
  lease->Discard();
  EXPECT_EQ(log.closed, (std::vector<int>{0}));
  EXPECT_EQ(waiter.Wait(), 1);
}

TEST(ConnectionPool, A4_7_ClearClosesTheIdleOnes) {
  ConnectionLog log;
  Pool pool(ConnectTo(log));
  auto used = pool.Get();
  { auto idle = pool.Get(); }
  pool.Clear();
  EXPECT_EQ(log.closed, (std::vector<int>{1}));
  EXPECT_EQ(pool.size(), 1u);
  EXPECT_EQ((*used)->number(), 0);
  pool.Clear();
  EXPECT_EQ(log.closed.size(), 1u);
}

TEST(ConnectionPool, A4_7_TheCleanupRunsBeforeAConnectionIsIdle) {
  ConnectionLog log;
  std::vector<std::string> events;
  Pool* which = nullptr;
  Pool pool(ConnectTo(log), {.max_size = 1}, [&](TestConnection& c) {
    events.push_back("rollback " + std::to_string(c.number()));
    Sleep();
    EXPECT_EQ(which->idle(), 0u);
    return absl::OkStatus();
  });
  which = &pool;
  auto lease = pool.Get();
  auto waiter = Spawn([&] {
    const int number = NumberOf(pool.Get());
    events.push_back("got " + std::to_string(number));
  });
  Settle();
  EXPECT_TRUE(lease->Close().ok());
  waiter.Wait();
  Settle();
  EXPECT_EQ(events, (std::vector<std::string>{"rollback 0", "got 0", "rollback 0"}));
  EXPECT_EQ(pool.idle(), 1u);
}

TEST(ConnectionPool, A4_7_AFailedCleanupDiscardsTheConnection) {
  ConnectionLog log;
  int fail = 0;
  Pool pool(ConnectTo(log), {.max_size = 1}, [&](TestConnection&) -> absl::Status {
    if (fail == 1) return absl::AbortedError("rollback failed");
    if (fail == 2) throw std::runtime_error("driver");
    return absl::OkStatus();
  });
  auto lease = pool.Get();
  fail = 1;
  EXPECT_EQ(lease->Close(), absl::AbortedError("rollback failed"));
  EXPECT_EQ(log.closed, (std::vector<int>{0}));
  lease = pool.Get();
  fail = 2;
  EXPECT_THROW(lease->Close().IgnoreError(), std::runtime_error);
  EXPECT_EQ(log.closed, (std::vector<int>{0, 1}));
  EXPECT_EQ(pool.Free(), 1);
  EXPECT_EQ(pool.size(), 0u);
}

TEST(ConnectionPool, A4_7_ACleanupThatIsInterruptedPassesThatOnAndDiscards) {
  WithManualClock([](ManualClock&) {
    ConnectionLog log;
    Pool pool(ConnectTo(log), {.max_size = 1}, [](TestConnection&) {
      Sleep(absl::InfiniteDuration());
      return absl::OkStatus();
    });
    auto lease = pool.Get();
    EXPECT_FALSE(WithTimeout(absl::Seconds(1), [&] { lease->Close().IgnoreError(); }));
    EXPECT_EQ(log.closed, (std::vector<int>{0}));
    EXPECT_EQ(pool.Free(), 1);
    auto user = Spawn([&] {
      auto own = pool.Get();
      own->Close().IgnoreError();
    });
    Settle();
    user.Kill();
    EXPECT_THROW(user.Wait(), GreenletExit);
    EXPECT_EQ(log.closed, (std::vector<int>{0, 1}));
    EXPECT_EQ(pool.Free(), 1);
  });
}

TEST(ConnectionPool, A4_7_ALeaseThatIsUnwoundCleansUpInAGreenThreadOfItsOwn) {
  ConnectionLog log;
  int cleaned = 0;
  Pool pool(ConnectTo(log), {.max_size = 1}, [&](TestConnection&) {
    Sleep();
    ++cleaned;
    return absl::OkStatus();
  });
  auto user = Spawn([&] {
    auto lease = pool.Get();
    Sleep(absl::InfiniteDuration());
  });
  auto waiter = Spawn([&] { return NumberOf(pool.Get()); });
  Settle();
  user.Kill();
  EXPECT_EQ(cleaned, 0);
  EXPECT_EQ(waiter.Wait(), 0);
  Settle();
  EXPECT_EQ(cleaned, 2);
  EXPECT_EQ(pool.Free(), 1);
}

TEST(ConnectionPool, A4_7_WaitersAreServedInOrderAndShrinkingCloses) {
  ConnectionLog log;
  Pool pool(ConnectTo(log), {.max_size = 2});
  auto a = pool.Get();
  auto b = pool.Get();
  std::vector<int> served;
  std::vector<AnyGreenThread> users;
  for (int i = 0; i < 3; ++i) {
    users.push_back(Spawn([&, i] {
      auto lease = pool.Get();
      served.push_back(i);
    }));
  }
  Settle();
  EXPECT_EQ(pool.Waiting(), 3u);
  pool.Resize(1);
  EXPECT_EQ(pool.max_size(), 1u);
  EXPECT_TRUE(a->Close().ok());
  EXPECT_EQ(log.closed, (std::vector<int>{0}));
  Settle();
  EXPECT_TRUE(served.empty());
  EXPECT_TRUE(b->Close().ok());
  JoinAll(users);
  EXPECT_EQ(served, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(log.opened, 2);
}

TEST(ConnectionPool, ALeaseMayOutliveThePool) {
  ConnectionLog log;
  std::optional<Pool::Lease> lease;
  {
    Pool pool(ConnectTo(log));
    { auto idle = pool.Get(); }
    lease.emplace(*pool.Get());
    auto other = pool.Get();
    EXPECT_TRUE(other->Close().ok());
  }
  EXPECT_EQ(log.closed, (std::vector<int>{1}));
  EXPECT_EQ((*lease)->number(), 0);
  lease.reset();
  EXPECT_EQ(log.closed, (std::vector<int>{1, 0}));
}

}  // namespace
}  // namespace verdant
