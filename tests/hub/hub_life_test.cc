// Hubs that cannot be made, and what outlives those that were.

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/time/time.h"
#include "greenlet/stack.h"
#include "gtest/gtest.h"
#include "hub/dump.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "hub/io.h"
#include "hub/lock.h"
#include "hub/metaphore.h"
#include "hub/remote_green_thread.h"
#include "hub/semaphore.h"
#include "hub/shared_semaphore.h"
#include "hub/timeout.h"
#include "tests/hub/io_testing.h"
#include "tests/hub/manual_clock.h"
#include "tests/testing/death_tests.h"

namespace verdant {
namespace {

// While one exists, no thread can be made: there is no room for its stack.
class NoThreads {
 public:
  NoThreads() {
    pthread_getattr_default_np(&before_);
    pthread_attr_t huge;
    pthread_attr_init(&huge);
    pthread_attr_setstacksize(&huge, std::size_t{1} << 50);  // more than an address has bits for
    EXPECT_EQ(pthread_setattr_default_np(&huge), 0);
    pthread_attr_destroy(&huge);
  }
  NoThreads(const NoThreads&) = delete;
  NoThreads& operator=(const NoThreads&) = delete;
  ~NoThreads() {
    pthread_setattr_default_np(&before_);
    pthread_attr_destroy(&before_);
  }

 private:
  pthread_attr_t before_;
};

TEST(HubLife, OneThatCannotBeMadeLeavesNothingBehind) {
  OnFreshThread([] {
    {
      const NoThreads none;
      Hub::Options watched;
      watched.blocking_threshold = absl::Seconds(10);
      EXPECT_THROW(Hub::Configure(watched), std::system_error);
      EXPECT_THROW(Hub::Configure(watched), std::system_error);
    }
    EXPECT_EQ(DumpAllHubs().find("hub "), std::string::npos) << DumpAllHubs();
    Hub::Configure({.poller = "poll"});
    EXPECT_EQ(Spawn([] { return 42; }).Wait(), 42);
    EXPECT_EQ(Hub::Current().poller(), "poll");
  });
}

TEST(HubLife, AStackThatCannotBeIsAnError) {
  OnFreshThread([] {
    EXPECT_THROW(Hub::Configure({.stack_size = SIZE_MAX}), StackExhausted);
    EXPECT_THROW(SetDefaultStackSize(SIZE_MAX), std::logic_error);
    EXPECT_EQ(Spawn([] { return 42; }).Wait(), 42);
  });
}

TEST(HubLife, ADescriptorThatOutlivesItsHubIsAsIfClosed) {
  Pair pair;
  std::optional<IoDescriptor> left;
  OnFreshThread([&] {
    left = *IoDescriptor::Register(pair.fd[0]);
    EXPECT_TRUE(left->registered());
  });
  EXPECT_FALSE(left->registered());
  EXPECT_EQ(left->fd(), -1);
  EXPECT_TRUE(left->MaybeReadable());
  EXPECT_EQ(left->WaitReadable(), IoWait::kClosed);
  IoDescriptor moved = *std::move(left);
  left = *IoDescriptor::Register(pair.fd[0]);
  moved.Unregister();
  moved.Unregister();
  EXPECT_TRUE(left->registered());
}

TEST(HubLife, AHandleOnWhatItLeftBehindIsRefused) {
  GreenThread<void> left;
  OnFreshThread([&] {
    left = Spawn([] { Sleep(absl::Hours(1)); });
    Sleep();
  });
  EXPECT_THROW(left.Kill(), std::logic_error);
  EXPECT_THROW(left.Join(), std::logic_error);
  EXPECT_FALSE(left.Ready());
}

TEST(HubLife, WhoWaitsForACallInOneThatEndsIsToldThoughWhatItCapturedHasNotEnded) {
  std::promise<Hub::Remote> home;
  std::atomic<bool> ending{false};
  std::thread thread([&] {
    const Hub::Keepalive keepalive(Hub::Current());
    home.set_value(Hub::Remote(Hub::Current()));
    while (!ending) Sleep(absl::Microseconds(100));
  });
  std::shared_ptr<void> slow(nullptr, [&](void*) {
    ending = true;
    Sleep(absl::InfiniteDuration());
  });
  auto call = SpawnInHub(home.get_future().get(), [slow = std::move(slow)] {});
  EXPECT_THROW(call.Wait(), std::runtime_error);
  thread.join();
}

TEST(HubLife, A7_6_ATimeoutOfAnotherThreadIsNotOnesOwn) {
  OnFreshThread([] {
    Timeout own(absl::Hours(1));
    std::exception_ptr theirs;
    OnFreshThread([&] {
      try {
        Timeout other(absl::ZeroDuration());
        Sleep(absl::Hours(1));
      } catch (const TimeoutExpired&) {
        theirs = std::current_exception();
      }
    });
    try {
      std::rethrow_exception(theirs);
    } catch (const TimeoutExpired& expired) {
      EXPECT_FALSE(own.Owns(expired));
    }
  });
}

TEST(HubLife, CountsThatWouldOverflowAreRefused) {
  Semaphore semaphore(INT64_MAX - 1);
  semaphore.Release();
  EXPECT_EQ(semaphore.count(), INT64_MAX);
  SharedSemaphore shared(INT64_MAX - 1);
  shared.Release(1);
  EXPECT_THROW(shared.Release(1), std::logic_error);
  EXPECT_EQ(shared.count(), INT64_MAX);
  Metaphore metaphore;
  metaphore.Inc(INT64_MAX);
  EXPECT_THROW(metaphore.Inc(), std::logic_error);
  metaphore.Dec(INT64_MAX);
  metaphore.Wait();
}

// What a program's globals may do when the main thread's hub is gone already.
struct Globals {
  Event<> event;
  Semaphore semaphore{0};
  Lock lock;
};

TEST(HubLifeDeathTest, GlobalsThatGreenThreadsWaitedForMayBeUsedAndEndAfterIt) {
  DieInAFreshProcess();
  EXPECT_EXIT(
      {
        static std::optional<Globals> globals;
        globals.emplace();
        atexit([] {
          globals->event.Send();
          globals->semaphore.Release();
          globals->lock.Release();
          globals.reset();
          _exit(7);
        });
        globals->lock.Acquire();
        SpawnN([] { globals->event.Wait(); });
        SpawnN([] { globals->semaphore.Acquire(); });
        SpawnN([] { globals->lock.Acquire(); });
        Sleep();
        exit(1);
      },
      ::testing::ExitedWithCode(7), "");
}

}  // namespace
}  // namespace verdant
