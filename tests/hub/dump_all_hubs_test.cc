#include <algorithm>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "hub/async_result.h"
#include "hub/dump.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/hub.h"

namespace verdant {
namespace {

constexpr absl::Duration kForEver = absl::Hours(1);

// A thread with a hub on which a green thread named "far" waits.
class OtherHub {
 public:
  OtherHub() {
    std::promise<void> parked;
    thread_ = std::thread([this, &parked] {
      const Hub::Keepalive keepalive(Hub::Current());
      Event<> end;
      end_ = &end;
      hub_.emplace(Hub::Current());
      auto far = Spawn([&] { end.Wait(); });
      far.SetName("far");
      Sleep();
      parked.set_value();
      far.Join();
    });
    parked.get_future().wait();
  }
  OtherHub(const OtherHub&) = delete;
  OtherHub& operator=(const OtherHub&) = delete;
  ~OtherHub() {
    hub_->Post([this] { end_->Send(); });
    thread_.join();
  }
  const Hub::Remote& hub() const { return *hub_; }

 private:
  std::optional<Hub::Remote> hub_;
  Event<>* end_ = nullptr;
  std::thread thread_;
};

// Keeps that hub from turning from its construction on.
class Blocked {
 public:
  explicit Blocked(const OtherHub& other) {
    std::promise<void> blocked;
    other.hub().Post([&blocked, may_go_on = go_on_.get_future()] {
      blocked.set_value();
      may_go_on.wait();
    });
    blocked.get_future().wait();
  }
  void GoOn() { go_on_.set_value(); }

