#include "hub/mutex_check.h"

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/lock.h"
#include "tests/hub/manual_clock.h"
#include "tests/testing/emulated.h"

namespace verdant {
namespace {

// Runs body() with the check on; what it reported.
template <typename Body>
std::vector<std::string> Reported(Body&& body) {
  std::vector<std::string> reports;
  SetMutexCheckHandler([&](const std::string& text) { reports.push_back(text); });
  EnableMutexCheck(true);
  WithManualClock([&](ManualClock&) { body(); });
  SetMutexCheckHandler(nullptr);
  return reports;
}

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(MutexCheck, TellsOfAMutexHeldAcrossASleep) {
  std::mutex mutex;
  const auto reports = Reported([&] {
    auto holder = Spawn([&] {
      const std::lock_guard<std::mutex> lock(mutex);
      Sleep(absl::Seconds(1));
    });
    holder.SetName("holder");
    holder.Wait();
  });
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_TRUE(Contains(reports[0], "'holder' spawned at ")) << reports[0];
  EXPECT_TRUE(Contains(reports[0], "mutex_check_test.cc:")) << reports[0];
  EXPECT_TRUE(Contains(reports[0], "while it waits in Sleep")) << reports[0];
  char address[32];
  std::snprintf(address, sizeof(address), "%p", static_cast<void*>(&mutex));
  EXPECT_TRUE(Contains(reports[0], std::string("holds the mutex ") + address)) << reports[0];
  EXPECT_TRUE(Contains(reports[0], "  locked from\n    #0 ")) << reports[0];
  EXPECT_TRUE(Contains(reports[0], "(mutex_check_test+0x")) << reports[0];
}

TEST(MutexCheck, HasNothingToSayOfOneReleasedBefore) {
  std::mutex mutex;
  const auto reports = Reported([&] {
    Spawn([&] {
      for (int i = 0; i < 3; ++i) {
        mutex.lock();
        mutex.unlock();
        Sleep(absl::Seconds(1));
        EXPECT_TRUE(mutex.try_lock());
        mutex.unlock();
        Sleep();
      }
    }).Wait();
  });
  EXPECT_TRUE(reports.empty()) << reports[0];
}

[[gnu::noinline]] void SleepUnder(std::mutex& inner) {
  const std::lock_guard<std::mutex> lock(inner);
  Sleep(absl::Seconds(1));
}

TEST(MutexCheck, TellsOfEachOfNestedFunctionsThatHoldOne) {
  std::mutex outer;
  std::mutex inner;
  const auto reports = Reported([&] {
    Spawn([&] {
      const std::lock_guard<std::mutex> lock(outer);
      SleepUnder(inner);
    }).Wait();
  });
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_FALSE(Contains(reports[0], "SleepUnder"));
  // Functions are found by way of the kernel's list of what is mapped: by the emulator, then.
  if (!Emulated()) {
    EXPECT_TRUE(Contains(reports[1], "SleepUnder")) << reports[1];
  }
}

TEST(MutexCheck, ARecursiveMutexIsHeldUntilItsLastUnlock) {
  std::recursive_mutex mutex;
  const auto reports = Reported([&] {
    Spawn([&] {
      mutex.lock();
      mutex.lock();
      mutex.unlock();
      Sleep(absl::Seconds(1));
      mutex.unlock();
      Sleep(absl::Seconds(1));
    }).Wait();
  });
  EXPECT_EQ(reports.size(), 1u);
}

TEST(MutexCheck, WaitingForAConditionVariableIsNotHolding) {
  std::mutex mutex;
  std::condition_variable condition;
  bool ready = false;
  const auto reports = Reported([&] {
    std::thread other([&] {
      const std::lock_guard<std::mutex> lock(mutex);
      ready = true;
      condition.notify_one();
    });
    Spawn([&] {
      std::unique_lock<std::mutex> lock(mutex);
      condition.wait(lock, [&] { return ready; });
      lock.unlock();
      Sleep(absl::Seconds(1));
    }).Wait();
    other.join();
  });
  EXPECT_TRUE(reports.empty()) << reports[0];
}

TEST(MutexCheck, AfterAConditionVariableItIsHeldAgain) {
  std::mutex mutex;
  std::condition_variable condition;
  const auto reports = Reported([&] {
    Spawn([&] {
      std::unique_lock<std::mutex> lock(mutex);
      condition.wait_for(lock, std::chrono::milliseconds(1));
      Sleep(absl::Seconds(1));
    }).Wait();
  });
  EXPECT_EQ(reports.size(), 1u);
}

TEST(MutexCheck, TellsAfterwardsOfOneHeldWhileOthersRanInTheSameTurn) {
  std::mutex mutex;
  const auto reports = Reported([&] {
    Event<> go;
    auto holder = Spawn([&] {
      const std::lock_guard<std::mutex> lock(mutex);
      go.Wait();
    });
    auto other = Spawn([&] { go.Send(); });
    holder.Wait();
    other.Wait();
  });
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_TRUE(Contains(reports[0], "held the mutex 0x")) << reports[0];
  EXPECT_TRUE(Contains(reports[0], "Event")) << reports[0];
}

TEST(MutexCheck, TellsWhoMeetsAMutexOfAnotherGreenThread) {
  std::recursive_mutex mutex;
  const auto reports = Reported([&] {
    Event<> go;
    auto holder = Spawn([&] {
      const std::lock_guard<std::recursive_mutex> lock(mutex);
      go.Wait();
    });
    holder.SetName("holder");
    auto other = Spawn([&] {
      const std::lock_guard<std::recursive_mutex> lock(mutex);
      go.Send();
    });
    other.SetName("other");
    other.Wait();
    holder.Wait();
  });
  ASSERT_FALSE(reports.empty());
  EXPECT_TRUE(Contains(reports[0], "'other'")) << reports[0];
  EXPECT_TRUE(Contains(reports[0], "'holder'")) << reports[0];
  EXPECT_TRUE(Contains(reports[0], "both have it now")) << reports[0];
  EXPECT_TRUE(Contains(reports[0], "locks it from\n    #0 ")) << reports[0];
}

TEST(MutexCheck, ReadersOfASharedMutexDoNotCollide) {
  std::shared_mutex mutex;
  const auto reports = Reported([&] {
    Event<> go;
    auto reader = Spawn([&] {
      const std::shared_lock<std::shared_mutex> lock(mutex);
      go.Wait();
    });
    auto other = Spawn([&] {
      { const std::shared_lock<std::shared_mutex> lock(mutex); }
      go.Send();
    });
    other.Wait();
    reader.Wait();
  });
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_TRUE(Contains(reports[0], "held the mutex")) << reports[0];
}

TEST(MutexCheck, EachPlaceIsReportedOnce) {
  std::mutex mutex;
  const auto reports = Reported([&] {
    Spawn([&] {
      for (int i = 0; i < 5; ++i) SleepUnder(mutex);
    }).Wait();
  });
  EXPECT_EQ(reports.size(), 1u);
}

TEST(MutexCheck, AGreenThreadThatEndsWithOneIsNotFollowed) {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  const auto reports = Reported([&] {
    Spawn([&] { pthread_mutex_lock(&mutex); }).Wait();
    Sleep(absl::Seconds(1));
    pthread_mutex_unlock(&mutex);
  });
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_TRUE(Contains(reports[0], "which has ended")) << reports[0];
}

TEST(MutexCheck, ALockOfGreenThreadsMayBeHeld) {
  const auto reports = Reported([&] {
    Lock lock;
    Spawn([&] {
      const std::lock_guard<Lock> guard(lock);
      Sleep(absl::Seconds(1));
    }).Wait();
  });
  EXPECT_TRUE(reports.empty()) << reports[0];
}

TEST(MutexCheck, OffOrOnThreadsWithoutAHubItSaysNothing) {
  std::mutex mutex;
  std::vector<std::string> reports;
  SetMutexCheckHandler([&](const std::string& text) { reports.push_back(text); });
  EnableMutexCheck(false);
  WithManualClock([&](ManualClock&) { Spawn([&] { SleepUnder(mutex); }).Wait(); });
  EnableMutexCheck(true);
  std::thread([&] {
    const std::lock_guard<std::mutex> lock(mutex);
    std::this_thread::yield();
  }).join();
  SetMutexCheckHandler(nullptr);
  EXPECT_TRUE(reports.empty()) << reports[0];
}

}  // namespace
}  // namespace verdant
