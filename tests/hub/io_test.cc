#include "hub/io.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "tests/hub/io_testing.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

// Reads `wanted` bytes the way the header says.
std::string Read(IoDescriptor& descriptor, std::size_t wanted,
                 Deadline deadline = Deadline::Never()) {
  std::string text;
  while (text.size() < wanted && descriptor.WaitReadable(deadline) == IoWait::kReady) {
    std::string buffer(wanted - text.size(), '\0');
    const ssize_t n = read(descriptor.fd(), buffer.data(), buffer.size());
    if (n < 0 && errno == EAGAIN) {
      descriptor.ReadWouldBlock();
      continue;
    }
    if (n <= 0) break;
    if (static_cast<std::size_t>(n) < buffer.size()) descriptor.ReadExhausted();
    text.append(buffer, 0, static_cast<std::size_t>(n));
  }
  return text;
}

TEST(IoDescriptor, A12_3_ParksUntilThereIsSomethingToRead) {
  Pair pair;
  IoDescriptor reader = MustRegister(pair.fd[0]);
  std::vector<std::string> order;
  auto green = Spawn([&] { order.push_back(Read(reader, 5)); });
  Sleep();
  order.push_back("writing");
  ASSERT_EQ(write(pair.fd[1], "hello", 5), 5);
  green.Wait();
  EXPECT_EQ(order, (std::vector<std::string>{"writing", "hello"}));
}

TEST(IoDescriptor, AWaitWithADeadlineTimesOutAndLeavesNothingBehind) {
  WithManualClock([](ManualClock& clock) {
    Pair pair;
    IoDescriptor reader = MustRegister(pair.fd[0]);
    reader.ReadWouldBlock();
    EXPECT_EQ(reader.WaitReadable(absl::Seconds(3)), IoWait::kTimedOut);
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(3));
    EXPECT_EQ(Hub::Current().counts().waiting_for_io, 0u);
  });
}

TEST(IoDescriptor, AFullDescriptorParksItsWriterUntilThereIsRoom) {
  Pair pair;
  IoDescriptor writer = MustRegister(pair.fd[0]);
  IoDescriptor reader = MustRegister(pair.fd[1]);
  constexpr std::size_t kBytes = 4 << 20;
  std::size_t read_bytes = 0;
  auto consumer = Spawn([&] {
    while (read_bytes < kBytes)
      read_bytes += Read(reader, std::min<std::size_t>(65536, kBytes - read_bytes)).size();
  });
  std::size_t written = 0;
  const std::string chunk(100000, 'x');
  int parks = 0;
  while (written < kBytes) {
    ASSERT_EQ(writer.WaitWritable(), IoWait::kReady);
    const ssize_t n = write(writer.fd(), chunk.data(), std::min(chunk.size(), kBytes - written));
    if (n < 0) {
      ASSERT_EQ(errno, EAGAIN);
      writer.WriteWouldBlock();
      ++parks;
      continue;
    }
    written += static_cast<std::size_t>(n);
  }
  consumer.Wait();
  EXPECT_EQ(read_bytes, kBytes);
  EXPECT_GT(parks, 0);
}

TEST(IoDescriptor, A12_5_A12_6_ClosingWakesReaderAndWriterAtOnce) {
  Pair pair;
  IoDescriptor descriptor = MustRegister(pair.fd[0]);
  descriptor.ReadWouldBlock();
  descriptor.WriteWouldBlock();
  auto reader = Spawn([&] { return descriptor.WaitReadable(); });
  auto writer = Spawn([&] { return descriptor.WaitWritable(); });
  Sleep();
  descriptor.Unregister();
  descriptor.Unregister();
  EXPECT_EQ(reader.Wait(), IoWait::kClosed);
  EXPECT_EQ(writer.Wait(), IoWait::kClosed);
  EXPECT_EQ(descriptor.WaitReadable(), IoWait::kClosed);
  EXPECT_EQ(descriptor.fd(), -1);
  EXPECT_FALSE(descriptor.registered());
}

TEST(IoDescriptor, OneWokenByReadinessThatIsOvertakenByCloseIsToldSo) {
  // Both become ready in the same poll, in the order of their registration.
  Pair other;
  IoDescriptor first = MustRegister(other.fd[0]);
  first.ReadWouldBlock();
  Pair pair;
  IoDescriptor descriptor = MustRegister(pair.fd[0]);
  descriptor.ReadWouldBlock();
  bool ready = false;
  Event<> closed;
  auto closer = Spawn([&] {
    ASSERT_EQ(first.WaitReadable(), IoWait::kReady);
    descriptor.Unregister();
    closed.Send();
  });
  auto reader = Spawn([&] { ready = descriptor.WaitReadable() == IoWait::kReady; });
  Sleep();
  ASSERT_EQ(write(other.fd[1], "x", 1), 1);
  ASSERT_EQ(write(pair.fd[1], "x", 1), 1);
  JoinAll({closer, reader});
  EXPECT_TRUE(closed.Ready());
  EXPECT_FALSE(ready);
}

TEST(IoDescriptor, A12_4_ANumberRegisteredAgainObsoletesTheOldRegistration) {
  Pair pair;
  IoDescriptor old = MustRegister(pair.fd[0]);
  old.ReadWouldBlock();
  auto waiter = Spawn([&] { return old.WaitReadable(); });
  Sleep();
  IoDescriptor fresh = MustRegister(pair.fd[0]);
  EXPECT_EQ(waiter.Wait(), IoWait::kClosed);
  EXPECT_FALSE(old.registered());
  old.ReadWouldBlock();  // says nothing about the new one
  EXPECT_TRUE(fresh.MaybeReadable());
  old.Unregister();
  fresh.ReadWouldBlock();
  ASSERT_EQ(write(pair.fd[1], "x", 1), 1);
  EXPECT_EQ(fresh.WaitReadable(), IoWait::kReady);
}

