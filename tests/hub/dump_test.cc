#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "hub/io.h"
#include "hub/sleep.h"
#include "hub/timeout.h"
#include "hub/watcher/timer.h"
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
    EXPECT_NE(dump.find("\n  in 5s: a call scheduled at "), std::string::npos) << dump;
    EXPECT_NE(dump.find("dump_test.cc:"), std::string::npos) << dump;
    EXPECT_EQ(dump.find("  in 2s: "), 0u) << dump;
    second.Cancel();
    EXPECT_EQ(hub.DumpTimers().find("in 2s"), std::string::npos);
  });
}

TEST(DumpTimers, A12_14_HasALineForEachTimerThereIs) {
  WithManualClock([](ManualClock&) {
    Hub& hub = Hub::Current();
    const unsigned line = __LINE__ + 1;
    auto later = SpawnAfter(absl::Seconds(5), [] {});
    auto sleeper = Spawn([] { Sleep(absl::Seconds(4)); });
    Event<> event;
    auto waiter = Spawn([&] { event.Wait(Deadline(absl::Seconds(3))); });
    waiter.SetName("waiter");
    auto patient = Spawn([&] {
      const Timeout plain(absl::Minutes(2));
      Timeout named(absl::Seconds(1), "reading the index");
      named.Unref();
      event.Wait();
    });
    auto background = Spawn([] { BackgroundSleep(absl::Seconds(2)); });
    TimerWatcher watcher(absl::Hours(1), [] {});
    watcher.Start();
    Sleep();
    const std::string file = " spawned at tests/hub/dump_test.cc:";
    const auto at = [&](unsigned offset) { return file + std::to_string(line + offset); };
    EXPECT_EQ(hub.DumpTimers(),
              "  in 1s: green thread 5" + at(5) + ": a Timeout (reading the index)\n" +
                  "  in 2s: green thread 6" + at(11) + ": the deadline of BackgroundSleep\n" +
                  "  in 3s: green thread 4 'waiter'" + at(3) + ": the deadline of Event::Wait\n" +
                  "  in 4s: green thread 3" + at(1) + ": the deadline of Sleep\n" +
                  "  in 5s: a call scheduled at tests/hub/dump_test.cc:" + std::to_string(line) +
                  "\n" + "  in 2m: green thread 5" + at(5) + ": a Timeout\n" +
                  "  in 1h: a watcher, or a library\n");
    EXPECT_EQ(hub.counts().timers, 7u);
    event.Send();
    JoinAll({later, sleeper, waiter, patient, background});
    watcher.Stop();
    EXPECT_EQ(hub.DumpTimers(), "");
    EXPECT_EQ(hub.counts().timers, 0u);
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
