#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <string>

#include "greenlet/greenlet.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

// The exit status of a child that runs `body` and exits with what it returns.
template <typename Body>
int InForkedChild(Body&& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Fork, A0_3_A12_17_AChildThatUsesGreenThreadsGetsAHubOfItsOwn) {
  Event<> never;
  auto parents = Spawn([&] { never.Wait(); });
  Sleep();
  EXPECT_EQ(InForkedChild([&] {
              if (Hub::Current().counts().green_threads != 1) return 1;
              int sum = 0;
              auto a = Spawn([&] {
                Sleep(absl::Milliseconds(1));
                ++sum;
              });
              auto b = Spawn([&] { ++sum; });
              JoinAll({a, b});
              try {
                Event<> nothing;
                nothing.Wait();
                return 2;
              } catch (const LoopExit&) {
              }
              try {
                parents.Join();
                return 3;
              } catch (const std::logic_error&) {
              }
              return sum == 2 ? 0 : 4;
            }),
            0);
  EXPECT_EQ(Hub::Current().counts().green_threads, 2u);
  parents.Kill();
}

TEST(Fork, AGreenThreadThatForksIsTheChildsMainAndItsEndIsTheChilds) {
  bool others_ran = false;
  int status = -1;
  Event<> go;
  auto bystander = Spawn([&] {
    go.Wait();
    others_ran = true;
  });
  bool in_child = false;
  auto forker = Spawn([&] {
    const pid_t child = fork();
    if (child == 0) {
      in_child = true;
      go.Send();  // the waiter is the parent's: nobody here
      if (CurrentGreenThread().Description() != "the main greenlet") _exit(1);
      if (Spawn([] { return 7; }).Wait() != 7) _exit(2);
      Sleep(absl::Milliseconds(1));
      if (others_ran) _exit(3);
      return;  // exit(0), like the last thread of a process
    }
    waitpid(child, &status, 0);
  });
  forker.Link([&] {
    if (in_child) _exit(4);
  });
  forker.Wait();
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_FALSE(others_ran);
  go.Send();
  bystander.Wait();
  EXPECT_TRUE(others_ran);
}

TEST(Fork, AnErrorThatLeavesAForkedGreenThreadIsReportedAndFailsTheChild) {
  int status = -1;
  Spawn([&] {
    const pid_t child = fork();
    if (child == 0) {
      Hub::Current().SetErrorHandler([](const UncaughtError& error) {
        if (error.context != "the main greenlet of a forked child") _exit(9);
      });
      throw std::runtime_error("child");
    }
    waitpid(child, &status, 0);
  }).Wait();
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 1);
}

TEST(Fork, PostsInTheChildDoNotReachTheParent) {
  bool called = false;
  const Hub::Remote remote(Hub::Current());
  EXPECT_EQ(InForkedChild([&] {
              remote.Post([&] { called = true; });
              Sleep(absl::Milliseconds(1));
              return called ? 1 : 0;
            }),
            0);
  Sleep();
  EXPECT_FALSE(called);
}

TEST(Fork, A0_3_AGreenletThatHadBlockedBlocksInTheChildToo) {
  int turns = 0;
  Greenlet greenlet([&] {
    for (;;) {
      Sleep(absl::Milliseconds(1));
      ++turns;
      Greenlet::Current().parent().Switch();
    }
  });
  greenlet.Switch();
  EXPECT_EQ(InForkedChild([&] {
              greenlet.Switch();
              return turns;
            }),
            2);
  greenlet.Switch();
  EXPECT_EQ(turns, 2);
}

}  // namespace
}  // namespace verdant
