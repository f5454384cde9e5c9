// Locks whose holder ended without releasing them, and those who wait for them.

#include <mutex>
#include <stdexcept>
#include <string>

#include "gtest/gtest.h"
#include "hub/condition.h"
#include "hub/errors.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/lock.h"
#include "hub/shield.h"
#include "tests/hub/manual_clock.h"
#include "tests/hub/sync_testing.h"

namespace verdant {
namespace {

template <typename AnyLock>
class LockOfTheDead : public testing::Test {};
using Locks = testing::Types<Lock, RLock>;
TYPED_TEST_SUITE(LockOfTheDead, Locks);

TYPED_TEST(LockOfTheDead, A6_7_B8_2_WhoeverWaitsForOneLeftLockedByTheDeadIsToldByAnException) {
  OnFreshThread([] {
    TypeParam lock;
    Spawn([&] { lock.Acquire(); }).Wait();
    auto first = Spawn([&] { lock.Acquire(); });
    auto second = Spawn([&] { lock.Acquire(); });
    try {
      first.Wait();
      ADD_FAILURE();
    } catch (const std::logic_error& e) {
      const std::string what = e.what();
      EXPECT_NE(what.find("Lock::Acquire: green thread 2 spawned at "), std::string::npos) << what;
      EXPECT_NE(what.find("lock_of_the_dead_test.cc:"), std::string::npos) << what;
      EXPECT_NE(what.find("ended without releasing it"), std::string::npos) << what;
    }
    EXPECT_THROW(second.Wait(), std::logic_error);
    EXPECT_THROW(lock.Acquire(), std::logic_error) << "the main greenlet, too";
    EXPECT_EQ(lock.waiting(), 0u);
    EXPECT_TRUE(lock.locked());
  });
}

TYPED_TEST(LockOfTheDead, B8_2_AShieldDoesNotKeepThatAway) {
  OnFreshThread([] {
    TypeParam lock;
    Spawn([&] { lock.Acquire(); }).Wait();
    auto shielded = Spawn([&] {
      const Shield shield;
      EXPECT_THROW(lock.Acquire(), std::logic_error);
    });
    shielded.Wait();
  });
}

TYPED_TEST(LockOfTheDead, B8_2_WithAHolderThatLivesADeadlockIsALoopExit) {
  OnFreshThread([] {
    TypeParam lock;
    Event<> never;
    auto holder = Spawn([&] {
      const std::lock_guard<TypeParam> hold(lock);
      never.Wait();
    });
    auto waiter = Spawn([&] { lock.Acquire(); });
    EXPECT_THROW(waiter.Wait(), LoopExit);
    EXPECT_FALSE(waiter.Ready());
    holder.Kill();
    waiter.Wait();
  });
}

TEST(LockOfTheDeadAlone, B8_2_OneThatTheDeadTookCanStillBeReleasedWhileAnythingCanHappen) {
  WithManualClock([](ManualClock&) {
    Lock lock;
    Spawn([&] { lock.Acquire(); }).Wait();
    auto waiter = Spawn([&] { return lock.Acquire(); });
    Hub::Current().ScheduleCall(absl::Hours(1), [&] { lock.Release(); });
    EXPECT_TRUE(waiter.Wait());
  });
}

TEST(LockOfTheDeadAlone, B8_2_AHubCallbackThatTookItCountsAsEnded) {
  OnFreshThread([] {
    Lock lock;
    InHubCallback([&] { EXPECT_TRUE(lock.TryAcquire()); });
    EXPECT_THROW(lock.Acquire(), std::logic_error);
  });
}

// Notifies, and ends with the lock.
template <typename AnyLock>
void NotifyAndDie(AnyLock& lock, Condition& condition) {
  Spawn([&] {
    lock.Acquire();
    condition.NotifyAll();
  }).Wait();
}

TYPED_TEST(LockOfTheDead, B6_8_ALockLeftLockedByTheDeadIsTakenOverWithAnException) {
  OnFreshThread([] {
    TypeParam lock;
    Condition condition(lock);
    const auto wait = [&] {
      const std::lock_guard<TypeParam> hold(lock);
      condition.Wait();
    };
    auto first = Spawn(wait);
    auto second = Spawn(wait);
    Sleep();
    NotifyAndDie(lock, condition);
    try {
      first.Wait();
      ADD_FAILURE();
    } catch (const std::logic_error& e) {
      const std::string what = e.what();
      EXPECT_NE(what.find("Condition::Wait: green thread 4 spawned at "), std::string::npos)
          << what;
      EXPECT_NE(what.find("ended without releasing it"), std::string::npos) << what;
    }
    second.Wait();  // the first one's scope released the lock
    EXPECT_FALSE(lock.locked());
  });
}

TYPED_TEST(LockOfTheDead, B6_8_TheMainGreenletTakesItOverToo) {
  OnFreshThread([] {
    TypeParam lock;
    Condition condition(lock);
    {
      const std::lock_guard<TypeParam> hold(lock);
      SpawnN([&] {
        lock.Acquire();
        condition.Notify();
      });
      EXPECT_THROW(condition.Wait(), std::logic_error);
      EXPECT_TRUE(lock.locked());
    }
    EXPECT_FALSE(lock.locked());
  });
}

TYPED_TEST(LockOfTheDead, B6_8_OneKilledGoesOnBeingKilledWhenItTakesTheLockOver) {
  OnFreshThread([] {
    TypeParam lock;
    Condition condition(lock);
    auto waiter = Spawn([&] {
      const std::lock_guard<TypeParam> hold(lock);
      condition.Wait();
    });
    Sleep();
    Spawn([&] { lock.Acquire(); }).Wait();
    waiter.Kill();
    EXPECT_FALSE(waiter.Ready());
    EXPECT_THROW(waiter.Wait(), GreenletExit);
    EXPECT_FALSE(lock.locked());
  });
}

}  // namespace
}  // namespace verdant
