#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/watcher/signal.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

// Waits for something outside the process's own control without being a deadlock.
template <typename T>
T Await(Event<T>& event) {
  const Hub::Keepalive keepalive(Hub::Current());
  return event.Wait();
}

TEST(Signal, B8_5_TheCallbackRunsOnTheHubBetweenGreenThreads) {
  Event<bool> received;
  SignalWatcher watcher(SIGUSR1, [&] { received.Send(Hub::Current().OnHubStack()); });
  raise(SIGUSR1);
  EXPECT_FALSE(received.Ready());
  EXPECT_TRUE(Await(received));
}

TEST(Signal, WakesASleepingHubFromAnotherThread) {
  Event<bool> received;
  SignalWatcher watcher(SIGUSR1, [&] { received.Send(); });
  const pthread_t self = pthread_self();
  std::jthread sender([&] { pthread_kill(self, SIGUSR1); });
  Await(received);
  sender.join();
}

TEST(Signal, DeliveriesBetweenTwoTurnsAreMerged) {
  int calls = 0;
  Event<> done;
  SignalWatcher watcher(SIGUSR1, [&] {
    ++calls;
    if (!done.Ready()) done.Send();
  });
  for (int i = 0; i < 10; ++i) raise(SIGUSR1);
  Await(done);
  Sleep();
  EXPECT_EQ(calls, 1);
}

TEST(Signal, DoesNotKeepTheHubFromSeeingADeadlock) {
  SignalWatcher watcher(SIGUSR1, [] {});
  Event<> never;
  EXPECT_THROW(never.Wait(), LoopExit);
}

TEST(Signal, TheFormerHandlerComesBack) {
  struct sigaction before, during, after;
  sigaction(SIGUSR2, nullptr, &before);
  {
    SignalWatcher watcher(SIGUSR2, [] {});
    sigaction(SIGUSR2, nullptr, &during);
    EXPECT_NE(during.sa_handler, before.sa_handler);
  }
  sigaction(SIGUSR2, nullptr, &after);
  EXPECT_EQ(after.sa_handler, before.sa_handler);
}

TEST(Signal, ASecondWatcherOfOneSignalIsRefusedAndLaterOnesAreNot) {
  {
    SignalWatcher watcher(SIGUSR1, [] {});
    EXPECT_THROW(SignalWatcher(SIGUSR1, [] {}), std::logic_error);
    SignalWatcher other(SIGUSR2, [] {});
  }
  Event<> received;
  SignalWatcher watcher(SIGUSR1, [&] { received.Send(); });
  raise(SIGUSR1);
  Await(received);
}

TEST(Signal, B8_5_StopAndStartGiveTheHandlerBackAndTakeItAgain) {
  struct sigaction before, stopped;
  sigaction(SIGUSR1, nullptr, &before);
  int calls = 0;
  SignalWatcher watcher(SIGUSR1, [&] { ++calls; });
  EXPECT_TRUE(watcher.active());
  EXPECT_FALSE(watcher.ref());
  EXPECT_EQ(watcher.signal_number(), SIGUSR1);
  EXPECT_FALSE(watcher.pending());
  raise(SIGUSR1);
  EXPECT_TRUE(watcher.pending());
  watcher.Stop();
  EXPECT_FALSE(watcher.pending());
  sigaction(SIGUSR1, nullptr, &stopped);
  EXPECT_EQ(stopped.sa_handler, before.sa_handler);
  {
    SignalWatcher other(SIGUSR1, nullptr);
    EXPECT_THROW(watcher.Start(), std::logic_error);
    EXPECT_FALSE(watcher.active());
  }
  watcher.Start();
  Sleep(absl::Milliseconds(1));
  EXPECT_EQ(calls, 0);  // what had come before it was stopped is gone
  watcher.Feed();
  Sleep(absl::Milliseconds(1));
  EXPECT_EQ(calls, 1);
}

TEST(Signal, B8_9_IsWaitedFor) {
  SignalWatcher watcher(SIGUSR1, nullptr);
  EXPECT_FALSE(watcher.Wait(absl::Milliseconds(1)));
  auto sender = Spawn([] { raise(SIGUSR1); });
  EXPECT_TRUE(watcher.Wait());
  EXPECT_TRUE(watcher.active());
  raise(SIGUSR1);
  EXPECT_TRUE(watcher.Wait());
}

TEST(Signal, B8_5_WithRefItIsAReasonToWait) {
  SignalWatcher watcher(SIGUSR1, [&] { watcher.Unref(); });
  watcher.Ref();
  EXPECT_FALSE(Hub::Current().Join(absl::Milliseconds(1)));
  raise(SIGUSR1);
  EXPECT_TRUE(Hub::Current().Join());
}

TEST(Signal, WhatCannotBeWatchedIsRefusedAndLeavesNothingBehind) {
  for (int i = 0; i < 2; ++i) {
    EXPECT_THROW(SignalWatcher(SIGKILL, [] {}), std::logic_error);
    EXPECT_THROW(SignalWatcher(0, [] {}), std::logic_error);
    EXPECT_THROW(SignalWatcher(NSIG, [] {}), std::logic_error);
  }
}

TEST(Signal, TheCallbackMayEndItsWatcher) {
  Event<> received;
  std::optional<SignalWatcher> watcher;
  watcher.emplace(SIGUSR1, [&] {
    watcher.reset();
    received.Send();
  });
  raise(SIGUSR1);
  Await(received);
  EXPECT_FALSE(watcher.has_value());
}

TEST(Signal, WhatTheCallbackThrowsIsReported) {
  Event<std::string> reported;
  Hub::Current().SetErrorHandler([&](const UncaughtError& error) { reported.Send(error.context); });
  SignalWatcher watcher(SIGUSR1, [] { throw std::runtime_error("x"); });
  raise(SIGUSR1);
  EXPECT_EQ(Await(reported), "a signal's callback");
  Hub::Current().SetErrorHandler(nullptr);
}

TEST(Signal, B11_4_ASignalToAForkedChildIsNotOneToItsParent) {
  int calls = 0;
  SignalWatcher watcher(SIGUSR1, [&] { ++calls; });
  const pid_t child = fork();
  if (child == 0) {
    raise(SIGUSR1);  // as before the watcher: it ends the process
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
  Sleep();
  Sleep(absl::Milliseconds(1));
  EXPECT_EQ(calls, 0);
}

}  // namespace
}  // namespace verdant
