// A Group that is destroyed where its members' hub is not: when the process exits, in the child of
// a fork.

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <optional>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "pool/group.h"
#include "tests/pool/settle.h"
#include "tests/testing/death_tests.h"

namespace verdant {
namespace {

TEST(GroupDeathTest, B2_1_AStaticOneWithMembersLetsTheProcessExit) {
  DieInAFreshProcess();
  EXPECT_EXIT(
      {
        static Group group(3);
        static AnyGreenThread unstarted;
        group.SpawnN([] { Sleep(absl::InfiniteDuration()); });
        Settle();
        group.SpawnN([held = std::make_shared<int>()] { Sleep(absl::InfiniteDuration()); });
        unstarted = Prepare([held = std::make_shared<int>()] {});
        group.Add(unstarted);
        if (group.size() != 3) _exit(1);
        std::exit(0);
      },
      testing::ExitedWithCode(0), "");
}

TEST(Group, A12_17_B2_1_InTheChildOfAForkItLetsGoOfItsParentsMembers) {
  int status = -1;
  bool ran_on = false;
  {
    std::optional<Group> group(std::in_place, 2);
    Event<> go;
    group->SpawnN([&] {
      go.Wait();
      ran_on = true;
    });
    Settle();
    group->SpawnN([] {});
    const pid_t child = fork();
    if (child == 0) {
      group.reset();
      Settle();
      _exit(ran_on ? 1 : 0);
    }
    waitpid(child, &status, 0);
    go.Send();
    EXPECT_TRUE(group->Join());
  }
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_TRUE(ran_on);
}

TEST(Group, A12_17_B2_1_AGreenThreadThatForksMayLeaveItsGroupBehindInTheChild) {
  int status = -1;
  Spawn([&] {
    pid_t child;
    {
      Group group;
      group.SpawnN([] { Sleep(absl::InfiniteDuration()); });
      Settle();
      child = fork();
      if (child != 0) group.Kill();
    }
    if (child == 0) _exit(Spawn([] { return 7; }).Wait());
    waitpid(child, &status, 0);
  }).Wait();
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

}  // namespace
}  // namespace verdant
