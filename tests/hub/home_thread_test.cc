// A green thread is resumed on the thread that it began on and on no other: what would bring it
// elsewhere is refused, and what must never happen is asserted.

#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "greenlet/greenlet.h"
#include "gtest/gtest.h"
#include "hub/async_result.h"
#include "hub/bounded_semaphore.h"
#include "hub/capped_semaphore.h"
#include "hub/condition.h"
#include "hub/event.h"
#include "hub/flag.h"
#include "hub/green_thread.h"
#include "hub/hub_group.h"
#include "hub/lock.h"
#include "hub/metaphore.h"
#include "hub/semaphore.h"
#include "hub/timeout.h"
#include "tests/hub/hub_group_testing.h"
#include "tests/hub/shared_testing.h"
#include "tests/testing/death_tests.h"

namespace verdant {
namespace {

// A green thread of this hub that waits, and where it found itself whenever it ran.
class Sleeper {
 public:
  Sleeper() {
    thread_ = Spawn([this] {
      task_ = Hub::Current().CurrentTask();
      while (!over_) {
        ran_on_.push_back(std::this_thread::get_id());
        awake_.Wait();
        awake_.Reset();
      }
    });
    Sleep();
  }
  ~Sleeper() {
    over_ = true;
    awake_.Send();
    thread_.Join();
  }
  void Wake() {
    awake_.Send();
    Sleep();
  }
  const GreenThread<void>& thread() const { return thread_; }
  internal::Task* task() const { return task_; }
  Event<>& awake() { return awake_; }
  const std::vector<std::thread::id>& ran_on() const { return ran_on_; }

