#include <atomic>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/hub_group.h"
#include "hub/shared_event.h"
#include "hub/timeout.h"
#include "tests/hub/hub_group_testing.h"
#include "tests/hub/shared_testing.h"

namespace verdant {
namespace {

TEST(HubGroupStop, WaitsForWhatRunsAndWhatHasNotBegun) {
  HubGroup group(Two());
  std::atomic<int> ended{0};
  for (int i = 0; i < 200; ++i) {
    group.SpawnN([&ended] {
      for (int n = 0; n < 5; ++n) Sleep();
      // One that the group did not spawn is waited for as well.
      SpawnN([&ended] {
        Sleep();
        ++ended;
      });
    });
  }
  EXPECT_TRUE(group.Stop());
  EXPECT_EQ(ended, 200);
  EXPECT_TRUE(group.stopped());
  EXPECT_TRUE(group.Stop());
}

TEST(HubGroupStop, KillsWhatHasNotEndedByTheDeadlineEachOnItsThread) {
  HubGroup group(Two());
  std::vector<std::thread::id> homes;
  std::vector<std::thread::id> unwound(20);
  struct Unwound {
    std::thread::id& where;
    ~Unwound() { where = std::this_thread::get_id(); }
  };
  for (std::size_t i = 0; i < 2; ++i)
    homes.push_back(group.RunInHub(i, [] { return std::this_thread::get_id(); }));
  std::atomic<int> begun{0};
  for (std::size_t i = 0; i < 20; ++i) {
    group.SpawnNOn(i % 2, [&, i] {
      const Unwound mark{unwound[i]};
      ++begun;
      Sleep(absl::InfiniteDuration());
    });
  }
  Until([&] { return begun == 20; });
  EXPECT_FALSE(group.Stop(absl::Milliseconds(1)));
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(unwound[i], homes[i % 2]);
}

TEST(HubGroupStop, KillsWhatIsSpawnedMeanwhileAndWaitsForTheirCleanUp) {
  HubGroup group(Two());
  SharedEvent<> begun;
  bool cleaned_up = false;
  group.SpawnN([&] {
    try {
      begun.Send(true);
      Sleep(absl::InfiniteDuration());
    } catch (const GreenletExit&) {
      auto helper = Spawn([] { Sleep(absl::InfiniteDuration()); });
      helper.Join();  // until that is killed, too
      Sleep(absl::Milliseconds(1));
      cleaned_up = true;
      throw;
    }
  });
  begun.Wait();
  EXPECT_FALSE(group.Stop(absl::ZeroDuration()));
  EXPECT_TRUE(cleaned_up);
}

TEST(HubGroupStop, LeavesWhatWillNotEndAndSaysSo) {
  Heard heard;
  HubGroup::Options options = Two();
  options.unwind_within = absl::Milliseconds(20);
  options.on_uncaught = heard.Handler();
  HubGroup group(options);
  SharedEvent<> begun;
  group.SpawnN([&begun] {
    try {
      begun.Send(true);
      Sleep(absl::InfiniteDuration());
    } catch (const GreenletExit&) {
      Sleep(absl::InfiniteDuration());
    }
  });
  begun.Wait();
  EXPECT_FALSE(group.Stop(absl::ZeroDuration()));
  ASSERT_EQ(heard.texts().size(), 1U);
  EXPECT_NE(heard.texts()[0].find("hub_group_stop_test.cc"), std::string::npos) << heard.texts()[0];
}

TEST(HubGroupStop, WhatIsGivenToItAfterwardsEndsUnrun) {
  HubGroup group(Two());
  group.Stop();
  bool ran = false;
  EXPECT_FALSE(group.SpawnN([&] { ran = true; }));
  EXPECT_FALSE(group.SpawnNOn(0, [&] { ran = true; }));
  EXPECT_FALSE(group.Post(1, [&] { ran = true; }));
  EXPECT_THROW(group.Spawn([&] { ran = true; }).Wait(), GreenletExit);
  EXPECT_THROW(group.SpawnOn(1, [&] { ran = true; }).Wait(), GreenletExit);
  EXPECT_THROW(group.RunInHub(0, [&] { ran = true; }), GreenletExit);
  EXPECT_FALSE(ran);
}

TEST(HubGroupStop, WhatNeverBeganIsCancelled) {
  std::vector<RemoteGreenThread<void>> calls;
  std::optional<HubGroup> group(Two());
  Hog hog;
  hog.Begin(*group, 0);
  Hog other;
  other.Begin(*group, 1);
  for (int i = 0; i < 10; ++i) calls.push_back(group->Spawn([] {}));
  calls.push_back(group->SpawnOn(0, [] { Sleep(absl::InfiniteDuration()); }));
  auto stopper = PlainThread([&] { EXPECT_FALSE(group->Stop(absl::ZeroDuration())); });
  Until([&] { return group->stopped(); });
  Sleep(absl::Milliseconds(5));  // the stop may reach the hubs, or not: they end either way
  hog.End();
  other.End();
  stopper.Join();
  for (const auto& call : calls) EXPECT_TRUE(call.Ready());
}

TEST(HubGroupStop, FromWithinIsRefused) {
  HubGroup group(Two());
  EXPECT_THROW(group.RunInHub(0, [&group] { group.Stop(); }), std::logic_error);
  EXPECT_FALSE(group.stopped());
}

TEST(HubGroupStop, InAHubCallbackIsRefusedBeforeAnythingIsDone) {
  HubGroup group(Two());
  Event<bool> refused;
  Hub::Current().ScheduleCall(absl::ZeroDuration(), [&] {
    try {
      group.Stop();
      refused.Send(false);
    } catch (const std::logic_error&) {
      refused.Send(true);
    }
  });
  EXPECT_TRUE(refused.Wait());
  EXPECT_FALSE(group.stopped());
  EXPECT_EQ(group.Spawn([] { return 1; }).Wait(), 1);
}

TEST(HubGroupStop, LetsTheOthersHereRunAndMayBeInterruptedAndRepeated) {
  HubGroup group(Two());
  SharedEvent<> go;
  group.SpawnN([&go] { go.Wait(); });
  EXPECT_FALSE(WithTimeout(absl::Milliseconds(1), [&group] { group.Stop(); }));
  EXPECT_TRUE(group.stopped());
  auto sender = Spawn([&go] { go.Send(true); });
  EXPECT_TRUE(group.Stop());
  sender.Wait();
}

TEST(HubGroupStop, ByTheDestructorKillsAtOnceUnlessGivenTime) {
  bool ended = false;
  {
    HubGroup::Options options = Two();
    options.stop_within = absl::InfiniteDuration();
    HubGroup group(options);
    group.SpawnN([&ended] {
      for (int i = 0; i < 100; ++i) Sleep();
      ended = true;
    });
  }
  EXPECT_TRUE(ended);
  SharedEvent<> begun;
  bool killed = false;
  {
    HubGroup group(Two());
    group.SpawnN([&] {
      try {
        begun.Send(true);
        Sleep(absl::InfiniteDuration());
      } catch (const GreenletExit&) {
        killed = true;
        throw;
      }
    });
    begun.Wait();
  }
  EXPECT_TRUE(killed);
}

}  // namespace
}  // namespace verdant