 private:
  std::promise<void> go_on_;
};

bool Has(std::string_view text, std::string_view part) { return absl::StrContains(text, part); }

TEST(DumpTree, B13_5_EachStandsBelowWhoSpawnedIt) {
  Event<> never;
  auto parent = Spawn([&] {
    auto child = Spawn([&] {
      Spawn([&] { never.Wait(); }).SetName("grandchild");
      never.Wait();
    });
    child.SetName("child");
    never.Wait();
  });
  parent.SetName("parent");
  auto sibling = Spawn([&] { never.Wait(); });
  sibling.SetName("sibling");
  Hub::Current().ScheduleCall(absl::ZeroDuration(),
                              [&] { Spawn([&] { never.Wait(); }).SetName("nobody's"); });
  Sleep(absl::Milliseconds(1));
  while (Hub::Current().AnyRunnable()) Sleep();

  const auto indent_of = [](const std::string& dump, std::string_view name) {
    const std::size_t at = dump.find(absl::StrCat("'", name, "'"));
    if (at == std::string::npos) return std::string("missing");
    const std::size_t line = dump.rfind('\n', at) + 1;
    return dump.substr(line, dump.find('g', line) - line);
  };
  const std::string dump = Hub::Current().DumpTree();
  EXPECT_EQ(dump.find("  the main greenlet: running\n    green thread "), 0u) << dump;
  EXPECT_EQ(indent_of(dump, "parent"), "    ") << dump;
  EXPECT_EQ(indent_of(dump, "child"), "      ") << dump;
  EXPECT_EQ(indent_of(dump, "grandchild"), "        ") << dump;
  EXPECT_EQ(indent_of(dump, "sibling"), "    ") << dump;
  EXPECT_LT(dump.find("'grandchild'"), dump.find("'sibling'"));
  EXPECT_TRUE(Has(dump, "'nobody's' spawned at ")) << dump;
  EXPECT_TRUE(Has(dump, "waiting in Event::Wait, spawned by no green thread\n")) << dump;

  parent.KillAndJoin();
  const std::string after = Hub::Current().DumpTree();
  EXPECT_EQ(indent_of(after, "child"), "  ") << after;
  EXPECT_EQ(indent_of(after, "grandchild"), "    ") << after;
  EXPECT_TRUE(
      Has(after, absl::StrCat(", spawned by green thread ", parent.id(), ", which has ended\n")))
      << after;
  EXPECT_TRUE(Has(Hub::Current().DumpTree(2), "  and 3 more\n")) << Hub::Current().DumpTree(2);
  never.Send();
  Sleep();
}

TEST(DumpTree, B13_5_AChainOfSpawnsMayBeLong) {
  Event<> never;
  std::function<void(int)> spawn_next = [&](int left) {
    if (left > 0) SpawnN([&, left] { spawn_next(left - 1); });
    never.Wait();
  };
  SpawnN([&] { spawn_next(2000); });
  while (Hub::Current().AnyRunnable()) Sleep();
  const std::string dump = Hub::Current().DumpTree();
  EXPECT_GT(std::count(dump.begin(), dump.end(), '\n'), 2000);
  EXPECT_LT(dump.size(), 2002u * 200);
  never.Send();
  while (Hub::Current().AnyRunnable()) Sleep();
}

TEST(DumpAllHubs, B13_5_ShowsTheHubsOfAllThreadsWithTheirCounts) {
  const OtherHub other;
  auto near = Spawn([] { Sleep(kForEver); });
  near.SetName("near");
  Sleep();
  const std::string dump = DumpAllHubs({.patience = kForEver});
  EXPECT_EQ(dump.find("hub "), 0u) << dump;
  EXPECT_TRUE(Has(dump, ": 2 green threads, 0 runnable, ")) << dump;
  EXPECT_TRUE(Has(dump, " 'near' spawned at ")) << dump;
  EXPECT_TRUE(Has(dump, "waiting in Sleep\n")) << dump;
  EXPECT_TRUE(Has(dump, " 'far' spawned at ")) << dump;
  EXPECT_TRUE(Has(dump, "waiting in Event::Wait\n")) << dump;
  EXPECT_TRUE(Has(dump, absl::StrCat(" (", Hub::Current().poller(), "): "))) << dump;
  near.KillAndJoin();
}

TEST(DumpAllHubs, B13_5_OptionsSayHowMuch) {
  auto first = Spawn([] { Sleep(kForEver); });
  auto second = Spawn([] { Sleep(kForEver); });
  Sleep();
  Hub::Current().ScheduleCall(kForEver, [] {});
  const std::string brief = DumpAllHubs({.most = 1});
  EXPECT_TRUE(Has(brief, "  the main greenlet: running\n  and 2 more\n")) << brief;
  EXPECT_FALSE(Has(brief, "a call scheduled at")) << brief;
  const std::string flat = DumpAllHubs({.as_tree = false, .timers_and_listeners = true});
  EXPECT_TRUE(Has(flat, "\n  green thread ")) << flat;
  EXPECT_FALSE(Has(flat, "\n    green thread ")) << flat;
  EXPECT_TRUE(Has(flat, "a call scheduled at")) << flat;
  first.KillAndJoin();
  second.KillAndJoin();
}

TEST(DumpAllHubs, B13_5_IsForThreadsWithoutAHubAsWell) {
  const OtherHub other;
  AsyncResult<std::string> dump;
  std::thread thread([remote = AsyncResult<std::string>::Remote(dump)] {
    remote.Set(DumpAllHubs({.patience = kForEver}));
  });
  const std::string text = dump.Get();
  EXPECT_TRUE(Has(text, " 'far' spawned at ")) << text;
  EXPECT_TRUE(Has(text, "the main greenlet: waiting in AsyncResult::Get")) << text;
  thread.join();
}

TEST(DumpAllHubs, B13_5_InAHubCallbackTheThreadWaits) {
  const OtherHub other;
  AsyncResult<std::string> dump;
  Hub::Current().Post([&] { dump.Set(DumpAllHubs({.patience = kForEver})); });
  const std::string text = dump.Get();
  EXPECT_TRUE(Has(text, " 'far' spawned at ")) << text;
  EXPECT_TRUE(Has(text, "the main greenlet: waiting in AsyncResult::Get")) << text;
}

TEST(DumpAllHubs, B13_5_InAHubCallbackPatienceMayBeEndless) {
  const OtherHub other;
  Event<std::string> dump;
  Hub::Current().ScheduleCall(absl::ZeroDuration(), [&] {
    dump.Send(DumpAllHubs({.patience = absl::InfiniteDuration()}));
  });
  const std::string text = dump.Wait();
  EXPECT_TRUE(absl::StrContains(text, "'far'")) << text;
  EXPECT_FALSE(absl::StrContains(text, "is stuck")) << text;
}

TEST(DumpAllHubs, B13_5_TwoHubsMayAskEachOtherAtOnce) {
  const OtherHub other;
  AsyncResult<std::string> theirs;
  other.hub().Post([remote = AsyncResult<std::string>::Remote(theirs)] {
    SpawnN([remote] { remote.Set(DumpAllHubs({.patience = kForEver})); });
  });
  const std::string ours = DumpAllHubs({.patience = kForEver});
  EXPECT_TRUE(Has(ours, " 'far' spawned at ")) << ours;
  const std::string text = theirs.Get();
  EXPECT_TRUE(Has(text, " 'far' spawned at ")) << text;
  EXPECT_TRUE(Has(text, "the main greenlet: ")) << text;
}

TEST(DumpAllHubs, B13_5_AHubThatDoesNotTurnIsSaidToBeStuck) {
  const OtherHub other;
  Blocked blocked(other);
  const std::string dump = DumpAllHubs({.patience = absl::Milliseconds(5)});
  EXPECT_TRUE(Has(dump, ": is stuck, has not turned for 5ms\n")) << dump;
  EXPECT_FALSE(Has(dump, "'far'")) << dump;
  EXPECT_TRUE(Has(dump, "the main greenlet: running")) << dump;
  blocked.GoOn();
  // The late answer to the first question is nobody's.
  EXPECT_TRUE(Has(DumpAllHubs({.patience = kForEver}), "'far'"));
}

TEST(DumpAllHubs, B13_5_WhoIsKilledWhileItWaitsLeavesNothingBehind) {
  const OtherHub other;
  Blocked blocked(other);
  auto asker = Spawn([] { DumpAllHubs({.patience = kForEver}); });
  Sleep();
  EXPECT_TRUE(Has(Hub::Current().Dump(), ": waiting in DumpAllHubs\n")) << Hub::Current().Dump();
  asker.KillAndJoin();
  EXPECT_TRUE(asker.Killed());
  blocked.GoOn();
}

TEST(DumpAllHubs, B13_5_HubsThatHaveEndedAreNotThere) {
  { const OtherHub other; }
  EXPECT_FALSE(Has(DumpAllHubs({.patience = kForEver}), "'far'"));
}

}  // namespace
}  // namespace verdant
