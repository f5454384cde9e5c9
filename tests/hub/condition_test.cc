#include "hub/condition.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hub/errors.h"
#include "hub/green_thread.h"
#include "hub/timeout.h"
#include "tests/hub/manual_clock.h"
#include "tests/hub/sync_testing.h"

namespace verdant {
namespace {

template <typename AnyLock>
class ConditionTest : public testing::Test {
 protected:
  // Waits in the background and notes when it has the lock again.
  GreenThread<bool> Waiter(int number, Deadline deadline = Deadline::Never()) {
    return Spawn([this, number, deadline] {
      const std::lock_guard<AnyLock> hold(lock);
      const bool notified = condition.Wait(deadline);
      order.push_back(number);
      return notified;
    });
  }
  void Notify(std::size_t count) {
    const std::lock_guard<AnyLock> hold(lock);
    condition.Notify(count);
  }

  AnyLock lock;
  Condition condition{lock};
  std::vector<int> order;
};
using Locks = testing::Types<Lock, RLock>;
TYPED_TEST_SUITE(ConditionTest, Locks);

TYPED_TEST(ConditionTest, B6_8_WaitReleasesTheLockAndHasItAgainAfterwards) {
  auto waiter = this->Waiter(1);
  Sleep();
  EXPECT_FALSE(this->lock.locked());
  EXPECT_EQ(this->condition.waiting(), 1u);
  this->lock.Acquire();
  this->condition.Notify();
  EXPECT_EQ(this->condition.waiting(), 0u);
  Sleep();
  Sleep();
  EXPECT_FALSE(waiter.Ready()) << "the lock is not free yet";
  this->lock.Release();
  EXPECT_TRUE(waiter.Wait());
  EXPECT_FALSE(this->lock.locked());
}

TYPED_TEST(ConditionTest, B6_8_NotifyWakesAsManyAsSaidInTheOrderTheyCame) {
  std::vector<GreenThread<bool>> waiters;
  for (int i = 0; i < 1000; ++i) waiters.push_back(this->Waiter(i));
  Sleep();
  EXPECT_EQ(this->condition.waiting(), 1000u);
  this->Notify(0);
  EXPECT_EQ(this->condition.waiting(), 1000u);
  this->Notify(3);
  EXPECT_EQ(this->condition.waiting(), 997u);
  waiters[2].Join();
  Sleep();
  EXPECT_EQ(this->order, (std::vector<int>{0, 1, 2}));
  this->Notify(1);
  waiters[3].Join();
  Sleep();
  EXPECT_EQ(this->order.size(), 4u);
  {
    const std::lock_guard<TypeParam> hold(this->lock);
    this->condition.NotifyAll();
  }
  EXPECT_EQ(this->condition.waiting(), 0u);
  JoinAll(waiters);
  ASSERT_EQ(this->order.size(), 1000u);
  EXPECT_TRUE(std::is_sorted(this->order.begin(), this->order.end()));
  this->Notify(5);  // nobody is left
}

TYPED_TEST(ConditionTest, B6_8_WithoutTheLockEveryCallIsALogicError) {
  EXPECT_THROW(this->condition.Wait(), std::logic_error);
  EXPECT_THROW(this->condition.Notify(), std::logic_error);
  EXPECT_THROW(this->condition.NotifyAll(), std::logic_error);
  EXPECT_THROW(this->condition.WaitFor([] { return false; }), std::logic_error);
  EXPECT_EQ(this->condition.waiting(), 0u);
  EXPECT_FALSE(this->lock.locked());
}

TYPED_TEST(ConditionTest, B6_8_ADeadlineThatPassesIsFalseWithTheLockHeld) {
  WithManualClock([](ManualClock& clock) {
    TypeParam lock;
    Condition condition(lock);
    lock.Acquire();
    EXPECT_FALSE(condition.Wait(absl::Seconds(2)));
    EXPECT_TRUE(lock.locked());
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(2));
    EXPECT_EQ(condition.waiting(), 0u);
    EXPECT_FALSE(condition.Wait(absl::ZeroDuration()));
    lock.Release();
    EXPECT_FALSE(lock.locked());
  });
}

TEST(ConditionOverLock, B6_8_ANotificationAfterTheDeadlineButBeforeTheWaiterRanCounts) {
  WithManualClock([](ManualClock&) {
    Lock lock;
    Condition condition(lock);
    auto waiter = Spawn([&] {
      const std::lock_guard<Lock> hold(lock);
      return condition.Wait(absl::Seconds(1));
    });
    Sleep();
    Hub::Current().ScheduleCall(absl::Seconds(1), [&] {
      ASSERT_TRUE(lock.TryAcquire());
      condition.Notify();
      lock.Release();
    });
    EXPECT_TRUE(waiter.Wait());
  });
}

TYPED_TEST(ConditionTest, B6_8_WaitForAsksBeforeItWaitsAndAfterEachNotification) {
  WithManualClock([](ManualClock& clock) {
    TypeParam lock;
    Condition condition(lock);
    int asked = 0;
    int value = 0;
    auto waiter = Spawn([&] {
      const std::lock_guard<TypeParam> hold(lock);
      return condition.WaitFor([&] {
        EXPECT_TRUE(lock.locked());
        ++asked;
        return value == 3;
      });
    });
    for (; value < 3; ++value) {
      Sleep();
      const std::lock_guard<TypeParam> hold(lock);
      condition.NotifyAll();
    }
    EXPECT_TRUE(waiter.Wait());
    EXPECT_EQ(asked, 4);
    const std::lock_guard<TypeParam> hold(lock);
    EXPECT_TRUE(condition.WaitFor([] { return true; }));
    EXPECT_FALSE(condition.WaitFor([] { return false; }, absl::Seconds(5)));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(5));
    Hub::Current().ScheduleCall(absl::Seconds(1), [&] { value = 4; });
    EXPECT_TRUE(condition.WaitFor([&] { return value == 4; }, absl::Seconds(5)))
        << "true at the deadline, though nobody notified";
  });
}

