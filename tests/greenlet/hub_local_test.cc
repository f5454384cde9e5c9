#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "greenlet/local.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "tests/greenlet/greenlet_testing.h"

namespace verdant {
namespace {

TEST(GreenLocalOnAHub, A9_1_EveryGreenThreadHasItsOwn) {
  GreenLocal<int> local(-1);
  *local = 100;
  std::vector<GreenThread<int>> all;
  for (int i = 0; i < 1000; ++i) {
    all.push_back(Spawn([&, i] {
      EXPECT_EQ(*local, -1);
      *local = i;
      Sleep();
      return *local;
    }));
  }
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)].Wait(), i);
  EXPECT_EQ(*local, 100);
}

TEST(GreenLocalOnAHub, A9_1_IsReleasedAfterTheLinksAndBeforeTheWaitersWake) {
  int ends = 0;
  GreenLocal<std::unique_ptr<CountsEnd>> local;
  auto green = Spawn([&] { *local = std::make_unique<CountsEnd>(ends); });
  green.Link([&] {
    EXPECT_EQ(ends, 0);
    EXPECT_NE(*local, nullptr);
  });
  green.Wait();
  EXPECT_EQ(ends, 1);
}

TEST(GreenLocalOnAHub, A9_1_IsReleasedByAKill) {
  int ends = 0;
  Event<> never;
  GreenLocal<std::unique_ptr<CountsEnd>> local;
  auto green = Spawn([&] {
    *local = std::make_unique<CountsEnd>(ends);
    never.Wait();
  });
  Sleep();
  EXPECT_EQ(ends, 0);
  green.Kill();
  EXPECT_EQ(ends, 1);
}

TEST(GreenLocalOnAHub, ADestructorMayBlock) {
  struct Sleeps {
    ~Sleeps() {
      if (done == nullptr) return;
      Sleep();
      *done = true;
    }
    bool* done = nullptr;
  };
  bool done = false;
  GreenLocal<Sleeps> local;
  auto green = Spawn([&] { local->done = &done; });
  green.Join();
  while (!done) Sleep();
  EXPECT_TRUE(green.Successful());
}

TEST(GreenLocalOnAHub, TouchedByALinkItIsReleasedToo) {
  int ends = 0;
  GreenLocal<std::unique_ptr<CountsEnd>> local;
  auto green = Spawn([] {});
  green.Link([&] { *local = std::make_unique<CountsEnd>(ends); });
  green.Wait();
  EXPECT_EQ(ends, 1);
}

TEST(GreenLocalOnAHub, AStackThatPassesToTheNextPassesNoValuesOn) {
  GreenLocal<int> local(0);
  for (int i = 0; i < 3; ++i) {
    SpawnN([&] { EXPECT_EQ((*local)++, 0); });
  }
  Sleep();
  EXPECT_EQ(*local, 0);
}

TEST(GreenLocalOnAHub, AHubCallbacksIsTheHubsAndGoesWithIt) {
  int ends = 0;
  GreenLocal<std::unique_ptr<CountsEnd>> local;
  OnFreshThread([&] {
    Hub::Current().ScheduleCall(absl::ZeroDuration(),
                                [&] { *local = std::make_unique<CountsEnd>(ends); });
    Hub::Current().Join();
    EXPECT_EQ(*local, nullptr);
    EXPECT_EQ(ends, 0);
  });
  EXPECT_EQ(ends, 1);
}

TEST(GetIdentOnAHub, A9_1_DiffersBetweenGreenThreadsAlsoOnOneStack) {
  std::set<std::uint64_t> seen{GetIdent()};
  for (int i = 0; i < 100; ++i) {
    Spawn([&] { EXPECT_TRUE(seen.insert(GetIdent()).second); }).Wait();
  }
  EXPECT_EQ(seen.size(), 101u);
}

}  // namespace
}  // namespace verdant
