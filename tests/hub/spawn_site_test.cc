// Where a green thread was spawned is known whichever way and with however many arguments (row
// B1.11, decision 8).

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "hub/handle.h"
#include "hub/hub_group.h"
#include "hub/remote_green_thread.h"
#include "hub/scope.h"
#include "hub/spawn.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

// Called in a green thread, with any arguments: what it is.
struct Self {
  template <typename... Args>
  std::string operator()(Args...) const {
    return CurrentGreenThread().Description();
  }
};
// The same kept by whoever asked.
struct Note {
  std::vector<std::string>* notes;
  template <typename... Args>
  void operator()(Args... args) const {
    notes->push_back(Self()(args...));
  }
};

// All of them say one line after the other, from `line` on.
void ExpectLines(const std::vector<std::string>& who, unsigned line) {
  for (const std::string& text : who) {
    EXPECT_NE(text.find(absl::StrCat("spawn_site_test.cc:", line)), std::string::npos)
        << line << ": " << text;
    ++line;
  }
}

TEST(SpawnSite, B1_11_OfSpawn) {
  const unsigned line = __LINE__ + 1;
  auto none = Spawn(Self());
  auto one = Spawn(Self(), 1);
  auto two = Spawn(Self(), 1, 2);
  auto three = Spawn(Self(), 1, 2, 3);
  auto four = Spawn(Self(), 1, 2, 3, 4);
  ExpectLines({none.Description(), one.Description(), two.Description(), three.Description(),
               four.Description()},
              line);
  JoinAll({none, one, two, three, four});
  EXPECT_NE(Spawn(Self(), 1, 2, 3, 4, 5).Wait(), "");  // and with more nothing is said
}

TEST(SpawnSite, B1_11_OfSpawnN) {
  std::vector<std::string> notes;
  const Note note{&notes};
  const unsigned line = __LINE__ + 1;
  SpawnN(note);
  SpawnN(note, 1);
  SpawnN(note, 1, 2);
  SpawnN(note, 1, 2, 3);
  SpawnN(note, 1, 2, 3, 4);
  SpawnN(note, 1, 2, 3, 4, 5);
  Sleep();
  ASSERT_EQ(notes.size(), 6u);
  EXPECT_EQ(notes.back().find("spawned at"), std::string::npos);
  notes.pop_back();
  ExpectLines(notes, line);
}

TEST(SpawnSite, B1_11_OfPrepare) {
  const unsigned line = __LINE__ + 1;
  auto none = Prepare(Self());
  auto one = Prepare(Self(), 1);
  auto two = Prepare(Self(), 1, 2);
  auto three = Prepare(Self(), 1, 2, 3);
  auto four = Prepare(Self(), 1, 2, 3, 4);
  ExpectLines({none.Description(), one.Description(), two.Description(), three.Description(),
               four.Description()},
              line);
}

TEST(SpawnSite, B1_11_OfSpawnAfterWithAnyNumber) {
  WithManualClock([](ManualClock&) {
    const absl::Duration delay = absl::Seconds(1);
    const unsigned line = __LINE__ + 1;
    auto none = SpawnAfter(delay, Self());
    auto one = SpawnAfter(delay, Self(), 1);
    auto two = SpawnAfter(delay, Self(), 1, 2);
    auto three = SpawnAfter(delay, Self(), 1, 2, 3);
    auto four = SpawnAfter(delay, Self(), 1, 2, 3, 4);
    auto five = SpawnAfter(absl::Seconds(1), Self(), 1, 2, 3, 4, 5);
    auto local_none = SpawnAfterLocal(delay, Self());
    auto local_one = SpawnAfterLocal(delay, Self(), 1);
    auto local_two = SpawnAfterLocal(delay, Self(), 1, 2);
    auto local_three = SpawnAfterLocal(delay, Self(), 1, 2, 3);
    auto local_four = SpawnAfterLocal(delay, Self(), 1, 2, 3, 4);
    auto local_five = SpawnAfterLocal(delay, Self(), 1, 2, 3, 4, 5);
    std::vector<std::string> who;
    for (const auto& green : {none, one, two, three, four, five, local_none, local_one, local_two,
                              local_three, local_four, local_five}) {
      who.push_back(green.Description());
    }
    ExpectLines(who, line);
    // Their timers say the same.
    std::string dump = Hub::Current().DumpTimers();
    for (unsigned i = 0; i < who.size(); ++i) {
      EXPECT_NE(
          dump.find(absl::StrCat("a call scheduled at tests/hub/spawn_site_test.cc:", line + i)),
          std::string::npos)
          << dump;
    }
    EXPECT_EQ(five.Wait(), five.Description());
  });
}