TEST(IoDescriptor, A12_8_ASecondReaderIsToldWhoTheFirstIs) {
  Pair pair;
  IoDescriptor descriptor = MustRegister(pair.fd[0]);
  descriptor.ReadWouldBlock();
  auto first = Spawn([&] { descriptor.WaitReadable(); });
  first.SetName("first reader");
  auto second = Spawn([&] { descriptor.WaitReadable(); });
  second.SetName("second reader");
  std::string what;
  try {
    second.Wait();
  } catch (const std::logic_error& e) {
    what = e.what();
  }
  EXPECT_NE(what.find("second simultaneous read on file descriptor " + std::to_string(pair.fd[0])),
            std::string::npos)
      << what;
  EXPECT_NE(what.find("'first reader'"), std::string::npos) << what;
  EXPECT_NE(what.find("'second reader'"), std::string::npos) << what;
  EXPECT_NE(what.find("io_test.cc"), std::string::npos) << what;
  EXPECT_FALSE(first.Ready());
  first.Kill();
}

TEST(IoDescriptor, Decision15_SeveralReadersWhereThatIsAllowed) {
  OnFreshThread([] {
    Hub::Configure({.prevent_multiple_waiters = false});
    Pair pair;
    IoDescriptor descriptor = MustRegister(pair.fd[0]);
    descriptor.ReadWouldBlock();
    auto a = Spawn([&] { return descriptor.WaitReadable(); });
    auto b = Spawn([&] { return descriptor.WaitReadable(); });
    Sleep();
    ASSERT_EQ(write(pair.fd[1], "x", 1), 1);
    EXPECT_EQ(a.Wait(), IoWait::kReady);
    EXPECT_EQ(b.Wait(), IoWait::kReady);
  });
}

TEST(IoDescriptor, AKilledReaderMakesRoomForTheNext) {
  Pair pair;
  IoDescriptor descriptor = MustRegister(pair.fd[0]);
  descriptor.ReadWouldBlock();
  auto first = Spawn([&] { descriptor.WaitReadable(); });
  Sleep();
  first.Kill();
  auto second = Spawn([&] { return descriptor.WaitReadable(); });
  Sleep();
  ASSERT_EQ(write(pair.fd[1], "x", 1), 1);
  EXPECT_EQ(second.Wait(), IoWait::kReady);
}

TEST(IoDescriptor, TheEndBehindAShortReadIsFoundWithoutAnotherEdge) {
  Pair pair;
  IoDescriptor reader = MustRegister(pair.fd[0]);
  reader.ReadWouldBlock();
  ASSERT_EQ(write(pair.fd[1], "abc", 3), 3);
  pair.Close(1);
  EXPECT_EQ(Read(reader, 100), "abc");  // a short read, then 0
  EXPECT_EQ(reader.WaitReadable(), IoWait::kReady);
}

TEST(IoDescriptor, AHalfClosedPeerDoesNotMakeWritesLookPossible) {
  WithManualClock([](ManualClock&) {
    Pair pair;
    IoDescriptor writer = MustRegister(pair.fd[0]);
    ASSERT_EQ(shutdown(pair.fd[1], SHUT_WR), 0);
    const std::string chunk(1 << 20, 'x');
    while (write(pair.fd[0], chunk.data(), chunk.size()) > 0) {
    }
    writer.WriteWouldBlock();
    Sleep(absl::Seconds(1));  // what the kernel reports has been seen
    EXPECT_EQ(writer.WaitWritable(absl::Seconds(1)), IoWait::kTimedOut);
    EXPECT_EQ(writer.WaitReadable(), IoWait::kReady);
  });
}

TEST(IoDescriptor, ARegularFileIsRefusedAndAClosedNumberToo) {
  const int file = OpenRegularFile();
  EXPECT_FALSE(IoDescriptor::Register(file).ok());
  close(file);
  EXPECT_FALSE(IoDescriptor::Register(file).ok());
  EXPECT_THROW(IoDescriptor::Register(-1).IgnoreError(), std::logic_error);
  EXPECT_THROW(IoDescriptor::Register(1 << 30).IgnoreError(), std::logic_error);
}

TEST(IoDescriptor, AnotherThreadsDescriptorIsRefused) {
  Pair pair;
  IoDescriptor descriptor = MustRegister(pair.fd[0]);
  OnFreshThread([&] { EXPECT_THROW(descriptor.WaitReadable(), std::logic_error); });
}

TEST(IoDescriptor, AChildOfForkWaitsOnWhatItInheritedWithoutDisturbingItsParent) {
  Pair pair;
  Pair back;
  IoDescriptor reader = MustRegister(pair.fd[0]);
  IoDescriptor answer = MustRegister(back.fd[0]);
  reader.ReadWouldBlock();
  const pid_t child = fork();
  if (child == 0) {
    const bool ok = Read(reader, 4) == "ping" && write(back.fd[1], "pong", 4) == 4;
    reader.Unregister();
    _exit(ok ? 0 : 1);
  }
  ASSERT_EQ(write(pair.fd[1], "ping", 4), 4);
  EXPECT_EQ(Read(answer, 4), "pong");
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  ASSERT_EQ(write(pair.fd[1], "more", 4), 4);
  EXPECT_EQ(Read(reader, 4), "more");  // the child's Unregister() was its own
}

}  // namespace
}  // namespace verdant
