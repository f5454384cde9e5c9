#include "hub/scoped_green_thread.h"

#include <stdexcept>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/timeout.h"
#include "tests/hub/green_thread_testing.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

TEST(ScopedGreenThread, B1_7_TheEndOfItsScopeWaitsForIt) {
  std::vector<std::string> order;
  {
    ScopedGreenThread worker(Spawn([&] {
      Sleep();
      order.emplace_back("worker");
    }));
    order.emplace_back("body");
    EXPECT_EQ(worker->State(), GreenThreadState::kPending);
  }
  order.emplace_back("after");
  EXPECT_EQ(order, (std::vector<std::string>{"body", "worker", "after"}));
  int result = 0;
  {
    ScopedGreenThread prepared(Prepare([] { return 4; }));  // starts here
    result = prepared.During([&] { return prepared->Wait() + 1; });
  }
  EXPECT_EQ(result, 5);
}

TEST(ScopedGreenThread, B1_7_WhatTheBodyThrowsKillsItAndGoesOn) {
  std::string inside;
  GreenThread<void> handle;
  const auto scope = [&] {
    ScopedGreenThread worker(Spawn([&] {
      try {
        Sleep(absl::Hours(1));
      } catch (const std::runtime_error& e) {
        Sleep();  // cleaning up is waited for
        inside = e.what();
        throw;
      }
    }));
    handle = *worker;
    worker.During([] {
      Sleep();
      throw std::runtime_error("boom");
    });
  };
  EXPECT_THROW(scope(), std::runtime_error);
  EXPECT_EQ(inside, "boom");
  EXPECT_EQ(handle.State(), GreenThreadState::kFailed);
  EXPECT_THROW(handle.Wait(), std::runtime_error);
}

TEST(ScopedGreenThread, B1_7_AScopeUnwoundOtherwiseKillsIt) {
  bool cleaned = false;
  GreenThread<void> handle;
  const auto scope = [&] {
    const ScopedGreenThread worker(Spawn([&] {
      const OnExit on_exit{cleaned};
      Sleep(absl::Hours(1));
    }));
    handle = *worker;
    Sleep();
    throw std::runtime_error("boom");
  };
  EXPECT_THROW(scope(), std::runtime_error);
  EXPECT_TRUE(cleaned);
  EXPECT_TRUE(handle.Killed());
  // Started by an unwinding already under way, an orderly end is one all the same.
  bool completed = false;
  try {
    struct InDestructor {
      bool& completed;
      ~InDestructor() {
        const ScopedGreenThread worker(Spawn([this] {
          Sleep();
          completed = true;
        }));
      }
    } const in_destructor{completed};
    throw std::runtime_error("outer");
  } catch (const std::runtime_error&) {
  }
  EXPECT_TRUE(completed);
}

TEST(ScopedGreenThread, B1_7_ACallerInterruptedAtTheEndTakesItAlong) {
  WithManualClock([](ManualClock& clock) {
    GreenThread<void> handle;
    bool cleaned = false;
    const auto scope = [&] {
      const ScopedGreenThread worker(Spawn([&] {
        const OnExit on_exit{cleaned};
        Sleep(absl::Hours(1));
      }));
      handle = *worker;
    };
    auto killed = Spawn([&] { scope(); });
    Sleep();
    Sleep();
    killed.Kill();
    killed.Join();
    EXPECT_TRUE(killed.Killed());
    EXPECT_TRUE(handle.Killed());
    EXPECT_TRUE(cleaned);

    EXPECT_FALSE(WithTimeout(absl::Seconds(1), scope));
    EXPECT_TRUE(handle.Killed());
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(1));

    const auto deadlock = [&] {
      const ScopedGreenThread worker(Spawn([] { Event<>().Wait(); }));
      handle = *worker;
    };
    EXPECT_THROW(deadlock(), LoopExit);
    EXPECT_TRUE(handle.Killed());
    EXPECT_EQ(Hub::Current().counts().green_threads, 1u);
  });
}

TEST(ScopedGreenThread, B1_7_AKillWhileItSeesAnotherOneThroughIsNotLost) {
  std::vector<std::string> order;
  auto owner = Spawn([&] {
    try {
      ScopedGreenThread worker(Spawn([&] {
        try {
          Sleep(absl::Hours(1));
        } catch (const std::runtime_error&) {
          for (int i = 0; i < 5; ++i) Sleep();
          order.emplace_back("worker ended");
        }
      }));
      worker.During([] {
        Sleep();
        throw std::runtime_error("boom");
      });
    } catch (const std::runtime_error&) {
      order.emplace_back("body's exception");
    }
    Sleep();  // the kill comes now
    order.emplace_back("never");
  });
  Sleep();
  Sleep();
  Sleep();
  EXPECT_TRUE(order.empty());
  owner.KillSoon();
  owner.Join();
  EXPECT_EQ(order, (std::vector<std::string>{"worker ended", "body's exception"}));
  EXPECT_TRUE(owner.Killed());
}

TEST(ScopedGreenThread, B1_7_ErrorsNobodyLookedAtAreReported) {
  Reports reports;
  {
    const ScopedGreenThread worker(Spawn([] { throw std::runtime_error("unseen"); }));
  }
  EXPECT_EQ(reports.errors, std::vector<std::string>{"std::runtime_error: unseen"});
}

TEST(ScopedGreenThread, OfAnEmptyHandleOrTheCallersOwnIsALogicError) {
  EXPECT_THROW(ScopedGreenThread{GreenThread<void>()}, std::logic_error);
  GreenThread<void> self;
  std::string what;
  self = Spawn([&] { what = LogicError([&] { const ScopedGreenThread scoped(self); }); });
  self.Wait();
  EXPECT_NE(what.find("waits for itself"), std::string::npos) << what;
}

}  // namespace
}  // namespace verdant
