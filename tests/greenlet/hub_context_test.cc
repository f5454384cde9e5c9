#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "greenlet/context.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "tests/greenlet/greenlet_testing.h"

namespace verdant {
namespace {

TEST(ContextOnAHub, Decision20_AGreenThreadInheritsItsSpawnersAtSpawnTime) {
  const ContextVar<int> var("var", 0);
  GreenThread<int> before;
  {
    const ContextVar<int>::Scope scope(var, 1);
    before = Spawn([&] { return var.Get(); });
  }
  const ContextVar<int>::Scope scope(var, 2);
  EXPECT_EQ(before.Wait(), 1);
  EXPECT_EQ(Spawn([&] { return var.Get(); }).Wait(), 2);
}

TEST(ContextOnAHub, Decision20_WhatItSetsItsSpawnerDoesNotSeeNorItsSiblings) {
  const ContextVar<int> var("var", 0);
  const ContextVar<int>::Scope scope(var, 1);
  std::vector<GreenThread<int>> all;
  for (int i = 0; i < 10; ++i) {
    all.push_back(Spawn([&, i] {
      EXPECT_EQ(var.Get(), 1);
      var.Set(i);
      Sleep();
      return var.Get();
    }));
  }
  for (int i = 0; i < 10; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)].Wait(), i);
  EXPECT_EQ(var.Get(), 1);
}

TEST(ContextOnAHub, Decision20_SpawnNAndSpawnAfterInheritToo) {
  const ContextVar<int> var("var", 0);
  int seen = 0;
  GreenThread<int> later;
  {
    const ContextVar<int>::Scope scope(var, 3);
    SpawnN([&] { seen = var.Get(); });
    later = SpawnAfter(absl::ZeroDuration(), [&] { return var.Get(); });
  }
  EXPECT_EQ(later.Wait(), 3);
  EXPECT_EQ(seen, 3);
}

TEST(ContextOnAHub, Decision20_ChildrenOfChildrenInheritOnward) {
  const ContextVar<std::string> var("var", "none");
  const ContextVar<std::string>::Scope scope(var, "request 7");
  EXPECT_EQ(Spawn([&] { return Spawn([&] { return var.Get(); }).Wait(); }).Wait(), "request 7");
}

TEST(ContextOnAHub, AHubCallbackHasAnEmptyOneAndMayRunOneThatItWasGiven) {
  const ContextVar<int> var("var", 0);
  const ContextVar<int>::Scope scope(var, 4);
  Event<std::pair<int, int>> done;
  Hub::Current().ScheduleCall(absl::ZeroDuration(), [&, context = Context::Current()]() mutable {
    const int bare = var.Get();
    done.Send({bare, context.Run([&] { return var.Get(); })});
  });
  EXPECT_EQ(done.Wait(), std::pair(0, 4));
}

TEST(ContextOnAHub, ValuesGoWithTheGreenThreadHoweverItEnds) {
  int ends = 0;
  const ContextVar<std::shared_ptr<CountsEnd>> var("var", nullptr);
  GreenThread<void> killed_early;
  GreenThread<void> finished;
  {
    const ContextVar<std::shared_ptr<CountsEnd>>::Scope scope(var,
                                                              std::make_shared<CountsEnd>(ends));
    killed_early = Spawn([] {});
    finished = Spawn([] {});
  }
  EXPECT_EQ(ends, 0);
  killed_early.Kill();
  finished.Join();
  EXPECT_EQ(ends, 1);  // though handles are left
}

TEST(ContextOnAHub, ValuesOfAGreenThreadThatNeverStartsGoWithItsHub) {
  int ends = 0;
  OnFreshThread([&] {
    const ContextVar<std::shared_ptr<CountsEnd>> var("var", nullptr);
    const ContextVar<std::shared_ptr<CountsEnd>>::Scope scope(var,
                                                              std::make_shared<CountsEnd>(ends));
    SpawnN([] {});
    SpawnAfter(absl::Hours(1), [] {}).Ready();
  });
  EXPECT_EQ(ends, 1);
}

}  // namespace
}  // namespace verdant