TEST(SpawnSite, B1_11_OfStartLater) {
  WithManualClock([](ManualClock&) {
    const unsigned line = __LINE__ + 1;
    auto green = Prepare(Self());
    green.StartLater(absl::Seconds(1));
    EXPECT_EQ(
        Hub::Current().DumpTimers(),
        absl::StrCat("  in 1s: a call scheduled at tests/hub/spawn_site_test.cc:", line, "\n"));
  });
}

TEST(SpawnSite, B1_11_OfAScope) {
  std::vector<std::string> notes;
  const Note note{&notes};
  unsigned line = 0;
  WithScope([&](Scope& scope) {
    line = __LINE__ + 1;
    scope.SpawnN(note);
    scope.SpawnN(note, 1);
    scope.SpawnN(note, 1, 2);
    scope.SpawnN(note, 1, 2, 3);
    scope.SpawnN(note, 1, 2, 3, 4);
    static_cast<void>(scope.Spawn(note));
    static_cast<void>(scope.Spawn(note, 1));
    static_cast<void>(scope.Spawn(note, 1, 2));
    static_cast<void>(scope.Spawn(note, 1, 2, 3));
    static_cast<void>(scope.Spawn(note, 1, 2, 3, 4));
  });
  EXPECT_EQ(notes.size(), 10u);
  ExpectLines(notes, line);
}

TEST(SpawnSite, B1_11_OfAHubGroup) {
  HubGroup group({.threads = 1});
  unsigned line = __LINE__ + 1;
  auto none = group.Spawn(Self());
  auto one = group.Spawn(Self(), 1);
  auto two = group.Spawn(Self(), 1, 2);
  auto three = group.Spawn(Self(), 1, 2, 3);
  auto four = group.Spawn(Self(), 1, 2, 3, 4);
  auto on = group.SpawnOn(0, Self());
  auto on_with_five = group.SpawnOn(0, Self(), 1, 2, 3, 4, 5);
  auto in_hub = SpawnInHub(group.remote(0), Self());
  auto in_hub_with_five = SpawnInHub(group.remote(0), Self(), 1, 2, 3, 4, 5);
  std::vector<std::string> who;
  for (auto* green :
       {&none, &one, &two, &three, &four, &on, &on_with_five, &in_hub, &in_hub_with_five}) {
    who.push_back(green->Wait());
  }
  ExpectLines(who, line);
  who.clear();
  line = __LINE__ + 1;
  who.push_back(group.RunInHub(0, Self()));
  who.push_back(group.RunInHub(0, Self(), 1, 2, 3, 4, 5));
  who.push_back(RunInHub(group.remote(0), Self()));
  who.push_back(RunInHub(group.remote(0), Self(), 1, 2, 3, 4, 5));
  ExpectLines(who, line);
  std::vector<std::string> notes;
  const Note note{&notes};
  line = __LINE__ + 1;
  group.SpawnN(note);
  group.SpawnN(note, 1);
  group.SpawnN(note, 1, 2);
  group.SpawnN(note, 1, 2, 3);
  group.SpawnN(note, 1, 2, 3, 4);
  group.SpawnNOn(0, note);
  group.SpawnNOn(0, note, 1, 2, 3, 4, 5);
  group.Stop();
  ASSERT_EQ(notes.size(), 7u);
  // Those given to any hub and those given to one are in an order of their own each.
  std::sort(notes.begin(), notes.end(), [](const std::string& a, const std::string& b) {
    return a.substr(a.rfind(':')) < b.substr(b.rfind(':'));
  });
  ExpectLines(notes, line);
}

}  // namespace
}  // namespace verdant