 private:
  GreenThread<void> thread_;
  internal::Task* task_ = nullptr;
  Event<> awake_;
  std::vector<std::thread::id> ran_on_;
  bool over_ = false;
};

TEST(HomeThread, A12_1_NothingOnAnotherThreadResumesAGreenThread) {
  HubGroup group(Two());
  Hub& hub = Hub::Current();
  Sleeper sleeper;
  auto prepared = Prepare([] {});
  Semaphore semaphore(0);
  auto taker = Spawn([&] { semaphore.Acquire(); });
  Lock lock;
  auto holder = Spawn([&] {
    lock.Acquire();
    semaphore.Acquire();
    lock.Release();
  });
  Sleep();
  auto locker = Spawn([&] {
    lock.Acquire();
    lock.Release();
  });
  Sleep();
  for (std::size_t i = 0; i < 2; ++i) {
    group.RunInHub(i, [&] {
      EXPECT_THROW(hub.Wake(sleeper.task()), std::logic_error);
      EXPECT_THROW(sleeper.thread().Kill(), std::logic_error);
      EXPECT_THROW(sleeper.thread().KillSoon(), std::logic_error);
      EXPECT_THROW(sleeper.thread().Join(absl::ZeroDuration()), std::logic_error);
      EXPECT_THROW(sleeper.awake().Send(), std::logic_error);
      EXPECT_THROW(semaphore.Release(), std::logic_error);
      EXPECT_THROW(lock.Release(), std::logic_error);
      EXPECT_THROW(prepared.Start(), std::logic_error);
      EXPECT_THROW(prepared.StartLater(absl::ZeroDuration()), std::logic_error);
      Sleep();
    });
  }
  EXPECT_FALSE(sleeper.thread().Ready());
  EXPECT_FALSE(taker.Ready());
  EXPECT_FALSE(locker.Ready());
  for (int n = 0; n < 10; ++n) sleeper.Wake();
  EXPECT_EQ(sleeper.ran_on().size(), 11u);
  for (const std::thread::id id : sleeper.ran_on()) EXPECT_EQ(id, std::this_thread::get_id());
  for (int i = 0; i < 2; ++i) semaphore.Release();
  EXPECT_TRUE(JoinAll({taker, holder, locker}));
}

// With nobody who waits or has linked, so that nothing but the thread is wrong.
TEST(HomeThread, WhatNobodyWaitsForIsRefusedOnAnotherThreadToo) {
  Flag flag;
  AsyncResult<int> result;
  Metaphore metaphore;
  HubThread([&] {
    EXPECT_THROW(flag.Set(), std::logic_error);
    EXPECT_THROW(result.Set(1), std::logic_error);
    EXPECT_THROW(metaphore.Inc(), std::logic_error);
  }).Join();
#ifdef NDEBUG
  GTEST_SKIP() << "assertions are compiled out";
#else
  Event<int> event;
  Event<int> sent;
  sent.Send(1);
  Semaphore semaphore;
  BoundedSemaphore bounded;
  bounded.Acquire();
  CappedSemaphore capped(1, 2);
  Lock lock;
  Lock held;
  held.Acquire();
  RLock recursive;
  Condition condition(held);
  HubThread([&] {
    EXPECT_THROW(event.Send(1), std::logic_error);
    EXPECT_THROW(event.SendException(std::make_exception_ptr(1)), std::logic_error);
    EXPECT_THROW(event.Wait(absl::ZeroDuration()), std::logic_error);
    EXPECT_THROW(event.Link([] {}), std::logic_error);
    EXPECT_THROW(sent.Wait(), std::logic_error);
    EXPECT_THROW(sent.Reset(), std::logic_error);
    EXPECT_THROW(semaphore.Release(), std::logic_error);
    EXPECT_THROW(semaphore.Acquire(), std::logic_error);
    EXPECT_THROW(semaphore.Acquire(absl::ZeroDuration()), std::logic_error);
    EXPECT_THROW(semaphore.TryAcquire(), std::logic_error);
    EXPECT_THROW(semaphore.Wait(), std::logic_error);
    EXPECT_THROW(semaphore.Adjust(1), std::logic_error);
    EXPECT_THROW(semaphore.Link([] {}), std::logic_error);
    EXPECT_THROW(bounded.Release(), std::logic_error);
    EXPECT_THROW(capped.Release(), std::logic_error);
    EXPECT_THROW(lock.Acquire(), std::logic_error);
    EXPECT_THROW(lock.TryAcquire(), std::logic_error);
    EXPECT_THROW(held.Release(), std::logic_error);
    EXPECT_THROW(recursive.Acquire(), std::logic_error);
    EXPECT_THROW(condition.Notify(), std::logic_error);
    EXPECT_THROW(condition.NotifyAll(), std::logic_error);
    EXPECT_THROW(condition.Wait(), std::logic_error);
  }).Join();
  // And nothing has changed.
  EXPECT_FALSE(event.Ready());
  EXPECT_TRUE(sent.Ready());
  EXPECT_EQ(semaphore.count(), 1);
  EXPECT_EQ(bounded.count(), 0);
  EXPECT_EQ(capped.count(), 1);
  EXPECT_FALSE(lock.locked());
  EXPECT_TRUE(held.locked());
  EXPECT_FALSE(recursive.locked());
#endif
}

TEST(HomeThread, NorDoesAGreenletsSwitch) {
  HubGroup group(Two());
  Greenlet suspended([] { Greenlet::Current().parent().Switch(); });
  suspended.Switch();
  group.RunInHub(0, [&] { EXPECT_ANY_THROW(suspended.Switch()); });
  EXPECT_FALSE(suspended.dead());
  suspended.Switch();
  EXPECT_TRUE(suspended.dead());
}

TEST(HomeThread, WhatSleepsYieldsAndIsInterruptedOnAGroupStaysWhereItBegan) {
  HubGroup group(Two());
  std::vector<RemoteGreenThread<bool>> all;
  for (int i = 0; i < 200; ++i) {
    all.push_back(group.Spawn([&group, i] {
      const std::thread::id home = std::this_thread::get_id();
      const auto number = group.Here();
      bool stayed = true;
      for (int n = 0; n < 5; ++n) {
        Sleep();
        WithTimeout(absl::Microseconds(i), [] { Sleep(absl::Hours(1)); });
        group.RunInHub(static_cast<std::size_t>(i + n) % 2, [] { Sleep(); });
        stayed = stayed && std::this_thread::get_id() == home && group.Here() == number;
      }
      return stayed;
    }));
  }
  for (auto& one : all) EXPECT_TRUE(one.Wait());
}

// There is no call for it: this is done by going behind the interface's back.
TEST(HomeThreadDeathTest, AHubHandedTheGreenThreadOfAnotherStops) {
#ifdef NDEBUG
  GTEST_SKIP() << "assertions are compiled out";
#else
  DieInAFreshProcess();
  EXPECT_DEATH(
      {
        Sleeper sleeper;
        HubThread([&] {
          Hub::Current().Start(sleeper.task());
          Sleep();
        }).Join();
      },
      "a green thread is resumed on its own thread");
#endif
}

}  // namespace
}  // namespace verdant
