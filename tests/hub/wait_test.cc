#include "hub/wait.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "hub/timeout.h"
#include "tests/hub/green_thread_testing.h"
#include "tests/hub/manual_clock.h"
#include "tests/testing/death_tests.h"

namespace verdant {
namespace {

// Something to wait for: what the concept asks for and no more. Calls its links each time.
class Signal {
 public:
  std::uint64_t Link(absl::AnyInvocable<void()> f) {
    links_.emplace(++last_, std::move(f));
    return last_;
  }
  void Unlink(std::uint64_t link) { links_.erase(link); }
  bool Ready() const { return ready_; }

  void Fire() {
    ready_ = true;
    for (auto& [id, f] : links_) f();
  }
  std::size_t links() const { return links_.size(); }

 private:
  std::map<std::uint64_t, absl::AnyInvocable<void()>> links_;
  std::uint64_t last_ = 0;
  bool ready_ = false;
};

using Places = std::vector<std::size_t>;

static_assert(Linkable<AnyGreenThread>);
static_assert(Linkable<const GreenThread<int>>);
static_assert(Linkable<Signal>);
static_assert(!Linkable<const Signal>);
static_assert(!Linkable<Waitable>);
static_assert(!Linkable<int>);

TEST(Wait, B1_15_GivesPlacesInTheOrderTheyBecameReady) {
  WithManualClock([](ManualClock& clock) {
    std::vector<GreenThread<void>> all;
    for (const int seconds : {3, 1, 0, 2})
      all.push_back(Spawn([seconds] { Sleep(absl::Seconds(seconds)); }));
    Sleep();
    Sleep();
    EXPECT_TRUE(all[2].Ready());
    EXPECT_EQ(Wait(all), (Places{2, 1, 3, 0}));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(3));
    EXPECT_EQ(Wait(all), (Places{0, 1, 2, 3}));  // all ready: in the order given
    for (const auto& thread : all) EXPECT_FALSE(thread.HasLinks());
  });
}

TEST(Wait, B1_15_StopsAtTheCountOrTheDeadline) {
  WithManualClock([](ManualClock& clock) {
    std::vector<GreenThread<void>> all;
    for (const int seconds : {4, 3, 2, 1})
      all.push_back(Spawn([seconds] { Sleep(absl::Seconds(seconds)); }));
    EXPECT_EQ(Wait(all, absl::Milliseconds(1500)), Places{3});
    EXPECT_EQ(clock.SinceStart(), absl::Milliseconds(1500));
    EXPECT_EQ(Wait(all, Deadline::Never(), 2), (Places{3, 2}));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(2));
    EXPECT_TRUE(Wait(all, Deadline::Never(), 0).empty());
    EXPECT_TRUE(Wait(std::vector<Waitable>()).empty());
    for (const auto& thread : all) EXPECT_FALSE(thread.HasLinks());
    EXPECT_FALSE(WaitAll(all, absl::Seconds(1)));
    EXPECT_TRUE(WaitAll(all));
    EXPECT_TRUE(WaitAll(std::vector<Waitable>()));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(4));
  });
}

TEST(Wait, B1_15_TakesAnyMixture) {
  Signal signal;
  Signal other;
  auto number = Spawn([&] {
    Sleep();
    signal.Fire();
    return 1;
  });
  auto text = Spawn([] { return std::string("x"); });
  EXPECT_EQ(Wait({other, number, signal, text}, Deadline::Never(), 3), (Places{3, 2, 1}));
  EXPECT_EQ(signal.links(), 0u);
  EXPECT_EQ(other.links(), 0u);
  EXPECT_EQ(WaitAny({other, signal}), 1u);
  EXPECT_FALSE(WaitAny({other}, absl::ZeroDuration()));
  EXPECT_FALSE(WaitAny(std::vector<Waitable>()));
  std::deque<Signal> signals(3);
  SpawnN([&] { signals[1].Fire(); });
  EXPECT_EQ(WaitAny(signals), 1u);
  for (const Signal& s : signals) EXPECT_EQ(s.links(), 0u);
}

TEST(IWait, B1_15_UnlinksEverythingOnEarlyExit) {
  std::deque<Signal> signals(4);
  SpawnN([&] {
    signals[2].Fire();
    signals[0].Fire();
  });
  Places seen;
  for (const std::size_t place : IWait(signals)) {
    seen.push_back(place);
    EXPECT_EQ(signals[place].links(), 0u);  // each as it is given out
    EXPECT_EQ(signals[1].links(), 1u);
    if (seen.size() == 2) break;
  }
  EXPECT_EQ(seen, (Places{2, 0}));
  for (const Signal& signal : signals) EXPECT_EQ(signal.links(), 0u);

  auto thrower = Spawn([&] {
    for (const std::size_t place : IWait(signals, Deadline::Never(), 4)) {
      if (place == 2) throw std::runtime_error("enough");
    }
  });
  EXPECT_THROW(thrower.Wait(), std::runtime_error);
  for (const Signal& signal : signals) EXPECT_EQ(signal.links(), 0u);
}

