#include <unistd.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/io.h"
#include "hub/watcher/io.h"
#include "tests/hub/io_testing.h"

namespace verdant {
namespace {

void Put(int fd) { ASSERT_EQ(write(fd, "x", 1), 1); }
void Get(int fd) {
  char byte;
  ASSERT_EQ(read(fd, &byte, 1), 1);
}

TEST(IoWatcher, B8_5_CallsAtEachTurnForAsLongAsTheDescriptorIsReady) {
  Pair pair;
  int calls = 0;
  IoWatcher watcher(pair.fd[0], kIoRead, [&] {
    EXPECT_EQ(watcher.ready(), kIoRead);
    if (++calls == 3) Get(pair.fd[0]);
  });
  EXPECT_FALSE(watcher.active());
  Put(pair.fd[1]);
  watcher.Start();
  EXPECT_TRUE(watcher.active());
  EXPECT_FALSE(Hub::Current().Join(absl::Milliseconds(20)));
  EXPECT_EQ(calls, 3);
  watcher.Stop();
  Put(pair.fd[1]);
  EXPECT_TRUE(Hub::Current().Join());
  EXPECT_EQ(calls, 3);
}

TEST(IoWatcher, B8_5_WithoutRefADeadlockIsSeenAndFeedCallsAllTheSame) {
  Pair pair;
  int calls = 0;
  IoWatcher watcher(pair.fd[0], kIoRead, [&] { ++calls; });
  watcher.Unref();
  watcher.Start();
  Event<> never;
  EXPECT_THROW(never.Wait(), LoopExit);
  EXPECT_EQ(Hub::Current().counts().waiting_for_io, 0u);
  watcher.Feed();
  EXPECT_TRUE(watcher.pending());
  Sleep(absl::Milliseconds(1));
  EXPECT_EQ(calls, 1);
}

TEST(IoWatcher, B8_9_IsWaitedFor) {
  Pair pair;
  IoWatcher readable(pair.fd[0], kIoRead, nullptr);
  EXPECT_FALSE(readable.Wait(absl::ZeroDuration()));
  auto writer = Spawn([&] { Put(pair.fd[1]); });
  EXPECT_TRUE(readable.Wait());
  EXPECT_FALSE(readable.active());
  writer.Wait();
  IoWatcher writable(pair.fd[0], kIoRead | kIoWrite, nullptr);
  EXPECT_TRUE(writable.Wait());
  EXPECT_EQ(writable.ready(), kIoRead | kIoWrite);
  pair.Close(1);
  Get(pair.fd[0]);
  EXPECT_TRUE(readable.Wait());
  EXPECT_NE(readable.ready() & kIoHangup, 0u);
}

TEST(IoWatcher, A12_8_OneReadsWhileAnotherWritesAndAThirdIsRefusedNamingBoth) {
  Pair pair;
  std::vector<std::string> calls;
  IoWatcher reader(pair.fd[0], kIoRead, [&] {
    calls.push_back("read");
    reader.Stop();
  });
  IoWatcher writer(pair.fd[0], kIoWrite, [&] {
    calls.push_back("write");
    writer.Stop();
  });
  reader.Start();
  writer.Start();
  IoWatcher third(pair.fd[0], kIoWrite, nullptr);
  try {
    third.Start();
    ADD_FAILURE() << "not refused";
  } catch (const std::logic_error& e) {
    EXPECT_EQ(e.what(), "second simultaneous write on file descriptor " +
                            std::to_string(pair.fd[0]) +
                            ": an io watcher beside that of an io watcher");
  }
  EXPECT_FALSE(third.active());
  Sleep(absl::Milliseconds(1));
  EXPECT_EQ(calls, std::vector<std::string>{"write"});
  Put(pair.fd[1]);
  EXPECT_TRUE(Hub::Current().Join());
  EXPECT_EQ(calls, (std::vector<std::string>{"write", "read"}));
  EXPECT_TRUE(third.Wait());
}

TEST(IoWatcher, WhatGreenThreadsUseIsRefusedAndTheOtherWayRound) {
  Pair pair;
  IoWatcher watcher(pair.fd[0], kIoRead, nullptr);
  {
    IoDescriptor descriptor = *IoDescriptor::Register(pair.fd[0]);
    EXPECT_THROW(watcher.Start(), std::logic_error);
    EXPECT_THROW(watcher.Wait(), std::logic_error);
    EXPECT_FALSE(watcher.active());
  }
  watcher.Start();
  EXPECT_THROW(IoDescriptor::Register(pair.fd[0]).IgnoreError(), std::logic_error);
  watcher.Stop();
  EXPECT_TRUE(IoDescriptor::Register(pair.fd[0]).ok());
}

TEST(IoWatcher, A12_4_OneWhoseDescriptorWasClosedBehindItMakesRoomForTheNext) {
  auto first = std::make_unique<Pair>();
  const int number = first->fd[0];
  IoWatcher stale(number, kIoRead | kIoWrite, nullptr);
  stale.Start();
  auto waiter = Spawn([&] { return stale.Wait(); });
  Sleep();
  first->Close(0);
  Pair second;
  ASSERT_EQ(second.fd[0], number);
  IoDescriptor descriptor = *IoDescriptor::Register(number);
  EXPECT_FALSE(stale.active());
  EXPECT_FALSE(waiter.Wait());
  descriptor.ReadWouldBlock();
  auto reader = Spawn([&] { return descriptor.WaitReadable(); });
  Sleep();
  Put(second.fd[1]);
  EXPECT_EQ(reader.Wait(), IoWait::kReady);
}

TEST(IoWatcher, WhatMakesNoSenseIsRefused) {
  EXPECT_THROW(IoWatcher(-1, kIoRead, nullptr), std::logic_error);
  EXPECT_THROW(IoWatcher(0, kIoNone, nullptr), std::logic_error);
  EXPECT_THROW(IoWatcher(0, kIoRead | kIoHangup, nullptr), std::logic_error);
  Pair pair;
  IoWatcher closed(pair.fd[0], kIoRead, nullptr);
  IoWatcher far(1 << 30, kIoRead, nullptr);
  EXPECT_THROW(far.Start(), std::logic_error);
  EXPECT_FALSE(far.active());
}

}  // namespace
}  // namespace verdant
