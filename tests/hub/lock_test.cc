#include "hub/lock.h"

#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hub/errors.h"
#include "hub/green_thread.h"
#include "tests/hub/manual_clock.h"
#include "tests/hub/sync_testing.h"

namespace verdant {
namespace {

template <typename AnyLock>
class AnyLockTest : public testing::Test {};
using Locks = testing::Types<Lock, RLock>;
TYPED_TEST_SUITE(AnyLockTest, Locks);

TYPED_TEST(AnyLockTest, A6_7_B6_6_IsTakenByOneAtATimeAndUncontendedDoesNotYield) {
  TypeParam lock;
  EXPECT_FALSE(lock.locked());
  bool other_ran = false;
  SpawnN([&] { other_ran = true; });
  EXPECT_TRUE(lock.Acquire());
  EXPECT_FALSE(other_ran) << "uncontended, it does not yield";
  EXPECT_TRUE(lock.locked());
  EXPECT_FALSE(Spawn([&] { return lock.TryAcquire(); }).Wait());
  lock.Release();
  EXPECT_FALSE(lock.locked());
  EXPECT_TRUE(lock.TryAcquire());
  lock.Release();
}

TYPED_TEST(AnyLockTest, A6_7_ReleasingAFreeOneIsALogicError) {
  TypeParam lock;
  EXPECT_THROW(lock.Release(), std::logic_error);
  EXPECT_THROW(lock.unlock(), std::logic_error);
  lock.Acquire();
  lock.Release();
  EXPECT_THROW(lock.Release(), std::logic_error);
  EXPECT_FALSE(lock.locked());
}

TYPED_TEST(AnyLockTest, A6_2_WaitersHaveItInTheOrderTheyCame) {
  TypeParam lock;
  lock.Acquire();
  std::vector<int> order;
  std::vector<GreenThread<void>> waiters;
  for (int i = 0; i < 1000; ++i) {
    waiters.push_back(Spawn([&, i] {
      const std::lock_guard<TypeParam> hold(lock);
      order.push_back(i);
      if (i % 7 == 0) Sleep();
    }));
  }
  Sleep();
  EXPECT_EQ(lock.waiting(), 1000u);
  lock.Release();
  EXPECT_TRUE(lock.locked()) << "the first waiter's, though it has not run yet";
  EXPECT_FALSE(lock.TryAcquire());
  JoinAll(waiters);
  ASSERT_EQ(order.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(order[i], i);
  EXPECT_FALSE(lock.locked());
  EXPECT_EQ(lock.waiting(), 0u);
}

TYPED_TEST(AnyLockTest, ADeadlineThatPassesLeavesNoTrace) {
  WithManualClock([](ManualClock& clock) {
    TypeParam lock;
    lock.Acquire();
    auto waiter = Spawn([&] { return lock.Acquire(absl::Seconds(2)); });
    EXPECT_FALSE(waiter.Wait());
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(2));
    EXPECT_EQ(lock.waiting(), 0u);
    lock.Release();
    EXPECT_FALSE(lock.locked());
  });
}

TYPED_TEST(AnyLockTest, A6_3_OneKilledAfterItWasGivenTheLockPassesItOn) {
  TypeParam lock;
  lock.Acquire();
  auto killed = Spawn([&] { lock.Acquire(); });
  auto next = Spawn([&] {
    lock.Acquire();
    lock.Release();
    return true;
  });
  Sleep();
  lock.Release();
  killed.Kill();
  EXPECT_TRUE(next.Wait());
  EXPECT_FALSE(lock.locked());
}

TYPED_TEST(AnyLockTest, FitsTheScopesOfTheStandardLibrary) {
  TypeParam a;
  TypeParam b;
  {
    const std::scoped_lock both(a, b);
    EXPECT_TRUE(a.locked() && b.locked());
  }
  EXPECT_FALSE(a.locked() || b.locked());
  std::unique_lock<TypeParam> maybe(a, std::try_to_lock);
  EXPECT_TRUE(maybe.owns_lock());
  maybe.unlock();
  maybe.lock();
  EXPECT_TRUE(a.locked());
  maybe = {};
  EXPECT_FALSE(a.locked());
}

TYPED_TEST(AnyLockTest, ScopesOverTwoInOppositeOrderDoNotDeadlock) {
  OnFreshThread([] {
    TypeParam a;
    TypeParam b;
    int rounds = 0;
    const auto work = [&](TypeParam& first, TypeParam& second) {
      for (int i = 0; i < 50; ++i) {
        const std::scoped_lock both(first, second);
        Sleep();
        ++rounds;
      }
    };
    auto one = Spawn([&] { work(a, b); });
    auto other = Spawn([&] { work(b, a); });
    JoinAll({one, other});
    EXPECT_EQ(rounds, 100);
  });
}

TYPED_TEST(AnyLockTest, ItsWaitersMayOutliveItServedOrNot) {
  auto lock = std::make_unique<TypeParam>();
  lock->Acquire();
  auto stuck = Spawn([l = lock.get()] { l->Acquire(); });
  Sleep();
  lock = nullptr;
  Sleep();
  EXPECT_FALSE(stuck.Ready());
  stuck.Kill();
  EXPECT_TRUE(stuck.Ready());
}

TYPED_TEST(AnyLockTest, WaitingForItInAHubCallbackIsRefused) {
  TypeParam lock;
  lock.Acquire();
  EXPECT_NE(RefusalInHubCallback([&] { lock.Acquire(); }).find("hub callback"), std::string::npos);
  EXPECT_EQ(lock.waiting(), 0u);
  lock.Release();
  EXPECT_FALSE(lock.locked());
}

TYPED_TEST(AnyLockTest, A6_7_InTheChildOfAForkItCanBeMadeFree) {
  TypeParam lock;
  auto holder = Spawn([&] {
    const std::lock_guard<TypeParam> hold(lock);
    Sleep(absl::Hours(1));
  });
  auto waiter = Spawn([&] { lock.Acquire(); });
  Sleep();
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    lock.ReinitAfterFork();
    const bool free = !lock.locked() && lock.waiting() == 0 && lock.TryAcquire();
    _exit(free ? 0 : 1);
  }
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_TRUE(lock.locked());
  KillAll({waiter, holder});
  EXPECT_FALSE(lock.locked());
}

TEST(Lock, A6_7_AnyGreenThreadMayReleaseIt) {
  Lock lock;
  lock.Acquire();
  Spawn([&] { lock.Release(); }).Wait();
  EXPECT_FALSE(lock.locked());
}

TEST(Lock, B8_2_OneTakenTwiceIsADeadlockThatNamesIt) {
  OnFreshThread([] {
    Lock lock;
    const std::lock_guard<Lock> hold(lock);
    try {
      lock.Acquire();
      ADD_FAILURE();
    } catch (const LoopExit& e) {
      EXPECT_NE(std::string(e.what()).find("the main greenlet: waiting in Lock::Acquire"),
                std::string::npos)
          << e.what();
    }
    EXPECT_EQ(lock.waiting(), 0u);
    EXPECT_TRUE(lock.locked());
  });
}

TEST(Lock, InAHubCallbackItCanBeTriedAndReleased) {
  Lock lock;
  InHubCallback([&] {
    EXPECT_TRUE(lock.TryAcquire());
    EXPECT_TRUE(lock.locked());
    lock.Release();
  });
  EXPECT_FALSE(lock.locked());
}

TEST(RLock, B6_5_ItsOwnerMayTakeItAgainAndReleasesItAsOften) {
  RLock lock;
  EXPECT_FALSE(lock.held());
  EXPECT_TRUE(lock.Acquire());
  EXPECT_TRUE(lock.Acquire(absl::ZeroDuration()));
  EXPECT_TRUE(lock.TryAcquire());
  EXPECT_EQ(lock.depth(), 3u);
  EXPECT_TRUE(lock.held());
  bool other_has = false;
  auto other = Spawn([&] {
    lock.Acquire();
    other_has = lock.held();
    lock.Release();
  });
  for (const std::size_t depth : {2u, 1u, 0u}) {
    Sleep();
    EXPECT_FALSE(other_has);
    lock.Release();
    EXPECT_EQ(lock.depth(), depth);
  }
  EXPECT_FALSE(lock.held());
  EXPECT_TRUE(lock.locked()) << "the waiter's by now";
  other.Join();
  EXPECT_TRUE(other_has);
  EXPECT_FALSE(lock.locked());
}

TEST(RLock, B6_5_ReleasingAnothersIsALogicErrorAndChangesNothing) {
  RLock lock;
  lock.Acquire();
  auto other = Spawn([&] {
    EXPECT_FALSE(lock.held());
    EXPECT_THROW(lock.Release(), std::logic_error);
    EXPECT_THROW(lock.unlock(), std::logic_error);
  });
  other.Wait();
  EXPECT_TRUE(lock.held());
  EXPECT_EQ(lock.depth(), 1u);
  lock.Release();
}

TEST(RLock, B6_5_OneGivenToAWaiterThatHasNotRunIsNobodysToRelease) {
  RLock lock;
  lock.Acquire();
  auto waiter = Spawn([&] {
    lock.Acquire();
    EXPECT_EQ(lock.depth(), 1u);
    lock.Release();
  });
  Sleep();
  lock.Release();
  EXPECT_THROW(lock.Release(), std::logic_error);
  waiter.Wait();
  EXPECT_FALSE(lock.locked());
}

TEST(RLock, B6_5_ALaterGreenThreadIsNotTakenForTheOwnerThatEnded) {
  OnFreshThread([] {
    RLock lock;
    SpawnN([&] { lock.Acquire(); });
    Sleep();
    EXPECT_TRUE(lock.locked());
    // Some of these use its control block again.
    for (int i = 0; i < 100; ++i) {
      Spawn([&] {
        EXPECT_FALSE(lock.held());
        EXPECT_FALSE(lock.TryAcquire());
        EXPECT_THROW(lock.Release(), std::logic_error);
      }).Wait();
    }
    EXPECT_THROW(lock.Acquire(), std::logic_error);
  });
}

TEST(RLock, B6_5_AHubCallbackCannotOwnIt) {
  RLock lock;
  EXPECT_NE(RefusalInHubCallback([&] { lock.Acquire(); }), "no error");
  EXPECT_NE(RefusalInHubCallback([&] { lock.TryAcquire(); }), "no error");
  EXPECT_NE(RefusalInHubCallback([&] { lock.Release(); }), "no error");
  EXPECT_FALSE(lock.locked());
  EXPECT_EQ(lock.depth(), 0u);
}

}  // namespace
}  // namespace verdant
