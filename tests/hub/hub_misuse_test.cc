// Row B8.3 and its like: what must not be done says so, and does no harm.

#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>
#include <string>
#include <thread>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "hub/io.h"
#include "hub/semaphore.h"
#include "hub/watcher/signal.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

// What `body` says when it is called in a hub callback.
template <typename Body>
std::string InCallback(Body&& body) {
  std::string what;
  Event<> done;
  Hub::Current().Post([&] {
    try {
      body();
      what = "nothing";
    } catch (const std::logic_error& e) {
      what = e.what();
    }
    done.Send();
  });
  done.Wait();
  return what;
}

TEST(Misuse, B8_3_A12_9_NothingBlocksInAHubCallback) {
  Event<> never;
  Semaphore taken(0);
  auto green = Spawn([&] { never.Wait(); });
  for (const std::string& what :
       {InCallback([&] { never.Wait(); }), InCallback([&] { taken.Acquire(); }),
        InCallback([] { Sleep(absl::Seconds(1)); }), InCallback([&] { green.Join(); }),
        InCallback([] { Hub::Current().Yield(); }), InCallback([] { Hub::Current().Join(); })}) {
    EXPECT_NE(what.find("in a hub callback, where nothing may block"), std::string::npos) << what;
  }
  green.Kill();
}

TEST(Misuse, B8_3_WhatDoesNotWaitIsAllowedInAHubCallback) {
  Semaphore free(1);
  Event<int> sent;
  sent.Send(3);
  EXPECT_EQ(InCallback([&] {
              free.Acquire();
              free.Release();
              sent.Wait();
              SpawnN([] {});
            }),
            "nothing");
}

TEST(Misuse, A10_1_B8_3_ASecondReaderOfADescriptorIsRefusedUntilThatIsSwitchedOff) {
  int fds[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
  OnFreshThread([&] {
    absl::StatusOr<IoDescriptor> descriptor = IoDescriptor::Register(fds[0]);
    ASSERT_TRUE(descriptor.ok());
    descriptor->ReadWouldBlock();
    auto first = Spawn([&] { descriptor->WaitReadable(); });
    first.SetName("first");
    auto second = Spawn([&] { descriptor->WaitReadable(); });
    second.SetName("second");
    try {
      second.Wait();
      ADD_FAILURE();
    } catch (const std::logic_error& e) {
      const std::string what = e.what();
      EXPECT_NE(what.find("second simultaneous read on file descriptor"), std::string::npos);
      EXPECT_NE(what.find("'first'"), std::string::npos) << what;
      EXPECT_NE(what.find("'second'"), std::string::npos) << what;
    }
    Hub::Current().SetPreventMultipleWaiters(false);  // A10.1
    auto third = Spawn([&] { descriptor->WaitReadable(); });
    Sleep();
    EXPECT_EQ(Hub::Current().counts().readers, 2u);
    ASSERT_EQ(write(fds[1], "x", 1), 1);
    EXPECT_TRUE(JoinAll({first, third}));
  });
  close(fds[0]);
  close(fds[1]);
}

TEST(Misuse, B8_3_AnotherThreadsHubIsRefused) {
  Event<> event;
  Semaphore semaphore(0);
  auto waiter = Spawn([&] { event.Wait(); });
  auto taker = Spawn([&] { semaphore.Acquire(); });
  Sleep();
  std::thread([&] {
    EXPECT_THROW(waiter.Join(), std::logic_error);
    EXPECT_THROW(waiter.Kill(), std::logic_error);
    EXPECT_THROW(semaphore.Release(), std::logic_error);
    EXPECT_THROW(event.Send(), std::logic_error);
  }).join();
  EXPECT_FALSE(waiter.Ready());
  KillAll({waiter, taker});
}

TEST(Misuse, A12_3_WaitingInACallbackForADescriptorIsRefused) {
  int fds[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
  {
    absl::StatusOr<IoDescriptor> descriptor = IoDescriptor::Register(fds[0]);
    ASSERT_TRUE(descriptor.ok());
    descriptor->ReadWouldBlock();
    EXPECT_NE(InCallback([&] { descriptor->WaitReadable(); }), "nothing");
    EXPECT_EQ(Hub::Current().counts().readers, 0u);
    descriptor->Unregister();  // A12.5: what close() is told by
    EXPECT_EQ(descriptor->WaitReadable(), IoWait::kClosed);
  }
  close(fds[0]);
  close(fds[1]);
}

TEST(ErrorPolicy, A12_12_WhatCallbacksThrowIsReportedAndTheHubGoesOn) {
  std::vector<std::string> contexts;
  Hub::Current().SetErrorHandler(
      [&](const UncaughtError& error) { contexts.push_back(error.context); });
  Hub::Current().Post([] { throw std::runtime_error("x"); });
  Hub::Current().ScheduleCall(absl::ZeroDuration(), [] { throw 5; });
  SpawnN([] { throw std::runtime_error("x"); });
  SpawnN([] { throw GreenletExit(); });  // no error
  Sleep(absl::Milliseconds(1));
  Hub::Current().SetErrorHandler(nullptr);
  ASSERT_EQ(contexts.size(), 3u);
  EXPECT_EQ(contexts[0].find("green thread "), 0u) << contexts[0];
  EXPECT_EQ(contexts[1], "a posted call");
  EXPECT_EQ(contexts[2], "a timer's call");
}

TEST(ErrorPolicy, B8_4_ASignalEndsWhatMainWaitsForByAnExceptionOfOnesChoice) {
  struct Interrupted {};
  const AnyGreenThread main = CurrentGreenThread();
  const SignalWatcher watcher(SIGUSR1, [main] {
    main.Kill(std::make_exception_ptr(Interrupted()));  // as an interrupt from the keyboard would
  });
  auto other = Spawn([] {
    raise(SIGUSR1);
    Sleep(absl::Milliseconds(2));
    return 1;
  });
  EXPECT_THROW(Sleep(absl::Hours(1)), Interrupted);
  EXPECT_EQ(other.Wait(), 1);
}

TEST(ErrorPolicy, A10_1_B8_4_TheHandlerGetsTheErrorAndMayBeReplacedAtAnyTime) {
  std::string text;
  Hub::Current().SetErrorHandler(
      [&](const UncaughtError& error) { text = DescribeException(error.error); });
  SpawnN([] { throw std::out_of_range("far"); });
  Sleep();
  EXPECT_EQ(text, "std::out_of_range: far");
  Hub::Current().SetErrorHandler(nullptr);
  testing::internal::CaptureStderr();
  Hub::Current().ReportUncaught("a test", std::make_exception_ptr(std::runtime_error("y")));
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "verdant: uncaught std::runtime_error: y in a test\n");
}

}  // namespace
}  // namespace verdant
