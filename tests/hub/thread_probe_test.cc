#include "hub/internal/thread_probe.h"

#include <semaphore.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "greenlet/internal/sanitizer.h"
#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "hub/internal/thread_scene.h"
#include "tests/testing/emulated.h"

namespace verdant::internal {
namespace {

constexpr int kPatience = 60;  // seconds, where an answer comes

std::atomic<int> caught{0};
// There before the probe's own.
const bool handler_before = [] {
  struct sigaction action = {};
  action.sa_handler = [](int) { ++caught; };
  return sigaction(SIGURG, &action, nullptr) == 0;
}();

// A thread that waits in a system call, until the end of this. By a semaphore, since that is where
// ThreadSanitizer lets signals through.
class Waiter {
 public:
  explicit Waiter(bool deaf = false) {
    sem_init(&end_, 0, 0);
    thread_ = std::thread([this, deaf] {
      sigset_t set;
      sigemptyset(&set);
      sigaddset(&set, SIGURG);
      if (deaf) pthread_sigmask(SIG_BLOCK, &set, nullptr);
      id_ = gettid();
      id_.notify_one();
      while (sem_wait(&end_) != 0) {
      }
      pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
    });
    id_.wait(0);
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() {
    End();
    sem_destroy(&end_);
  }
  void End() {
    if (!thread_.joinable()) return;
    sem_post(&end_);
    thread_.join();
  }
  pid_t id() const { return id_; }

 private:
  sem_t end_;
  std::atomic<pid_t> id_{0};
  std::thread thread_;
};

TEST(ThreadProbe, TheFunctionIsCalledOnThatThreadAndHasReturned) {
  const Waiter waiter;
  pid_t seen = 0;
  const void* interrupted = nullptr;
  ASSERT_TRUE(ThreadProbe::Call(waiter.id(), kPatience, [&](const void* context) {
    seen = gettid();
    interrupted = context;
  }));
  EXPECT_EQ(seen, waiter.id());
  EXPECT_NE(interrupted, nullptr);
}

TEST(ThreadProbe, AThreadMayAskItself) {
  pid_t seen = 0;
  EXPECT_TRUE(ThreadProbe::Call(gettid(), kPatience, [&](const void*) { seen = gettid(); }));
  EXPECT_EQ(seen, gettid());
}

TEST(ThreadProbe, OneThatNoSignalReachesIsGivenUpAndCallsNothingLater) {
  Waiter deaf(true);
  bool called = false;
  EXPECT_FALSE(ThreadProbe::Call(deaf.id(), 0, [&](const void*) { called = true; }));
  deaf.End();  // where the signal reaches it after all
  EXPECT_FALSE(called);
  EXPECT_FALSE(ThreadProbe::Call(deaf.id(), 0, [&](const void*) { called = true; }));
  EXPECT_FALSE(called);
}

TEST(ThreadProbe, OneThatDoesNotAnswerKeepsNobodyElseFromAsking) {
  Waiter deaf(true);
  const Waiter waiter;
  std::atomic<bool> asking{false};
  std::thread patient([&] {
    asking = true;
    asking.notify_one();
    ThreadProbe::Call(deaf.id(), kPatience, [](const void*) {});
  });
  asking.wait(false);
  EXPECT_TRUE(ThreadProbe::Call(waiter.id(), kPatience, [](const void*) {}));
  deaf.End();
  patient.join();
}

TEST(ThreadProbe, MoreThanItHasRoomForMayAskAtOnce) {
  constexpr int kAskers = 40;
  const Waiter waiter;
  std::atomic<int> calls{0};
  std::vector<std::thread> askers;
  for (int i = 0; i < kAskers; ++i) {
    askers.emplace_back([&] {
      EXPECT_TRUE(ThreadProbe::Call(waiter.id(), kPatience, [&](const void*) { ++calls; }));
    });
  }
  for (std::thread& asker : askers) asker.join();
  EXPECT_EQ(calls, kAskers);
}

TEST(ThreadProbe, ASignalOfOthersGoesToTheHandlerThatWasThereBefore) {
  ASSERT_TRUE(handler_before);
  ThreadProbe::Install();
  const int before = caught;
  ASSERT_TRUE(ThreadProbe::Call(gettid(), kPatience, [](const void*) {}));
  EXPECT_EQ(caught, before);
  raise(SIGURG);
  EXPECT_EQ(caught, before + 1);
}

TEST(ThreadProbe, AForkedChildHasRoomForItsOwnQuestions) {
  Waiter deaf(true);
  std::vector<std::thread> askers;
  std::atomic<int> asking{0};
  for (int i = 0; i < 16; ++i) {
    askers.emplace_back([&] {
      ++asking;
      ThreadProbe::Call(deaf.id(), kPatience, [](const void*) {});
    });
  }
  while (asking != 16) std::this_thread::yield();
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) _exit(ThreadProbe::Call(gettid(), 1, [](const void*) {}) ? 7 : 1);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << status;
  deaf.End();
  for (std::thread& asker : askers) asker.join();
}

TEST(DescribeThread, SaysThatNoSignalReachesAThread) {
  pid_t ended = 0;
  std::thread([&] { ended = gettid(); }).join();
  EXPECT_EQ(DescribeThread(ended), "  no signal reaches it\n");
}

TEST(DescribeThread, ShowsTheStackOfAThreadWithoutAHub) {
  const Waiter waiter;
  const std::string text = DescribeThread(waiter.id());
  EXPECT_EQ(text.find("  the main greenlet runs:\n    #0 "), 0u) << text;
  EXPECT_TRUE(absl::StrContains(text, "thread_probe_test+0x")) << text;
}

// ThreadSanitizer keeps a signal back until the thread asks it for something that may take long.
#if !defined(VERDANT_TSAN)

// Calls nothing, so that it is never found on the way into a function, where frame pointers do not
// lead to it.
[[gnu::noinline]] void Spin(pid_t self, pid_t& spinning, const bool& enough) {
  __atomic_store_n(&spinning, self, __ATOMIC_SEQ_CST);
  while (!__atomic_load_n(&enough, __ATOMIC_SEQ_CST)) {
  }
}

TEST(DescribeThread, NamesTheGreenThreadThatComputesAndWhere) {
  pid_t spinning = 0;
  bool enough = false;
  std::thread thread([&] {
    auto spinner = Spawn([&] { Spin(gettid(), spinning, enough); });
    spinner.SetName("spinner");
    spinner.Wait();
  });
  while (__atomic_load_n(&spinning, __ATOMIC_SEQ_CST) == 0) std::this_thread::yield();
  const std::string text = DescribeThread(spinning);
  __atomic_store_n(&enough, true, __ATOMIC_SEQ_CST);
  thread.join();
  EXPECT_EQ(text.find("  green thread "), 0u) << text;
  EXPECT_TRUE(absl::StrContains(text, " 'spinner' spawned at tests/hub/thread_probe_test.cc:"))
      << text;
  EXPECT_TRUE(absl::StrContains(text, " runs:\n    #0 ")) << text;
  if (!Emulated()) {
    EXPECT_TRUE(absl::StrContains(text, "Spin()")) << text;
  }
}

#endif

}  // namespace
}  // namespace verdant::internal
