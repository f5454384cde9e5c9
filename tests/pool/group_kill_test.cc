// Killing a group's members.

#include <stdexcept>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "pool/group.h"
#include "tests/hub/manual_clock.h"
#include "tests/pool/settle.h"

namespace verdant {
namespace {

// Logs when its scope is left.
struct Note {
  std::vector<std::string>& log;
  std::string text;
  ~Note() { log.push_back(text); }
};

TEST(Group, B2_1_KillTellsAllInOrderAndThenWaits) {
  Group group;
  std::vector<std::string> log;
  for (int i = 0; i < 3; ++i) {
    group.SpawnN([&, i] {
      const Note note{log, "end " + std::to_string(i)};
      try {
        Sleep(absl::InfiniteDuration());
      } catch (const GreenletExit&) {
        log.push_back("told " + std::to_string(i));
        Sleep();
        throw;
      }
    });
  }
  Settle();
  bool ran = false;
  auto unstarted = group.Spawn([&] { ran = true; });
  EXPECT_TRUE(group.Kill());
  EXPECT_EQ(log,
            (std::vector<std::string>{"told 0", "told 1", "told 2", "end 0", "end 1", "end 2"}));
  EXPECT_FALSE(ran);
  EXPECT_TRUE(unstarted.Ready());
  EXPECT_TRUE(group.empty());
  EXPECT_TRUE(group.Kill());
}

TEST(Group, B2_1_KillWithAnException) {
  Group group;
  auto member = group.Spawn([] { Sleep(absl::InfiniteDuration()); });
  Settle();
  EXPECT_TRUE(group.Kill(std::make_exception_ptr(std::runtime_error("go"))));
  EXPECT_THROW(member.Wait(), std::runtime_error);
  EXPECT_THROW(group.Kill(nullptr), std::logic_error);
}

TEST(Group, B2_1_KillGivesUpAtItsDeadline) {
  WithManualClock([](ManualClock& clock) {
    Group group;
    auto stubborn = group.Spawn([] {
      try {
        Sleep(absl::InfiniteDuration());
      } catch (const GreenletExit&) {
      }
      Sleep(absl::Seconds(10));
    });
    Settle();
    EXPECT_FALSE(group.Kill(std::make_exception_ptr(GreenletExit()), absl::Seconds(3)));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(3));
    EXPECT_EQ(group.size(), 1u);
    // The next one kills it again.
    EXPECT_TRUE(group.Kill());
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(3));
    EXPECT_THROW(stubborn.Wait(), GreenletExit);
  });
}

TEST(Group, B2_1_KillWithADeadlineThatHasPassedDoesNotWait) {
  Group group;
  int ended = 0;
  auto member = group.Spawn([&] {
    struct Count {
      int& n;
      ~Count() { ++n; }
    } const count{ended};
    Sleep(absl::InfiniteDuration());
  });
  Settle();
  const auto before = Switches();
  EXPECT_FALSE(group.Kill(std::make_exception_ptr(GreenletExit()), absl::ZeroDuration()));
  EXPECT_EQ(Switches(), before);
  EXPECT_EQ(ended, 0);
  EXPECT_TRUE(group.Join());
  EXPECT_EQ(ended, 1);
  auto again = group.Spawn([] { Sleep(absl::InfiniteDuration()); });
  Settle();
  Hub::Current().Post(
      [&] { group.Kill(std::make_exception_ptr(GreenletExit()), absl::ZeroDuration()); });
  EXPECT_TRUE(group.Join());
  EXPECT_THROW(again.Wait(), GreenletExit);
  EXPECT_THROW(member.Wait(), GreenletExit);
}

TEST(Group, B2_1_AMemberThatKillsItsGroupKillsTheOthers) {
  Group group;
  auto victim = group.Spawn([] { Sleep(absl::InfiniteDuration()); });
  auto killer = group.Spawn([&] {
    EXPECT_TRUE(group.Kill());
    EXPECT_EQ(group.size(), 1u);
    return 1;
  });
  EXPECT_EQ(killer.Wait(), 1);
  EXPECT_THROW(victim.Wait(), GreenletExit);
}

