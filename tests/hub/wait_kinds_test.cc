// Waiting for several things of every kind that there is (row B1.15).

#include <cstddef>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "hub/async_result.h"
#include "hub/bounded_semaphore.h"
#include "hub/capped_semaphore.h"
#include "hub/condition.h"
#include "hub/event.h"
#include "hub/flag.h"
#include "hub/green_thread.h"
#include "hub/lock.h"
#include "hub/metaphore.h"
#include "hub/semaphore.h"
#include "hub/timeout.h"
#include "hub/wait.h"
#include "tests/hub/green_thread_testing.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

using Places = std::vector<std::size_t>;

static_assert(Linkable<Event<int>>);
static_assert(Linkable<Event<>>);
static_assert(Linkable<Flag>);
static_assert(Linkable<Semaphore>);
static_assert(Linkable<BoundedSemaphore>);
static_assert(Linkable<AsyncResult<int>>);
static_assert(Linkable<Metaphore>);
static_assert(Linkable<GreenThread<void>>);
static_assert(Linkable<AnyGreenThread>);
// One can become ready on two sides, and the others are not states but turns to be taken.
static_assert(!Linkable<CappedSemaphore>);
static_assert(!Linkable<Lock>);
static_assert(!Linkable<RLock>);
static_assert(!Linkable<Condition>);

// One of each, not ready, and what makes each ready.
struct Kinds {
  Event<int> event;
  Flag flag;
  Semaphore semaphore{0};
  BoundedSemaphore bounded{1};
  AsyncResult<int> result;
  Metaphore metaphore;
  Event<> go;
  GreenThread<void> green = Spawn([this] { go.Wait(); });

  Kinds() {
    bounded.Acquire();
    metaphore.Inc();
    Sleep();
  }
  ~Kinds() { green.KillAndJoin(); }

  static constexpr std::size_t kCount = 7;
  std::vector<Waitable> All() {
    return {event, flag, semaphore, bounded, result, metaphore, green};
  }
  void MakeReady(std::size_t place) {
    switch (place) {
      case 0:
        return event.Send(5);
      case 1:
        return flag.Set();
      case 2:
        return semaphore.Release();
      case 3:
        return bounded.Release();
      case 4:
        return result.Set(6);
      case 5:
        return metaphore.Dec();
      default:
        return go.Send();
    }
  }
};

TEST(WaitKinds, B1_15_AnyMixtureComesAsEachBecomesReady) {
  WithManualClock([](ManualClock& clock) {
    const Places order = {4, 6, 2, 0, 5, 3, 1};
    Kinds kinds;
    auto driver = Spawn([&] {
      for (const std::size_t place : order) {
        Sleep(absl::Seconds(1));
        kinds.MakeReady(place);
      }
    });
    Places came;
    for (const std::size_t place : IWait(kinds.All())) {
      came.push_back(place);
      EXPECT_EQ(clock.SinceStart(), absl::Seconds(came.size()));
    }
    EXPECT_EQ(came, order);
    driver.Wait();
    // Nothing was taken, and all are ready from now on: in the order given.
    EXPECT_EQ(kinds.semaphore.count(), 1);
    EXPECT_EQ(kinds.bounded.count(), 1);
    EXPECT_EQ(Wait(kinds.All()), (Places{0, 1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(Wait(kinds.All(), Deadline::Never(), 2), (Places{0, 1}));
    EXPECT_TRUE(WaitAll(kinds.All(), absl::ZeroDuration()));
    EXPECT_EQ(kinds.event.Wait(), 5);
  });
}

TEST(WaitKinds, B1_15_AnyOneOfThemEndsAWaitForOne) {
  WithManualClock([](ManualClock&) {
    for (std::size_t place = 0; place < Kinds::kCount; ++place) {
      Kinds kinds;
      EXPECT_EQ(WaitAny(kinds.All(), absl::Seconds(1)), std::nullopt);
      auto driver = Spawn([&] { kinds.MakeReady(place); });
      EXPECT_EQ(WaitAny(kinds.All(), absl::Seconds(1)), place);
      EXPECT_FALSE(WaitAll(kinds.All(), absl::Seconds(1)));
      driver.Wait();
    }
  });
}

TEST(WaitKinds, B1_15_AnInterruptedWaitLosesNothingAndLeavesNothingLinked) {
  WithManualClock([](ManualClock&) {
    Reports reports;
    Kinds kinds;
    {
      IWait wait(kinds.All());
      EXPECT_FALSE(WithTimeout(absl::Seconds(1), [&] { wait.Next(); }));
      kinds.MakeReady(3);
      kinds.MakeReady(6);
      Sleep();
      EXPECT_EQ(wait.Next(), 3u);
      EXPECT_EQ(wait.Next(), 6u);
      EXPECT_FALSE(WithTimeout(absl::Seconds(1), [&] { wait.Next(); }));
    }
    // What would be called now would find the wait gone.
    for (const std::size_t place : {0, 1, 2, 4, 5}) kinds.MakeReady(place);
    EXPECT_FALSE(kinds.green.HasLinks());
    EXPECT_EQ(Wait(kinds.All()).size(), Kinds::kCount);
    EXPECT_EQ(reports.errors, std::vector<std::string>());
  });
}

TEST(WaitKinds, B1_15_AnExceptionIsAnEndLikeAnyOther) {
  WithManualClock([](ManualClock&) {
    Event<int> event;
    AsyncResult<int> result;
    auto green = Spawn([] {
      Sleep(absl::Seconds(1));
      throw std::runtime_error("boom");
    });
    auto driver = Spawn([&] {
      Sleep(absl::Seconds(2));
      result.SetException(Boom());
      Sleep(absl::Seconds(1));
      event.SendException(Boom());
    });
    EXPECT_EQ(Wait({event, result, green}), (Places{2, 1, 0}));
    EXPECT_THROW(event.Wait(), std::runtime_error);
    EXPECT_THROW(result.Get(), std::runtime_error);
    EXPECT_THROW(green.Wait(), std::runtime_error);
  });
}

}  // namespace
}  // namespace verdant
