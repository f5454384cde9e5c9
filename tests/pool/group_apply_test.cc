// Calls made by a group's members for their results, and its maps.

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "pool/group.h"
#include "tests/pool/imap_testing.h"

namespace verdant {
namespace {

TEST(Group, B2_2_ApplyReturnsWhatAMemberComputed) {
  Group group;
  const AnyGreenThread self = CurrentGreenThread();
  EXPECT_EQ(group.Apply([](int a, int b) { return a + b; }, 1, 2), 3);
  EXPECT_EQ(*group.Apply([](std::unique_ptr<int> p) { return p; }, std::make_unique<int>(4)), 4);
  int calls = 0;
  group.Apply([&] {
    EXPECT_NE(CurrentGreenThread(), self);
    EXPECT_EQ(group.size(), 1u);
    ++calls;
  });
  EXPECT_EQ(calls, 1);
  EXPECT_THROW(group.Apply([]() -> int { throw std::runtime_error("boom"); }), std::runtime_error);
  EXPECT_TRUE(group.empty());
}

TEST(Group, B2_2_ApplyInAMemberRunsInline) {
  Group group(2);
  group
      .Spawn([&] {
        const AnyGreenThread self = CurrentGreenThread();
        group.Apply([&] { EXPECT_EQ(CurrentGreenThread(), self); });
        EXPECT_EQ(group.Apply([](int x) { return x; }, 5), 5);
        EXPECT_THROW(group.Apply([]() -> int { throw std::runtime_error("boom"); }),
                     std::runtime_error);
      })
      .Wait();
}

TEST(Group, B2_2_ApplyAsyncCallsBackBeforeWaitersWakeAndOnlyOnSuccess) {
  Group group;
  std::vector<std::string> log;
  auto good = group.ApplyAsync([] { return 7; },
                               [&](int x) { log.push_back("called with " + std::to_string(x)); });
  EXPECT_EQ(good.Wait(), 7);
  log.push_back("waited");
  auto nothing = group.ApplyAsync([] {}, [&] { log.push_back("called with nothing"); });
  nothing.Wait();
  auto bad = group.ApplyAsync([]() -> int { throw std::runtime_error("boom"); },
                              [&](int) { ADD_FAILURE(); });
  EXPECT_THROW(bad.Wait(), std::runtime_error);
  EXPECT_EQ(log, (std::vector<std::string>{"called with 7", "waited", "called with nothing"}));
}

TEST(Group, B2_2_WhatACallbackThrowsAndAFailureNobodySeesAreReported) {
  Group group;
  std::vector<std::string> reports;
  Hub::Current().SetErrorHandler(
      [&](const UncaughtError& e) { reports.push_back(DescribeException(e.error)); });
  group.ApplyAsync([] { return 1; }, [](int) { throw std::runtime_error("callback"); }).Wait();
  static_cast<void>(
      group.ApplyAsync([]() -> int { throw std::runtime_error("unseen"); }, [](int) {}));
  group.Join();
  Hub::Current().SetErrorHandler([](const UncaughtError&) {});
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_NE(reports[0].find("callback"), std::string::npos);
  EXPECT_NE(reports[1].find("unseen"), std::string::npos);
}

TEST(Group, B2_2_ApplyAsyncNeverWaitsAndOneThatIsNoMemberWaitsForRoom) {
  Group group(1);
  Event<> gate;
  auto member = group.Spawn([&] { gate.Wait(); });
  const auto before = Switches();
  std::vector<int> called;
  auto one = group.ApplyAsync([] { return 1; }, [&](int x) { called.push_back(x); });
  auto two = group.ApplyAsync([] { return 2; }, [&](int x) { called.push_back(x); });
  EXPECT_EQ(Switches(), before);
  EXPECT_FALSE(group.Contains(one));
  Settle();
  EXPECT_EQ(group.Waiting(), 2u);
  EXPECT_EQ(group.size(), 1u);
  gate.Send();
  EXPECT_EQ(two.Wait(), 2);
  EXPECT_EQ(one.Wait(), 1);
  EXPECT_EQ(called, (std::vector<int>{1, 2}));
  EXPECT_EQ(group.FreeCount(), 1);
  member.Wait();
}

TEST(Group, B2_2_ApplyAsyncOfAMemberOfAFullGroupIsNotInline) {
  Group group(1);
  GreenThread<int> applied;
  group
      .Spawn([&] {
        applied = group.ApplyAsync([] { return 7; });
        EXPECT_FALSE(applied.Ready());
        Settle();
        EXPECT_FALSE(applied.Ready());
      })
      .Wait();
  EXPECT_EQ(applied.Wait(), 7);
}

TEST(Group, B2_3_MapOfAGroup) {
  Group group;
  EXPECT_EQ(group.Map(Twice, UpTo(4)), (std::vector<int>{0, 2, 4, 6}));
  EXPECT_EQ(group.Map([](int a, int b) { return a - b; }, UpTo(3), UpTo(2)),
            (std::vector<int>{0, 0}));
  Group bounded(2);
  int most = 0;
  int running = 0;
  bounded.Map(
      [&](int) {
        most = std::max(most, ++running);
        Sleep();
        --running;
      },
      UpTo(20));
  EXPECT_EQ(most, 2);
}

TEST(Group, B2_4_AnUnboundedGroupMakesAllCallsAtOnce) {
  Group group;
  Event<> gate;
  int waiting = 0;
  auto results = group.ImapUnordered(
      [&](int x) {
        ++waiting;
        gate.Wait();
        return x;
      },
      UpTo(1000));
  for (int i = 0; i < 20; ++i) Settle();
  EXPECT_EQ(waiting, 1000);
  EXPECT_TRUE(group.empty());
  gate.Send();
  EXPECT_EQ(ToVector(std::move(results)), UpTo(1000));
}

TEST(Group, B2_4_AnEndlessInputNeedsAMaxsize) {
  Group group;
  Counter endless;
  auto results = group.Imap({.maxsize = 5}, Twice, endless);
  for (int i = 0; i < 5000; ++i) ASSERT_EQ(results.Next(), 2 * i);
  EXPECT_LE(endless.read, 5005);
}

}  // namespace
}  // namespace verdant
