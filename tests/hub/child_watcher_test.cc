#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <vector>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/watcher/child.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

// A child that waits for a byte, then exits with `code`.
class Child {
 public:
  explicit Child(int code) {
    if (pipe(pipe_) != 0) throw std::runtime_error("pipe");
    pid_ = fork();
    if (pid_ == 0) {
      char byte;
      _exit(read(pipe_[0], &byte, 1) == 1 ? code : 99);
    }
  }
  ~Child() {
    LetEnd();
    close(pipe_[0]);
    close(pipe_[1]);
  }
  void LetEnd() {
    if (write(pipe_[1], "x", 1) != 1) std::abort();
  }
  pid_t pid() const { return pid_; }

 private:
  int pipe_[2];
  pid_t pid_;
};

TEST(ChildWatcher, B8_5_Decision17_CallsWithTheStatusWhenTheChildEnds) {
  Child child(7);
  int calls = 0;
  Event<> ended;
  ChildWatcher watcher(child.pid(), [&] {
    ++calls;
    ended.Send();
  });
  watcher.Start();
  EXPECT_EQ(watcher.status(), -1);
  Sleep(absl::Milliseconds(1));
  EXPECT_EQ(calls, 0);
  child.LetEnd();
  ended.Wait();
  EXPECT_TRUE(WIFEXITED(watcher.status()));
  EXPECT_EQ(WEXITSTATUS(watcher.status()), 7);
  EXPECT_FALSE(watcher.active());
  EXPECT_EQ(waitpid(child.pid(), nullptr, WNOHANG), -1);  // reaped
  EXPECT_EQ(errno, ECHILD);
  Sleep(absl::Milliseconds(1));
  EXPECT_EQ(calls, 1);
}

TEST(ChildWatcher, B8_5_OneThatHasEndedBeforeIsToldOfToo) {
  Child child(3);
  child.LetEnd();
  siginfo_t info;
  waitid(P_PID, static_cast<id_t>(child.pid()), &info, WEXITED | WNOWAIT);
  ChildWatcher watcher(child.pid(), nullptr);
  EXPECT_TRUE(watcher.Wait());
  EXPECT_EQ(WEXITSTATUS(watcher.status()), 3);
}

TEST(ChildWatcher, B8_5_ASignalIsInTheStatus) {
  Child child(0);
  ChildWatcher watcher(child.pid(), nullptr);
  kill(child.pid(), SIGKILL);
  EXPECT_TRUE(watcher.Wait());
  EXPECT_TRUE(WIFSIGNALED(watcher.status()));
  EXPECT_EQ(WTERMSIG(watcher.status()), SIGKILL);
}

TEST(ChildWatcher, B8_5_TheHubSleepsMeanwhile) {
  Child child(0);
  ChildWatcher watcher(child.pid(), nullptr);
  auto waiter = Spawn([&] { watcher.Wait(); });
  Sleep(absl::Milliseconds(1));
  const auto before = Hub::Current().counts().turns;
  Sleep(absl::Milliseconds(50));
  EXPECT_LT(Hub::Current().counts().turns - before, 20u);  // nobody asks again and again
  child.LetEnd();
  waiter.Wait();
}

TEST(ChildWatcher, B8_5_OfSomebodyElsesChildTheStatusIsUnknown) {
  Child child(0);
  ChildWatcher watcher(child.pid(), nullptr);
  child.LetEnd();
  waitpid(child.pid(), nullptr, 0);
  EXPECT_TRUE(watcher.Wait());
  EXPECT_EQ(watcher.status(), -1);
  EXPECT_THROW(ChildWatcher(child.pid(), nullptr), std::logic_error);
  EXPECT_THROW(ChildWatcher(-5, nullptr), std::logic_error);
}

TEST(ChildWatcher, B8_5_WithoutRefADeadlockIsSeenWhileTheChildRuns) {
  Child child(0);
  ChildWatcher watcher(child.pid(), nullptr);
  watcher.Unref();
  watcher.Start();
  Event<> never;
  EXPECT_THROW(never.Wait(), LoopExit);
  watcher.Stop();
  child.LetEnd();
  waitpid(child.pid(), nullptr, 0);
}

TEST(ChildWatcher, B8_5_ManyChildrenAreToldApart) {
  std::vector<std::unique_ptr<Child>> children;
  std::vector<std::unique_ptr<ChildWatcher>> watchers;
  for (int i = 0; i < 10; ++i) {
    children.push_back(std::make_unique<Child>(i));
    watchers.push_back(std::make_unique<ChildWatcher>(children.back()->pid(), nullptr));
    watchers.back()->Start();
  }
  for (auto& child : children) child->LetEnd();
  EXPECT_TRUE(Hub::Current().Join());
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(WEXITSTATUS(watchers[static_cast<std::size_t>(i)]->status()), i);
  }
}

}  // namespace
}  // namespace verdant
