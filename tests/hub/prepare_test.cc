#include <memory>
#include <stdexcept>
#include <string>

#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "hub/spawn.h"
#include "tests/hub/green_thread_testing.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

TEST(Prepare, B1_4_StartsWhenToldToAndOnlyOnce) {
  int ran = 0;
  auto green = Prepare([&] { return ++ran; });
  EXPECT_EQ(green.State(), GreenThreadState::kUnstarted);
  EXPECT_EQ(Hub::Current().counts().green_threads, 1u);
  Sleep();
  EXPECT_EQ(ran, 0);
  EXPECT_TRUE(green.Start());
  EXPECT_FALSE(green.Start());
  EXPECT_FALSE(green.StartLater(absl::Seconds(1)));
  EXPECT_EQ(green.State(), GreenThreadState::kPending);
  EXPECT_EQ(ran, 0);
  EXPECT_EQ(green.Wait(), 1);
  EXPECT_FALSE(green.Start());
  Sleep();
  EXPECT_EQ(ran, 1);
  EXPECT_EQ(green.State(), GreenThreadState::kSucceeded);
  EXPECT_EQ(Hub::Current().counts().timers, 0u);
}

TEST(Prepare, B1_4_StartLaterIsASpawnAfterForLater) {
  WithManualClock([](ManualClock& clock) {
    auto green = Prepare([&](int x) { return clock.SinceStart() * x; }, 2);
    Sleep(absl::Seconds(1));
    EXPECT_TRUE(green.StartLater(absl::Seconds(3)));
    EXPECT_EQ(green.State(), GreenThreadState::kPending);
    EXPECT_FALSE(green.Start());
    EXPECT_FALSE(green.StartLater(absl::ZeroDuration()));
    EXPECT_EQ(green.Wait(), absl::Seconds(8));
    EXPECT_FALSE(green.StartLater(absl::Seconds(1)));
    EXPECT_EQ(Hub::Current().counts().timers, 0u);
  });
}

TEST(Prepare, B1_4_KilledUnstartedItNeverRunsAndCannotBeStarted) {
  bool ran = false;
  int links = 0;
  auto green = Prepare([&] { ran = true; });
  green.Link([&] { ++links; });
  auto waiter = Spawn([&] { EXPECT_THROW(green.Wait(), GreenletExit); });
  Sleep();
  green.Kill();
  EXPECT_EQ(green.State(), GreenThreadState::kCancelled);
  EXPECT_FALSE(green.Start());
  waiter.Wait();
  EXPECT_FALSE(ran);
  EXPECT_EQ(links, 1);
  auto later = Prepare([&] { ran = true; });
  later.StartLater(absl::Hours(1));
  EXPECT_TRUE(later.Cancel(Boom()));
  EXPECT_THROW(later.Wait(), std::runtime_error);
  EXPECT_EQ(Hub::Current().counts().timers, 0u);
  EXPECT_FALSE(ran);
}

TEST(Prepare, B1_4_DroppedUnstartedItsBodyIsDestroyedUnrun) {
  auto token = std::make_shared<int>(1);
  int links = 0;
  {
    auto green = Prepare([token] { *token = 2; });
    // Neither link keeps it, although both are about it.
    green.Link([&links](AnyGreenThread) { ++links; });
    green.LinkValue([&links, token](GreenThread<void>) { ++links; });
    EXPECT_EQ(token.use_count(), 3);
  }
  EXPECT_EQ(token.use_count(), 1);
  EXPECT_EQ(*token, 1);
  EXPECT_EQ(links, 0);
  EXPECT_EQ(Hub::Current().counts().green_threads, 1u);
}

TEST(Prepare, B1_4_OnceStartedTheHandleMayGo) {
  int ran = 0;
  Prepare([&] { ++ran; }).Start();
  WithManualClock([&](ManualClock&) {
    Prepare([&] { ++ran; }).StartLater(absl::Seconds(1));
    EXPECT_TRUE(Hub::Current().Join());
  });
  Sleep();
  EXPECT_EQ(ran, 2);
}

TEST(Prepare, B1_4_IsNotStartedFromAnotherThread) {
  auto green = Prepare([] { return 1; });
  OnFreshThread([&] {
    EXPECT_NE(LogicError([&] { green.Start(); }).find("another thread's hub"), std::string::npos);
    EXPECT_THROW(green.StartLater(absl::Seconds(1)), std::logic_error);
  });
  EXPECT_TRUE(green.Start());
  EXPECT_EQ(green.Wait(), 1);
  const GreenThread<int> none;
  EXPECT_THROW(none.Start(), std::logic_error);
  EXPECT_THROW(none.StartLater(absl::Seconds(1)), std::logic_error);
}

TEST(Prepare, B1_4_JoinedUnstartedItIsADeadlockThatSaysSo) {
  WithManualClock([](ManualClock&) {
    auto green = Prepare([] {});
    EXPECT_THROW(green.Join(), LoopExit);
    EXPECT_FALSE(green.Join(absl::Seconds(1)));
    green.Start();
    EXPECT_TRUE(green.Join());
  });
}

// What gevent does by subclassing.
class Countdown {
 public:
  explicit Countdown(int from) : left_(from), thread_(Prepare([this] { return Run(); })) {}
  ~Countdown() { thread_.KillAndJoin(); }
  const GreenThread<std::string>& thread() const { return thread_; }
  int left() const { return left_; }

 private:
  std::string Run() {
    for (; left_ > 0; --left_) Sleep();
    return "lift-off";
  }

  int left_;
  GreenThread<std::string> thread_;
};

TEST(Prepare, B1_4_AnObjectWithARunMethodHasOne) {
  Countdown done(3);
  EXPECT_TRUE(done.thread().Start());
  EXPECT_EQ(done.thread().Wait(), "lift-off");
  EXPECT_EQ(done.left(), 0);
  {
    Countdown killed(1000);
    killed.thread().Start();
    Sleep();
    EXPECT_EQ(killed.thread().State(), GreenThreadState::kRunning);
  }
  { Countdown never_started(1); }
  EXPECT_EQ(Hub::Current().counts().green_threads, 1u);
}

}  // namespace
}  // namespace verdant
