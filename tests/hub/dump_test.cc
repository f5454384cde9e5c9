#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "hub/io.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

TEST(Dump, A10_1_ShowsEveryStateInOrderOfCreation) {
  Event<> never;
  auto parked = Spawn([&] { never.Wait(); });
  auto runnable = Spawn([&] { Sleep(); });
  Sleep();
  auto fresh = Spawn([] {});
  const std::string dump = Hub::Current().Dump();
  std::size_t at = 0;
  for (const char* state : {"the main greenlet: running\n", ": waiting in Event::Wait\n",
                            ": runnable\n", ": not started\n"}) {
    at = dump.find(state, at);
    ASSERT_NE(at, std::string::npos) << state << " in " << dump;
  }
  EXPECT_NE(Hub::Current().Dump(1).find("  and 3 more\n"), std::string::npos);
  parked.Kill();
  JoinAll({runnable, fresh});
}

TEST(Counts, A12_14_CountWhatThereIs) {
  WithManualClock([](ManualClock&) {
    const Hub::Counts before = Hub::Current().counts();
    EXPECT_EQ(before.green_threads, 1u);
    auto sleeper = Spawn([] { Sleep(absl::Seconds(1)); });
    EXPECT_EQ(Hub::Current().counts().runnable, 1u);
    Sleep();
    EXPECT_EQ(Hub::Current().counts().green_threads, 2u);
    EXPECT_EQ(Hub::Current().counts().timers, 1u);
    sleeper.Wait();
    const Hub::Counts after = Hub::Current().counts();
    EXPECT_EQ(after.green_threads, 1u);
    EXPECT_GT(after.switches, before.switches);
    EXPECT_GT(after.turns, before.turns);
  });
}

TEST(DumpTimers, A12_14_SaysWhenEachCallIsDueAndWhereItWasScheduled) {
  WithManualClock([](ManualClock&) {
    Hub& hub = Hub::Current();
    EXPECT_EQ(hub.DumpTimers(), "");
    hub.ScheduleCall(absl::Seconds(5), [] {});
    TimerHandle second = hub.ScheduleCall(absl::Seconds(2), [] {});
    const std::string dump = hub.DumpTimers();
    EXPECT_EQ(dump.find("  in 5s: a call scheduled at "), 0u) << dump;
    EXPECT_NE(dump.find("dump_test.cc:"), std::string::npos) << dump;
    EXPECT_NE(dump.find("\n  in 2s: "), std::string::npos) << dump;
    second.Cancel();
    EXPECT_EQ(hub.DumpTimers().find("in 2s"), std::string::npos);
  });
}

TEST(DumpListeners, A12_14_SaysWhoWaitsForWhichDescriptorAndWhereThatWasSetUp) {
  int fds[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
  {
    Hub& hub = Hub::Current();
    absl::StatusOr<IoDescriptor> reader = IoDescriptor::Register(fds[0]);
    ASSERT_TRUE(reader.ok());
    reader->ReadWouldBlock();
    auto green = Spawn([&] { reader->WaitReadable(); });
    green.SetName("reader");
    FdListener listener(fds[1], [](std::uint32_t) {});
    listener.SetInterest(internal::kIoRead | internal::kIoWrite);
    while (hub.counts().readers < 2) Sleep();
    EXPECT_EQ(hub.counts().writers, 1u);
    const std::string dump = hub.DumpListeners();
    EXPECT_NE(dump.find("'reader' spawned at"), std::string::npos) << dump;
    EXPECT_NE(dump.find(" waits to read\n"), std::string::npos) << dump;
    EXPECT_NE(dump.find(": a listener set up at "), std::string::npos) << dump;
    EXPECT_NE(dump.find("dump_test.cc:"), std::string::npos) << dump;
    EXPECT_NE(dump.find(" listens for read and write\n"), std::string::npos) << dump;
    green.Kill();
    listener.SetInterest(internal::kIoNone);
    EXPECT_EQ(hub.DumpListeners(), "");
    EXPECT_EQ(hub.counts().readers, 0u);
  }
  close(fds[0]);
  close(fds[1]);
}

}  // namespace
}  // namespace verdant