TEST(Group, B2_1_KillOne) {
  WithManualClock([](ManualClock& clock) {
    Group group;
    auto a = group.Spawn([] { Sleep(absl::InfiniteDuration()); });
    auto b = group.Spawn([] {
      try {
        Sleep(absl::InfiniteDuration());
      } catch (const GreenletExit&) {
        Sleep(absl::Seconds(5));
      }
    });
    auto stranger = Spawn([] { Sleep(); });
    Settle();
    EXPECT_TRUE(group.KillOne(a));
    EXPECT_THROW(a.Wait(), GreenletExit);
    EXPECT_EQ(group.size(), 1u);
    EXPECT_FALSE(group.KillOne(b, std::make_exception_ptr(GreenletExit()), absl::Seconds(1)));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(1));
    EXPECT_TRUE(group.KillOne(stranger));
    EXPECT_TRUE(group.KillOne(a));
    EXPECT_TRUE(group.Join());
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(5));
    stranger.Wait();
    group.Spawn([&] { EXPECT_THROW(group.KillOne(CurrentGreenThread()), std::logic_error); })
        .Wait();
    EXPECT_THROW(group.KillOne(b, nullptr), std::logic_error);
  });
}

TEST(Group, B2_8_ThoseThatComeDuringAKillAreKilledToo) {
  Group group;
  std::vector<AnyGreenThread> late;
  auto member = group.Spawn([&] {
    try {
      Sleep(absl::InfiniteDuration());
    } catch (const GreenletExit&) {
      late.push_back(group.Spawn([] { Sleep(absl::InfiniteDuration()); }));
      Sleep();
      late.push_back(Spawn([] { Sleep(absl::InfiniteDuration()); }));
      Sleep();
      group.Add(late.back());
      throw;
    }
  });
  Settle();
  EXPECT_TRUE(group.Kill());
  ASSERT_EQ(late.size(), 2u);
  EXPECT_TRUE(late[0].Ready());
  EXPECT_TRUE(late[1].Ready());
  EXPECT_TRUE(group.empty());
  EXPECT_THROW(member.Wait(), GreenletExit);
}

TEST(Group, B2_8_TheTasksOfWaitingSpawnersAreKilledToo) {
  Group group(1);
  auto member = group.Spawn([] { Sleep(absl::InfiniteDuration()); });
  int spawned = 0;
  auto spawner = Spawn([&] {
    for (int i = 0; i < 5; ++i) {
      group.SpawnN([] { Sleep(absl::InfiniteDuration()); });
      ++spawned;
    }
  });
  Settle();
  EXPECT_TRUE(group.Kill());
  EXPECT_TRUE(group.Kill());
  while (!spawner.Ready()) {
    Settle();
    EXPECT_TRUE(group.Kill());
  }
  EXPECT_TRUE(group.Kill());
  EXPECT_EQ(spawned, 5);
  EXPECT_EQ(group.FreeCount(), 1);
  EXPECT_THROW(member.Wait(), GreenletExit);
}

TEST(Group, B2_8_TwoKillsAtOnceTellEachMemberOnce) {
  Group group;
  int told = 0;
  auto member = group.Spawn([&] {
    for (int i = 0; i < 3; ++i) {
      try {
        Sleep(i == 0 ? absl::InfiniteDuration() : absl::Milliseconds(1));
      } catch (const GreenletExit&) {
        ++told;
      }
    }
  });
  Settle();
  auto one = Spawn([&] { return group.Kill(); });
  auto two = Spawn([&] { return group.Kill(); });
  EXPECT_TRUE(one.Wait());
  EXPECT_TRUE(two.Wait());
  EXPECT_EQ(told, 1);
  member.Wait();
}

TEST(Group, B2_8_AKillThatIsKilledLeavesTheGroupUsable) {
  Group group;
  auto member = group.Spawn([] {
    try {
      Sleep(absl::InfiniteDuration());
    } catch (const GreenletExit&) {
      Sleep(absl::InfiniteDuration());
    }
  });
  Settle();
  auto killer = Spawn([&] { return group.Kill(); });
  Settle();
  killer.Kill();
  EXPECT_THROW(killer.Wait(), GreenletExit);
  EXPECT_EQ(group.size(), 1u);
  EXPECT_TRUE(group.Kill());
  EXPECT_THROW(member.Wait(), GreenletExit);
}

TEST(Group, B2_8_AThousandAreKilled) {
  Group group;
  int ended = 0;
  for (int i = 0; i < 1000; ++i) {
    group.SpawnN([&] {
      struct Count {
        int& n;
        ~Count() { ++n; }
      } const count{ended};
      Sleep(absl::InfiniteDuration());
    });
  }
  Settle();
  EXPECT_TRUE(group.Kill());
  EXPECT_EQ(ended, 1000);
}

}  // namespace
}  // namespace verdant
