// What goes along from hub to hub with the work: the context of whoever gave it.

#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "greenlet/context.h"
#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "hub/hub_group.h"
#include "hub/scope.h"
#include "hub/shared_event.h"
#include "tests/hub/hub_group_testing.h"
#include "tests/hub/shared_testing.h"

namespace verdant {
namespace {

const ContextVar<std::string>& Request() {
  static const ContextVar<std::string> request("request", "none");
  return request;
}

TEST(HubGroupContext, Decision20_WhatIsSpawnedInheritsTheSpawnersAsItIsThen) {
  HubGroup group(Two());
  const auto get = [] { return Request().Get(); };
  std::vector<RemoteGreenThread<std::string>> before;
  {
    const ContextVar<std::string>::Scope scope(Request(), "one");
    before.push_back(group.Spawn(get));
    before.push_back(group.SpawnOn(1, get));
    before.push_back(SpawnInHub(group.remote(0), get));
  }
  const ContextVar<std::string>::Scope scope(Request(), "two");
  for (const auto& call : before) EXPECT_EQ(call.Wait(), "one");
  EXPECT_EQ(group.RunInHub(0, get), "two");
  EXPECT_EQ(RunInHub(group.remote(1), get), "two");
  SharedEvent<std::string> anywhere;
  SharedEvent<std::string> on_one;
  group.SpawnN([&] { anywhere.Send(Request().Get()); });
  group.SpawnNOn(1, [&] { on_one.Send(Request().Get()); });
  EXPECT_EQ(anywhere.Wait(), "two");
  EXPECT_EQ(on_one.Wait(), "two");
}

TEST(HubGroupContext, Decision20_WhatItSetsNobodyElseSees) {
  HubGroup group(Two());
  const ContextVar<std::string>::Scope scope(Request(), "mine");
  group.RunInHub(0, [] { Request().Set("yours"); });
  EXPECT_EQ(Request().Get(), "mine");
  EXPECT_EQ(group.RunInHub(0, [] { return Request().Get(); }), "mine");
  std::vector<RemoteGreenThread<std::string>> all;
  for (int i = 0; i < 50; ++i) {
    all.push_back(group.Spawn([i] {
      Request().Set(std::to_string(i));
      Sleep();
      return Request().Get();
    }));
  }
  for (int i = 0; i < 50; ++i)
    EXPECT_EQ(all[static_cast<std::size_t>(i)].Wait(), std::to_string(i));
}

TEST(HubGroupContext, Decision20_IsHandedOnFromHubToHub) {
  HubGroup group(Two());
  const ContextVar<std::string>::Scope scope(Request(), "far");
  EXPECT_EQ(group.RunInHub(0,
                           [&group] {
                             return group.RunInHub(1, [&group] {
                               return group.Spawn([] { return Request().Get(); }).Wait();
                             });
                           }),
            "far");
}

TEST(HubGroupContext, APlainThreadHasOneToHandOnWithoutAHub) {
  HubGroup group(Two());
  PlainThread([&group] {
    const ContextVar<std::string>::Scope scope(Request(), "plain");
    EXPECT_EQ(group.Spawn([] { return Request().Get(); }).Wait(), "plain");
    EXPECT_EQ(internal::current_hub, nullptr);
  }).Join();
}

TEST(HubGroupContext, WhatIsPostedHasAnEmptyOne) {
  HubGroup group(Two());
  const ContextVar<std::string>::Scope scope(Request(), "mine");
  SharedEvent<std::string> seen;
  group.Post(0, [&] { seen.Send(Request().Get()); });
  EXPECT_EQ(seen.Wait(), "none");
}

TEST(HubGroupContext, ValuesGoWithTheLastThatHasThem) {
  auto value = std::make_shared<int>(1);
  const ContextVar<std::shared_ptr<int>> var("var", nullptr);
  {
    HubGroup group(Two());
    {
      const ContextVar<std::shared_ptr<int>>::Scope scope(var, value);
      for (int i = 0; i < 10; ++i) group.SpawnN([] { Sleep(); });
      group.RunInHub(0, [] {});
    }
    EXPECT_TRUE(group.Stop());
    EXPECT_EQ(value.use_count(), 1);
    const ContextVar<std::shared_ptr<int>>::Scope scope(var, value);
    EXPECT_FALSE(group.SpawnN([] {}));
  }
  EXPECT_EQ(value.use_count(), 1);
}

TEST(HubGroupContext, TheDeadlineOfAScopeReachesOtherHubs) {
  HubGroup group(Two());
  const auto deadline = [] { return CurrentDeadline(); };
  EXPECT_TRUE(group.RunInHub(0, deadline).never());
  const Deadline end = absl::Hours(1);
  WithScope(
      [&](Scope& scope) {
        EXPECT_EQ(group.RunInHub(0, deadline), end);
        scope.SpawnN([&] { EXPECT_EQ(group.Spawn(deadline).Wait(), end); });
      },
      {.deadline = end});
  EXPECT_TRUE(group.RunInHub(0, deadline).never());
}

TEST(HubGroupContext, AScopeThatFailsTakesBackWhatItsChildrenWaitForElsewhere) {
  HubGroup group(Two());
  std::atomic<bool> ran{false};
  SharedEvent<> begun;
  SharedEvent<> go;
  group.SpawnNOn(0, [&] {
    begun.Send();
    while (!go.Ready()) std::this_thread::yield();  // keeps its hub
  });
  begun.Wait();
  EXPECT_THROW(WithScope([&](Scope& scope) {
                 scope.SpawnN([&] { group.RunInHub(0, [&] { ran = true; }); });
                 scope.SpawnN([] {
                   Sleep();
                   throw std::runtime_error("elsewhere");
                 });
               }),
               std::runtime_error);
  go.Send();
  EXPECT_TRUE(group.Stop());
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace verdant
