#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "greenlet/greenlet.h"
#include "greenlet/internal/sanitizer.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "hub/scope.h"
#include "hub/scoped_green_thread.h"
#include "hub/wait.h"
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

// In the child of a program with several fibers ThreadSanitizer is blind to what the fiber that
// forked does, but not to others, and so takes what that one unlocked to be locked still.
#if !defined(VERDANT_TSAN)
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
#endif

// What a block holds when it is left in the child must neither wait for the parent's green threads
// nor break on them. Each gets the child's exit status.

TEST(Fork, A12_17_AChildLeavesAWaitForSeveralThings) {
  Event<> event;
  auto thread = Spawn([&] { event.Wait(); });
  Sleep();
  EXPECT_EQ(InForkedChild([&, wait = std::make_unique<IWait>(
                                  std::vector<Waitable>{thread, event})]() mutable {
              wait.reset();
              event.Send();  // calls nothing that is gone
              return Spawn([] { return 3; }).Wait();
            }),
            3);
  event.Send();
  thread.Join();
}

TEST(Fork, A12_17_AChildLeavesAScopeWithoutItsParentsChildren) {
  int status = -1;
  bool child_ran = false;
  const auto forks_in_scope = [&](auto leave) {
    pid_t child = -1;
    try {
      WithScope([&](Scope& scope) {
        scope.SpawnN([&] {
          Sleep();
          child_ran = true;
        });
        Sleep();
        child = fork();
        if (child == 0) leave(scope);
      });
    } catch (const std::runtime_error& e) {
      _exit(4);
    }
    if (child == 0) {
      Sleep();
      _exit(child_ran ? 5 : Spawn([] { return 6; }).Wait());
    }
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_TRUE(child_ran);
    child_ran = false;
    return WEXITSTATUS(status);
  };
  EXPECT_EQ(forks_in_scope([](Scope&) {}), 6);
  EXPECT_EQ(forks_in_scope([](Scope&) { throw std::runtime_error("unwinds"); }), 4);
  EXPECT_EQ(forks_in_scope([](Scope& scope) {
              scope.Join();
              scope.Cancel();
            }),
            6);
  EXPECT_EQ(forks_in_scope([](Scope& scope) {
              bool ran = false;
              try {
                scope.SpawnN([&] { ran = true; });
              } catch (const std::logic_error&) {
                Sleep();
                _exit(ran ? 7 : 8);
              }
            }),
            8);
}

TEST(Fork, A12_17_AChildLeavesAScopedGreenThread) {
  const auto forks_in_scope = [](auto body) {
    pid_t child = -1;
    bool lived_on = false;
    try {
      ScopedGreenThread worker(Spawn([&] {
        Sleep();
        lived_on = true;
      }));
      Sleep();
      body(worker, child);
    } catch (const std::runtime_error&) {
      _exit(4);
    }
    if (child == 0) _exit(lived_on ? 5 : Spawn([] { return 6; }).Wait());
    int status = -1;
    waitpid(child, &status, 0);
    EXPECT_TRUE(lived_on);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  };
  EXPECT_EQ(forks_in_scope([](auto&, pid_t& child) { child = fork(); }), 6);
  EXPECT_EQ(forks_in_scope([](auto&, pid_t& child) {
              child = fork();
              if (child == 0) throw std::runtime_error("unwinds");
            }),
            4);
  EXPECT_EQ(forks_in_scope([](auto& worker, pid_t& child) {
              worker.During([&] {
                child = fork();
                if (child == 0) throw std::runtime_error("leaves the body");
              });
            }),
            4);
}

}  // namespace
}  // namespace verdant
