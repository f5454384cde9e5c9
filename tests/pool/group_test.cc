#include "pool/group.h"

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "tests/hub/manual_clock.h"
#include "tests/pool/settle.h"

namespace verdant {
namespace {

TEST(Group, B2_1_MembersLeaveWhenTheyEndBeforeWaitersWake) {
  Group group;
  EXPECT_TRUE(group.empty());
  EXPECT_EQ(group.max_size(), std::nullopt);
  EXPECT_EQ(group.FreeCount(), INT64_MAX);
  EXPECT_FALSE(group.Full());
  auto thread = group.Spawn([](int x) { return x + 1; }, 1);
  EXPECT_EQ(group.size(), 1u);
  EXPECT_TRUE(group.Contains(thread));
  EXPECT_EQ(thread.Wait(), 2);
  EXPECT_EQ(group.size(), 0u);
  EXPECT_FALSE(group.Contains(thread));
  EXPECT_EQ(group.Spawn([](int a, int b, int c) { return a * b * c; }, 2, 3, 4).Wait(), 24);
}

TEST(Group, B2_1_AddTakesInWhatOthersSpawned) {
  Group group;
  Event<> gate;
  auto running = Spawn([&] { gate.Wait(); });
  auto later = SpawnAfter(absl::Milliseconds(1), [&] { gate.Wait(); });
  auto ended = Spawn([] {});
  ended.Join();
  group.Add(running);
  group.Add(running);
  group.Add(later);
  group.Add(ended);
  EXPECT_EQ(group.size(), 2u);
  EXPECT_EQ(group.Members(), (std::vector<AnyGreenThread>{running, later}));
  gate.Send();
  EXPECT_TRUE(group.Join());
  EXPECT_TRUE(later.Ready());
  EXPECT_TRUE(group.empty());
}

TEST(Group, B2_1_OneMayBeMemberOfSeveralGroups) {
  Group a;
  Group b(1);
  auto thread = Spawn([] {});
  a.Add(thread);
  b.Add(thread);
  EXPECT_TRUE(b.Full());
  thread.Join();
  EXPECT_TRUE(a.empty());
  EXPECT_TRUE(b.empty());
  EXPECT_EQ(b.FreeCount(), 1);
}

TEST(Group, B2_1_DiscardLetsAMemberGoOnAlone) {
  Group group(1);
  Event<> gate;
  auto thread = group.Spawn([&] { gate.Wait(); });
  EXPECT_TRUE(group.Discard(thread));
  EXPECT_FALSE(group.Discard(thread));
  EXPECT_EQ(group.FreeCount(), 1);
  EXPECT_TRUE(group.Join());
  EXPECT_FALSE(thread.Ready());
  Event<> other_gate;
  auto other = group.Spawn([&] { other_gate.Wait(); });
  gate.Send();
  thread.Join();
  EXPECT_TRUE(group.Contains(other));
  EXPECT_EQ(group.FreeCount(), 0);
  other_gate.Send();
  other.Join();
  EXPECT_EQ(group.FreeCount(), 1);
}

TEST(Group, B2_1_MembersAreASnapshotInTheOrderTheyCame) {
  Group group;
  std::vector<AnyGreenThread> threads;
  for (int i = 0; i < 5; ++i) threads.push_back(Spawn([] { Sleep(); }));
  for (int i : {3, 1, 4, 0, 2}) group.Add(threads[i]);
  std::vector<AnyGreenThread> seen;
  for (const AnyGreenThread& member : group.Members()) {
    member.Join();
    seen.push_back(member);
  }
  EXPECT_EQ(seen, (std::vector<AnyGreenThread>{threads[3], threads[1], threads[4], threads[0],
                                               threads[2]}));
  EXPECT_TRUE(group.empty());
}

TEST(Group, B2_1_JoinReturnsAtOnceWhenEmptyAndGivesUpAtItsDeadline) {
  WithManualClock([](ManualClock& clock) {
    Group group;
    const auto before = Switches();
    EXPECT_TRUE(group.Join());
    EXPECT_EQ(Switches(), before);
    Event<> gate;
    auto thread = group.Spawn([&] { gate.Wait(); });
    EXPECT_FALSE(group.Join(absl::Seconds(3)));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(3));
    gate.Send();
    EXPECT_TRUE(group.Join(absl::Seconds(3)));
    thread.Wait();
  });
}

TEST(Group, B2_1_JoinTellsThatItWasEmptyAtSomeMomentEvenIfItIsNotNow) {
  Group group;
  Event<> gate;
  auto first = group.Spawn([] { Sleep(); });
  // Refills it in the very turn it became empty, before the joiner runs.
  first.Link([&] { group.SpawnN([&] { gate.Wait(); }); });
  EXPECT_TRUE(group.Join());
  EXPECT_EQ(group.size(), 1u);
  gate.Send();
  EXPECT_TRUE(group.Join());
}

TEST(Group, B2_1_JoinWaitsForMembersThatMembersAdd) {
  Group group;
  int done = 0;
  group.SpawnN([&] {
    group.SpawnN([&] {
      Sleep();
      ++done;
    });
    ++done;
  });
  EXPECT_TRUE(group.Join());
  EXPECT_EQ(done, 2);
}

TEST(Group, B2_1_JoinCanThrowTheFirstErrorInTheOrderOfComing) {
  Group group;
  auto fine = group.Spawn([] { Sleep(); });
  auto killed = group.Spawn([] { Sleep(absl::InfiniteDuration()); });
  auto slow = group.Spawn([] {
    for (int i = 0; i < 5; ++i) Sleep();
    throw std::runtime_error("slow");
  });
  auto quick = group.Spawn([] { throw std::runtime_error("quick"); });
  Sleep();
  killed.Kill();
  try {
    group.Join(Deadline::Never(), /*raise_error=*/true);
    FAIL();
  } catch (const std::runtime_error& e) {
    EXPECT_STREQ(e.what(), "slow");
  }
  EXPECT_TRUE(slow.Ready() && quick.Ready());
  EXPECT_TRUE(group.Join(Deadline::Never(), true));
  EXPECT_THROW(slow.Wait(), std::runtime_error);
  EXPECT_THROW(quick.Wait(), std::runtime_error);
}

TEST(Group, B2_1_JoinThatRaisesAtItsDeadlineTellsOfThoseThatHaveEnded) {
  WithManualClock([](ManualClock&) {
    Group group;
    auto failing = group.Spawn([] {
      Sleep(absl::Seconds(1));
      throw std::runtime_error("boom");
    });
    auto lasting = group.Spawn([] { Sleep(absl::Seconds(9)); });
    EXPECT_THROW(group.Join(absl::Seconds(2), true), std::runtime_error);
    EXPECT_FALSE(lasting.Ready());
    EXPECT_FALSE(group.Join(absl::Seconds(2), true));
    EXPECT_TRUE(group.Join());
    EXPECT_THROW(failing.Wait(), std::runtime_error);
  });
}

TEST(Group, B2_1_JoinInAMemberIsMisuse) {
  Group group;
  group.Spawn([&] { EXPECT_THROW(group.Join(), std::logic_error); }).Wait();
  auto added = Spawn([&] { EXPECT_THROW(group.Join(), std::logic_error); });
  group.Add(added);
  added.Wait();
}

TEST(Group, B2_1_AnErrorThatNobodyLookedAtIsReported) {
  Group group;
  std::vector<std::string> reports;
  Hub::Current().SetErrorHandler(
      [&](const UncaughtError& e) { reports.push_back(DescribeException(e.error)); });
  group.SpawnN([] { throw std::runtime_error("unseen"); });
  auto seen = group.Spawn([] { throw std::runtime_error("seen"); });
  EXPECT_TRUE(group.Join());
  EXPECT_THROW(seen.Wait(), std::runtime_error);
  Hub::Current().SetErrorHandler([](const UncaughtError&) {});
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_NE(reports[0].find("unseen"), std::string::npos);
}

TEST(Group, MembersOutliveTheGroup) {
  Event<> gate;
  int done = 0;
  AnyGreenThread spawned;
  auto added = Spawn([&] {
    gate.Wait();
    ++done;
  });
  {
    Group group;
    spawned = group.Spawn([&] {
      gate.Wait();
      ++done;
    });
    group.Add(added);
    Settle();
  }
  gate.Send();
  JoinAll({spawned, added});
  EXPECT_EQ(done, 2);
}

TEST(Group, MayBeDestroyedByALinkOfAMember) {
  auto group = std::make_unique<Group>();
  auto thread = Spawn([] {});
  thread.Link([&] { group.reset(); });
  group->Add(thread);
  thread.Wait();
  EXPECT_EQ(group, nullptr);
}

TEST(Group, AnotherHubsThreadIsMisuse) {
  Group group;
  AnyGreenThread foreign;
  auto mine = Spawn([] {});
  OnFreshThread([&] {
    Group other;
    EXPECT_THROW(other.Add(mine), std::logic_error);
    EXPECT_TRUE(other.empty());
  });
  EXPECT_THROW(group.Add(AnyGreenThread()), std::logic_error);
  mine.Join();
}

TEST(Group, AThousandMembers) {
  Group group;
  Event<> gate;
  int sum = 0;
  std::vector<AnyGreenThread> threads;
  for (int i = 0; i < 1000; ++i) {
    threads.push_back(group.Spawn([&, i] {
      gate.Wait();
      sum += i;
    }));
  }
  Settle();
  EXPECT_EQ(group.size(), 1000u);
  for (int i = 0; i < 1000; i += 2) EXPECT_TRUE(group.Discard(threads[i]));
  EXPECT_EQ(group.size(), 500u);
  gate.Send();
  EXPECT_TRUE(group.Join());
  JoinAll(threads);
  EXPECT_EQ(sum, 499500);
}

}  // namespace
}  // namespace verdant
