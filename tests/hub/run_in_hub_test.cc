#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/remote_green_thread.h"
#include "hub/shared_event.h"
#include "hub/timeout.h"
#include "tests/hub/hub_group_testing.h"
#include "tests/hub/shared_testing.h"

namespace verdant {
namespace {

TEST(RunInHub, ReturnsOrThrowsWhatTheCallDoesWhileTheOthersHereRun) {
  HubGroup group(Two());
  int ticks = 0;
  SharedEvent<> go;
  auto ticker = Spawn([&] {
    for (; ticks < 10; ++ticks) Sleep();
    go.Send(true);
  });
  EXPECT_EQ(group.RunInHub(
                0,
                [&go](int n) {
                  go.Wait();
                  return n + 1;
                },
                1),
            2);
  EXPECT_EQ(ticks, 10);
  ticker.Wait();
  EXPECT_EQ(RunInHub(group.remote(1), [&group] { return group.Here(); }), 1U);
  EXPECT_THROW(group.RunInHub(1, [] { throw std::runtime_error("boom"); }), std::runtime_error);
  EXPECT_EQ(*group.RunInHub(
                0, [](std::unique_ptr<int> p) { return p; }, std::make_unique<int>(3)),
            3);
}

TEST(RunInHub, FromAHubToItselfAndBackAndForth) {
  HubGroup group(Two());
  EXPECT_EQ(group.RunInHub(0,
                           [&group] {
                             return group.RunInHub(0, [&group] {
                               return group.RunInHub(1, [&group] {
                                 return group.RunInHub(0, [&group] { return group.Here(); });
                               });
                             });
                           }),
            0U);
}

TEST(RunInHub, InterruptedBeforeTheCallHasBegunTakesItBack) {
  HubGroup group(Two());
  Hog hog;
  hog.Begin(group, 0);
  std::atomic<bool> ran{false};
  EXPECT_FALSE(WithTimeout(absl::Milliseconds(1), [&] { group.RunInHub(0, [&] { ran = true; }); }));
  auto waiter = Spawn([&] { group.RunInHub(0, [&] { ran = true; }); });
  Sleep();
  waiter.KillAndJoin();
  hog.End();
  group.RunInHub(0, [] {});
  EXPECT_FALSE(ran);
}

TEST(RunInHub, InterruptedLaterItLeavesTheCallToItself) {
  Heard heard;
  HubGroup::Options options = Two();
  options.on_uncaught = heard.Handler();
  HubGroup group(options);
  SharedEvent<> begun;
  SharedEvent<> go;
  auto waiter = Spawn([&] {
    group.RunInHub(0, [&] {
      begun.Send(true);
      go.Wait();
      throw std::runtime_error("unheard");
    });
  });
  begun.Wait();
  waiter.KillAndJoin();
  go.Send(true);
  EXPECT_TRUE(group.Stop());
  ASSERT_EQ(heard.texts().size(), 1U);
  EXPECT_NE(heard.texts()[0].find("unheard"), std::string::npos);
}

TEST(RunInHub, OfAHubThatIsGoneOrGoesEndsTheWait) {
  std::optional<Hub::Remote> remote;
  HubThread([&] { remote.emplace(Hub::Current()); }).Join();
  EXPECT_THROW(RunInHub(*remote, [] {}), GreenletExit);

  SharedEvent<> made;
  SharedEvent<> begun;
  auto other = HubThread([&] {
    remote.emplace(Hub::Current());
    made.Send(true);
    begun.Wait();
  });
  made.Wait();
  EXPECT_THROW(RunInHub(*remote,
                        [&begun] {
                          begun.Send(true);
                          Sleep(absl::InfiniteDuration());
                        }),
               std::runtime_error);
}

TEST(RunInHub, InAHubCallbackThrowsBeforeAnythingIsDone) {
  HubGroup group(Two());
  std::atomic<bool> ran{false};
  Event<bool> refused;
  Hub::Current().ScheduleCall(absl::ZeroDuration(), [&] {
    try {
      group.RunInHub(0, [&] { ran = true; });
      refused.Send(false);
    } catch (const std::logic_error&) {
      refused.Send(true);
    }
  });
  EXPECT_TRUE(refused.Wait());
  group.Stop();
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace verdant