TYPED_TEST(ConditionTest, B6_8_OneKilledWhileWaitingHasTheLockAgainBeforeItUnwinds) {
  TypeParam& lock = this->lock;
  bool held_on_the_way_out = false;
  auto waiter = Spawn([&] {
    const std::lock_guard<TypeParam> hold(lock);
    try {
      this->condition.Wait();
    } catch (const GreenletExit&) {
      held_on_the_way_out = lock.locked();
      throw;
    }
  });
  Sleep();
  lock.Acquire();
  waiter.Kill();
  Sleep();
  EXPECT_FALSE(waiter.Ready()) << "it waits for the lock";
  EXPECT_EQ(lock.waiting(), 1u);
  waiter.Kill();  // which does not keep it from doing so
  EXPECT_FALSE(waiter.Ready());
  lock.Release();
  EXPECT_THROW(waiter.Wait(), GreenletExit);
  EXPECT_TRUE(held_on_the_way_out);
  EXPECT_FALSE(lock.locked());
  EXPECT_EQ(this->condition.waiting(), 0u);
}

TYPED_TEST(ConditionTest, B6_8_ATimeoutThrowsWithTheLockHeld) {
  WithManualClock([](ManualClock& clock) {
    TypeParam lock;
    Condition condition(lock);
    auto holder = Spawn([&] {
      Sleep();
      const std::lock_guard<TypeParam> hold(lock);
      Sleep(absl::Seconds(5));
    });
    {
      const std::lock_guard<TypeParam> hold(lock);
      const Timeout timeout(absl::Seconds(1));
      EXPECT_THROW(condition.Wait(), TimeoutExpired);
      EXPECT_TRUE(lock.locked());
      EXPECT_EQ(clock.SinceStart(), absl::Seconds(5));
    }
    EXPECT_FALSE(lock.locked());
    holder.Wait();
  });
}

TYPED_TEST(ConditionTest, B6_8_AKillThatComesWhileItTakesTheLockAgainIsThrownByTheNextWait) {
  bool got_through = false;
  auto waiter = Spawn([&] {
    const std::lock_guard<TypeParam> hold(this->lock);
    got_through = this->condition.Wait();
    Sleep();
    ADD_FAILURE();
  });
  Sleep();
  this->lock.Acquire();
  this->condition.Notify();
  Sleep();
  waiter.Kill();
  EXPECT_FALSE(got_through);
  this->lock.Release();
  EXPECT_THROW(waiter.Wait(), GreenletExit);
  EXPECT_TRUE(got_through);
  EXPECT_FALSE(this->lock.locked());
}

TYPED_TEST(ConditionTest, OneKilledAfterItWasNotifiedPassesItOn) {
  auto killed = this->Waiter(1);
  auto next = this->Waiter(2);
  auto last = this->Waiter(3);
  Sleep();
  this->Notify(1);
  killed.Kill();
  EXPECT_TRUE(next.Wait());
  EXPECT_THROW(killed.Wait(), GreenletExit);
  EXPECT_EQ(this->condition.waiting(), 1u);
  EXPECT_FALSE(last.Ready());
  last.Kill();
  EXPECT_EQ(this->condition.waiting(), 0u);
}

TYPED_TEST(ConditionTest, OneKilledAfterAllWereNotifiedWakesNoneThatCameLater) {
  auto killed = this->Waiter(1);
  Sleep();
  this->lock.Acquire();
  this->condition.NotifyAll();
  this->lock.Release();
  // In line before the killed one is told.
  auto later = Spawn([&] {
    const std::lock_guard<TypeParam> hold(this->lock);
    this->condition.Wait();
  });
  killed.Kill();
  Sleep();
  Sleep();
  EXPECT_EQ(this->condition.waiting(), 1u);
  EXPECT_FALSE(later.Ready());
  later.Kill();
}

