#include "hub/trace.h"

#include <unistd.h>

#include <any>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "greenlet/greenlet.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/io.h"
#include "hub/semaphore.h"
#include "tests/hub/io_testing.h"
#include "tests/hub/manual_clock.h"
#include "tests/hub/trace_testing.h"

namespace verdant {
namespace {

using testing::TraceFile;
using testing::Written;

// ---- What is recorded. ----

TEST(Trace, EachRunOfAGreenThreadIsASliceWithItsNameAndOrigin) {
  OnFreshThread([] {
    Trace trace;
    ASSERT_TRUE(trace.Start());
    auto green = Spawn([] {
      Sleep();
      Sleep();
    });
    const unsigned line = __LINE__ - 4;
    green.SetName("worker");
    SpawnN([] {
      for (int i = 0; i < 3; ++i) Sleep();
    });
    green.Join();
    trace.Stop();
    const TraceFile file = Written(trace);
    const auto runs = file.Slices("worker");
    ASSERT_EQ(runs.size(), 3u);
    EXPECT_EQ(runs[0]->Arg("begins"), "true");
    EXPECT_EQ(runs[1]->Arg("begins"), "");
    EXPECT_EQ(runs[0]->Arg("then"), "runnable");
    EXPECT_EQ(runs[2]->Arg("then"), "ended");
    EXPECT_EQ(runs[0]->category, "green thread");
    EXPECT_EQ(runs[0]->depth, 0u);
    const std::string site = "trace_test.cc:" + std::to_string(line);
    EXPECT_NE(runs[0]->Arg("spawned at").find(site), std::string::npos)
        << runs[0]->Arg("spawned at");
    const auto main_runs = file.Slices("main");
    ASSERT_FALSE(main_runs.empty());
    EXPECT_EQ(runs[0]->Arg("spawned by"), main_runs[0]->Arg("id"));
    EXPECT_NE(runs[0]->Arg("id"), main_runs[0]->Arg("id"));
    EXPECT_GT(file.counters(), 0u);
  });
}

TEST(Trace, WithoutANameASliceIsCalledByWhereItWasSpawned) {
  OnFreshThread([] {
    Trace trace;
    trace.Start();
    Spawn([] {}).Join();
    const std::string name = "trace_test.cc:" + std::to_string(__LINE__ - 1);
    EXPECT_EQ(Written(trace).Slices(name).size(), 1u);
  });
}

TEST(Trace, ParkingSaysInWhatAndOnWhichDescriptor) {
  OnFreshThread([] {
    Pair pair;
    Trace trace;
    trace.Start();
    auto reader = Spawn([&] {
      auto descriptor = IoDescriptor::Register(pair.fd[0]);
      ASSERT_TRUE(descriptor.ok()) << descriptor.status();
      descriptor->ReadWouldBlock();
      EXPECT_EQ(descriptor->WaitReadable(), IoWait::kReady);
    });
    reader.SetName("reader");
    Sleep();
    ASSERT_EQ(write(pair.fd[1], "x", 1), 1);
    reader.Join();
    const TraceFile file = Written(trace);
    const auto runs = file.Slices("reader");
    ASSERT_EQ(runs.size(), 2u);
    EXPECT_EQ(runs[0]->Arg("then"), "waits");
    EXPECT_EQ(runs[0]->Arg("in"), "read");
    EXPECT_EQ(runs[0]->Arg("file descriptor"), std::to_string(pair.fd[0]));
    // By the hub, which found it ready.
    EXPECT_EQ(file.ArrowsFrom("sleep", "reader") + file.ArrowsFrom("poll", "reader") +
                  file.ArrowsFrom("hub", "reader"),
              1u);
  });
}

TEST(Trace, ArrowsLeadFromWhoWakesAndWhoSpawns) {
  OnFreshThread([] {
    Trace trace;
    trace.Start();
    Semaphore ping(0);
    Semaphore pong(0);
    auto server = Spawn([&] {
      for (int i = 0; i < 3; ++i) {
        ping.Acquire();
        pong.Release();
      }
    });
    server.SetName("server");
    auto client = Spawn([&] {
      for (int i = 0; i < 3; ++i) {
        ping.Release();
        pong.Acquire();
      }
    });
    client.SetName("client");
    JoinAll({server, client});
    const TraceFile file = Written(trace);
    // The first two by being spawned.
    EXPECT_EQ(file.ArrowsFrom("main", "server"), 1u);
    EXPECT_EQ(file.ArrowsFrom("main", "client"), 1u);
    EXPECT_EQ(file.ArrowsFrom("client", "server"), 3u);
    EXPECT_EQ(file.ArrowsFrom("server", "client"), 3u);
  });
}

TEST(Trace, WokenByATimerOrAClosedDescriptorIsSaid) {
  OnFreshThread([] {
    Pair pair;
    Trace trace;
    trace.Start();
    auto late = Spawn([] { Sleep(absl::Milliseconds(1)); });
    late.SetName("late");
    auto descriptor = IoDescriptor::Register(pair.fd[0]);
    ASSERT_TRUE(descriptor.ok());
    descriptor->ReadWouldBlock();
    auto reader = Spawn([&] { EXPECT_EQ(descriptor->WaitReadable(), IoWait::kClosed); });
    reader.SetName("reader");
    late.Join();
    descriptor->Unregister();
    reader.Join();
    // On a slow machine a short time is over before the hub can sleep.
    for (absl::Duration time = absl::Milliseconds(1); Written(trace).Slices("sleep").empty();
         time *= 2) {
      Sleep(time);
    }
    const TraceFile file = Written(trace);
    ASSERT_EQ(file.Slices("late").size(), 2u);
    EXPECT_EQ(file.Slices("late")[1]->Arg("woken"), "timed out");
    ASSERT_EQ(file.Slices("reader").size(), 2u);
    EXPECT_EQ(file.Slices("reader")[1]->Arg("woken"), "closed");
    EXPECT_EQ(file.ArrowsFrom("main", "reader"), 2u);
    ASSERT_FALSE(file.Slices("sleep").empty());
    EXPECT_EQ(file.Slices("sleep")[0]->depth, 1u);
    EXPECT_NE(file.Slices("sleep")[0]->Arg("for at most us"), "");
  });
}

TEST(Trace, AWakeUpAfterwardsIsNotTakenForTheOneBeforeAYield) {
  WithManualClock([](ManualClock&) {
    Trace trace;
    trace.Start();
    auto green = Spawn([] {
      Sleep(absl::Seconds(1));
      SpawnN([] {});
      Sleep();
    });
    green.SetName("green");
    green.Join();
    const auto file = Written(trace);
    const auto runs = file.Slices("green");
    ASSERT_EQ(runs.size(), 3u);
    EXPECT_EQ(runs[1]->Arg("woken"), "timed out");
    EXPECT_EQ(runs[2]->Arg("woken"), "");
  });
}

TEST(Trace, PostedCallsAreASliceOfTheHub) {
  OnFreshThread([] {
    Trace trace;
    trace.Start();
    Event<> ran;
    Hub::Current().Post([] {});
    Hub::Current().Post([&] { ran.Send(); });
    ran.Wait();
    const TraceFile file = Written(trace);
    const auto posted = file.Slices("posted calls");
    ASSERT_EQ(posted.size(), 1u);
    EXPECT_EQ(posted[0]->Arg("calls"), "2");
    EXPECT_EQ(posted[0]->depth, 1u);
    EXPECT_EQ(file.ArrowsFrom("posted calls", "main"), 1u);
  });
}

TEST(Trace, AGreenThreadThatIsRenamedGoesByItsLastName) {
  OnFreshThread([] {
    Trace trace;
    trace.Start();
    auto green = Spawn([] { CurrentGreenThread().SetName("after"); });
    green.SetName("before");
    green.Join();
    green.SetName("ended");
    const TraceFile file = Written(trace);
    EXPECT_EQ(file.Slices("after").size(), 1u);
    EXPECT_EQ(file.Slices("before").size() + file.Slices("ended").size(), 0u);
  });
}

TEST(Trace, NamesMayContainAnything) {
  const std::vector<std::string> names = {"say \"hi\"\\", "two\nlines\t\x01\x7f",
                                          "gr\xc3\xbcn \xe2\x82\xac \xf0\x9f\x8c\xb1",
                                          std::string("nul\0inside", 10)};
  OnFreshThread([&] {
    Trace trace;
    trace.Start();
    std::vector<AnyGreenThread> all;
    for (const std::string& name : names) all.push_back(Spawn([] {}).SetName(name));
    all.push_back(Spawn([] {}).SetName("bad \xff\xc0\x80 \xed\xa0\x80 \xe2\x82"));
    all.push_back(Spawn([] {}).SetName(std::string(200, 'x')));
    // The 96th byte is the second of a character.
    all.push_back(Spawn([] {}).SetName(std::string(95, 'y') + "\xc3\xbc"));
    JoinAll(all);
    const TraceFile file = Written(trace);
    for (const std::string& name : names) EXPECT_EQ(file.Slices(name).size(), 1u) << name;
    const std::string bad = "\xef\xbf\xbd";
    EXPECT_EQ(
        file.Slices("bad " + bad + bad + bad + " " + bad + bad + bad + " " + bad + bad).size(), 1u);
    EXPECT_EQ(file.Slices(std::string(96, 'x')).size(), 1u);
    EXPECT_EQ(file.Slices(std::string(95, 'y')).size(), 1u);
  });
}

TEST(Trace, APlainGreenletThatBlocksHasSlicesToo) {
  OnFreshThread([] {
    Trace trace;
    trace.Start();
    Semaphore gate(0);
    Spawn([&] {
      const auto body = [&](std::any) {
        gate.Acquire();
        return std::any();
      };
      Greenlet greenlet(body);
      Spawn([&] { gate.Release(); }).SetName("opener");
      greenlet.Switch();
    }).Join();
    const TraceFile file = Written(trace);
    EXPECT_EQ(file.ArrowsFrom("opener", "greenlet"), 1u);
  });
}

// ---- The ring. ----

TEST(Trace, ARingKeepsTheLastEventsAndWhatTheyAreCalled) {
  OnFreshThread([] {
    Trace trace(64);
    trace.Start();
    auto old = Spawn([] {
      for (int i = 0; i < 1000; ++i) Sleep();
    });
    old.SetName("long ago");
    for (int i = 0; i < 1000; ++i) Sleep();
    const TraceFile file = Written(trace);
    EXPECT_GE(file.Slices("long ago").size(), 10u);
    EXPECT_LE(file.Slices("long ago").size(), 32u);
    EXPECT_GE(file.Slices("main").size(), 10u);
    old.Join();
  });
}

TEST(Trace, ManyGreenThreadsInTurnKeepTheirNames) {
  OnFreshThread([] {
    Trace trace(1 << 10);
    trace.Start();
    std::vector<AnyGreenThread> all;
    for (int i = 0; i < 200; ++i) {
      all.push_back(Spawn([] {
        for (int n = 0; n < 50; ++n) Sleep();
      }));
      all.back().SetName("n" + std::to_string(i));
    }
    JoinAll(all);
    const TraceFile file = Written(trace);
    for (int i = 0; i < 200; ++i) EXPECT_FALSE(file.Slices("n" + std::to_string(i)).empty()) << i;
  });
}

}  // namespace
}  // namespace verdant