TEST(IWait, B1_15_GivesEachOnceThoughItFiresAgain) {
  Signal signal;
  Signal never;
  IWait wait({signal, never}, absl::ZeroDuration());
  signal.Fire();
  signal.Fire();
  EXPECT_EQ(wait.Next(), 0u);
  signal.Fire();
  EXPECT_EQ(wait.Next(), std::nullopt);
  // The same thing in two places is two things.
  EXPECT_EQ(Wait({signal, never, signal}, absl::ZeroDuration()), (Places{0, 2}));
}

TEST(IWait, B1_15_AKilledOrTimedOutWaiterLosesNothing) {
  WithManualClock([](ManualClock&) {
    std::deque<Signal> signals(2);
    auto victim = Spawn([&] { Wait(signals); });
    Sleep();
    EXPECT_EQ(signals[0].links(), 1u);
    signals[0].Fire();
    victim.Kill();
    EXPECT_EQ(signals[0].links(), 0u);
    EXPECT_EQ(signals[1].links(), 0u);

    std::deque<Signal> others(2);
    IWait wait(others);
    bool timed_out = false;
    try {
      const Timeout timeout(absl::Seconds(1));
      wait.Next();
    } catch (const TimeoutExpired&) {
      timed_out = true;
    }
    EXPECT_TRUE(timed_out);
    others[1].Fire();
    EXPECT_EQ(wait.Next(), 1u);  // goes on where it was
    others[0].Fire();
    EXPECT_EQ(wait.Next(), 0u);
    EXPECT_EQ(wait.Next(), std::nullopt);
    EXPECT_EQ(wait.Next(), std::nullopt);
  });
}

TEST(IWait, B1_15_MisuseIsALogicError) {
  std::string itself;
  Spawn([&] { itself = LogicError([] { WaitAny({CurrentGreenThread()}); }); }).Wait();
  EXPECT_NE(itself.find("waits for itself"), std::string::npos) << itself;
  EXPECT_THROW(WaitAny({AnyGreenThread()}), std::logic_error);
  auto green = Spawn([] { Sleep(); });
  OnFreshThread([&] {
    EXPECT_NE(LogicError([&] { WaitAny({green}); }).find("another thread's hub"),
              std::string::npos);
  });
  std::string callback;
  Signal signal;
  Hub::Current().Post([&] { callback = LogicError([&] { WaitAny({signal}); }); });
  while (callback.empty()) Sleep();
  EXPECT_NE(callback.find("hub callback"), std::string::npos) << callback;
  EXPECT_EQ(signal.links(), 0u);

  IWait shared({signal});
  auto first = Spawn([&] { shared.Next(); });
  std::string second;
  Spawn([&] { second = LogicError([&] { shared.Next(); }); }).Wait();
  EXPECT_NE(second.find("waits already"), std::string::npos) << second;
  signal.Fire();
  JoinAll(std::vector<AnyGreenThread>{first, green});
}

TEST(IWait, B1_15_ADeadlockNamesIt) {
  Signal never;
  try {
    WaitAny({never});
    ADD_FAILURE();
  } catch (const LoopExit& deadlock) {
    EXPECT_NE(std::string(deadlock.what()).find("the main greenlet: waiting in Wait"),
              std::string::npos)
        << deadlock.what();
  }
  EXPECT_EQ(never.links(), 0u);
}

TEST(Wait, B1_15_WithNothingToWaitForIsTheHubsJoin) {
  WithManualClock([](ManualClock& clock) {
    auto sleeper = Spawn([] { Sleep(absl::Seconds(1)); });
    EXPECT_FALSE(Hub::Current().Join(absl::Milliseconds(500)));
    EXPECT_TRUE(Hub::Current().Join());
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(1));
  });
}

TEST(Wait, B1_15_AThousandAndWaitersThatComeAndGoLeaveNothing) {
  WithManualClock([](ManualClock&) {
    std::vector<GreenThread<void>> all;
    for (int i = 0; i < 1000; ++i)
      all.push_back(Spawn([i] { Sleep(absl::Seconds(1 + (i * 7) % 1000)); }));
    Places places = Wait(all);
    ASSERT_EQ(places.size(), 1000u);
    EXPECT_EQ(places[0], 0u);
    EXPECT_EQ(places[1], 143u);  // 143 * 7 = 1001
    std::sort(places.begin(), places.end());
    for (std::size_t i = 0; i < 1000; ++i) EXPECT_EQ(places[i], i);

    auto patient = Spawn([] { Sleep(absl::InfiniteDuration()); });
    for (int i = 0; i < 1000; ++i) EXPECT_FALSE(WaitAny({patient}, absl::ZeroDuration()));
    EXPECT_FALSE(patient.HasLinks());
    patient.Kill();
  });
}

TEST(WaitDeathTest, B1_15_AStaticOneLetsTheProcessExit) {
  DieInAFreshProcess();
  EXPECT_EXIT(
      {
        static const AnyGreenThread thread = Spawn([] { Sleep(absl::InfiniteDuration()); });
        static const IWait wait({thread});
        Sleep();
        std::exit(0);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace verdant