TYPED_TEST(ConditionTest, ManyProducersAndConsumersLoseNothing) {
  std::deque<int> jobs;
  std::vector<int> done;
  std::vector<GreenThread<void>> all;
  for (int c = 0; c < 20; ++c) {
    all.push_back(Spawn([&] {
      for (int i = 0; i < 50; ++i) {
        const std::lock_guard<TypeParam> hold(this->lock);
        this->condition.WaitFor([&] { return !jobs.empty(); });
        done.push_back(jobs.front());
        jobs.pop_front();
      }
    }));
  }
  for (int p = 0; p < 10; ++p) {
    all.push_back(Spawn([&, p] {
      for (int i = 0; i < 100; ++i) {
        const std::lock_guard<TypeParam> hold(this->lock);
        jobs.push_back(p * 100 + i);
        this->condition.Notify();
        if (i % 9 == 0) Sleep();
      }
    }));
  }
  JoinAll(all);
  std::sort(done.begin(), done.end());
  ASSERT_EQ(done.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(done[i], i);
  EXPECT_FALSE(this->lock.locked());
}

TYPED_TEST(ConditionTest, ItsWaitersMayOutliveItNotifiedOrNot) {
  auto condition = std::make_unique<Condition>(this->lock);
  const auto wait = [&, c = condition.get()] {
    const std::lock_guard<TypeParam> hold(this->lock);
    return c->Wait();
  };
  auto notified = Spawn(wait);
  auto forgotten = Spawn(wait);
  Sleep();
  this->lock.Acquire();
  condition->Notify();
  condition = nullptr;
  this->lock.Release();
  EXPECT_TRUE(notified.Wait());
  Sleep();
  EXPECT_FALSE(forgotten.Ready());
  forgotten.Kill();
  EXPECT_THROW(forgotten.Wait(), GreenletExit);
  EXPECT_FALSE(this->lock.locked());
}

TYPED_TEST(ConditionTest, ADeadlockIsThrownWithTheLockHeld) {
  OnFreshThread([] {
    TypeParam lock;
    Condition condition(lock);
    const std::lock_guard<TypeParam> hold(lock);
    try {
      condition.Wait();
      ADD_FAILURE();
    } catch (const LoopExit& e) {
      EXPECT_NE(std::string(e.what()).find("waiting in Condition::Wait"), std::string::npos)
          << e.what();
    }
    EXPECT_TRUE(lock.locked());
  });
}

TYPED_TEST(ConditionTest, ALockThatIsDestroyedLetsGoOfWhoWouldTakeItAgain) {
  auto lock = std::make_unique<TypeParam>();
  Condition condition(*lock);
  auto waiter = Spawn([&, l = lock.get()] {
    l->Acquire();
    condition.Wait();
  });
  Sleep();
  lock->Acquire();
  waiter.Kill();
  Sleep();
  EXPECT_FALSE(waiter.Ready());
  lock = nullptr;
  EXPECT_THROW(waiter.Wait(), GreenletExit);
}

TYPED_TEST(ConditionTest, WaitingInAHubCallbackIsRefused) {
  this->lock.Acquire();
  EXPECT_NE(RefusalInHubCallback([&] { this->condition.Wait(); }).find("hub callback"),
            std::string::npos);
  EXPECT_EQ(this->condition.waiting(), 0u);
  EXPECT_TRUE(this->lock.locked());
  this->lock.Release();
}

TEST(ConditionOverRLock, B6_8_WaitReleasesItHoweverOftenItWasTakenAndTakesItAsOften) {
  RLock lock;
  Condition condition(lock);
  std::size_t depth = 0;
  auto waiter = Spawn([&] {
    const std::lock_guard<RLock> outer(lock);
    const std::lock_guard<RLock> inner(lock);
    condition.Wait();
    depth = lock.depth();
  });
  Sleep();
  EXPECT_FALSE(lock.locked());
  {
    const std::lock_guard<RLock> hold(lock);
    condition.Notify();
  }
  waiter.Wait();
  EXPECT_EQ(depth, 2u);
  EXPECT_FALSE(lock.locked());
}

TEST(ConditionOverRLock, B6_8_AnothersLockIsNotEnough) {
  RLock lock;
  Condition condition(lock);
  lock.Acquire();
  Spawn([&] {
    EXPECT_THROW(condition.Notify(), std::logic_error);
    EXPECT_THROW(condition.NotifyAll(), std::logic_error);
    EXPECT_THROW(condition.Wait(), std::logic_error);
  }).Wait();
  lock.Release();
}

}  // namespace
}  // namespace verdant
