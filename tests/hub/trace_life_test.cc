#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "hub/hub_group.h"
#include "hub/lock.h"
#include "hub/semaphore.h"
#include "hub/simulation.h"
#include "hub/spawn_callback.h"
#include "hub/timeout.h"
#include "hub/trace.h"
#include "tests/hub/manual_clock.h"
#include "tests/hub/trace_testing.h"
#include "tests/testing/temporary_directory.h"

namespace verdant {
namespace {

using testing::TemporaryDirectory;
using testing::TraceFile;
using testing::Written;

// ---- Starting and stopping. ----

TEST(Trace, NothingIsRecordedBeforeTheStartOrAfterTheStop) {
  OnFreshThread([] {
    Trace trace;
    Spawn([] {}).SetName("before").Join();
    trace.Start();
    EXPECT_TRUE(trace.Start());
    Spawn([] {}).SetName("between").Join();
    trace.Stop();
    trace.Stop();
    EXPECT_EQ(Hub::Current().tracer(), nullptr);
    Spawn([] {}).SetName("after").Join();
    trace.Start();
    Spawn([] {}).SetName("again").Join();
    const TraceFile file = Written(trace);
    EXPECT_EQ(file.Slices("before").size() + file.Slices("after").size(), 0u);
    EXPECT_EQ(file.Slices("between").size(), 1u);
    EXPECT_EQ(file.Slices("again").size(), 1u);
    EXPECT_EQ(file.tracks().size(), 1u);
  });
}

TEST(Trace, WhoIsParkedWhenItStartsOrStopsIsWokenAllTheSame) {
  OnFreshThread([] {
    Trace trace;
    Semaphore gate(0);
    const auto waiter = [&] { gate.Acquire(); };
    auto first = Spawn(waiter);
    first.SetName("first");
    Sleep();
    trace.Start();
    gate.Release();
    first.Join();
    auto second = Spawn(waiter);
    Sleep();
    const std::string dump = Hub::Current().Dump();
    EXPECT_NE(dump.find("waiting in"), std::string::npos) << dump;
    trace.Stop();
    gate.Release();
    second.Join();
    EXPECT_TRUE(second.Successful());
    EXPECT_EQ(Written(trace).ArrowsFrom("main", "first"), 1u);
  });
}

TEST(Trace, AHubIsRecordedByOneTraceAtATime) {
  OnFreshThread([] {
    Trace one;
    one.Start();
    {
      Trace other;
      EXPECT_THROW(other.Start(), std::logic_error);
      EXPECT_TRUE(Written(other).tracks().empty());
    }
    one.Stop();
    Trace other;
    EXPECT_TRUE(other.Start());
  });
}

TEST(Trace, ATraceThatIsGoneRecordsNoMore) {
  OnFreshThread([] {
    {
      Trace trace;
      trace.Start();
    }
    EXPECT_EQ(Hub::Current().tracer(), nullptr);
    std::optional<Trace> late(std::in_place);
    EXPECT_TRUE(late->Start(Hub::Remote(Hub::Current())));
    late.reset();
    Sleep(absl::Nanoseconds(1));
    EXPECT_EQ(Hub::Current().tracer(), nullptr);
  });
}

TEST(Trace, AnOptionRecordsAHubFromItsBeginning) {
  Trace trace;
  OnFreshThread([&] {
    Hub::Options options;
    options.trace = &trace;
    Hub::Configure(options);
    Spawn([] {}).SetName("early").Join();
  });
  const TraceFile file = Written(trace);
  EXPECT_EQ(file.Slices("early").size(), 1u);
  ASSERT_EQ(file.Slices("early")[0]->Arg("begins"), "true");
}

TEST(Trace, ManyHubsShareAFileAndHaveATrackEach) {
  Trace trace;
  {
    HubGroup::Options options;
    options.threads = 2;
    options.hub.trace = &trace;
    options.name = "crew";
    HubGroup group(options);
    for (std::size_t i = 0; i < 2; ++i) {
      group.RunInHub(i, [i] {
        CurrentGreenThread().SetName("on " + std::to_string(i));
        Sleep();
      });
    }
    OnFreshThread([&] {
      trace.Start();
      Spawn([] {}).SetName("alone").Join();
    });
    group.Stop();
  }
  const TraceFile file = Written(trace);
  EXPECT_EQ(file.tracks().size(), 3u);
  for (const char* name : {"on 0", "on 1", "alone"})
    EXPECT_FALSE(file.Slices(name).empty()) << name;
  std::string names;
  for (const auto& [track, name] : file.tracks()) names += name + "\n";
  EXPECT_NE(names.find("(crew-0)"), std::string::npos) << names;
  EXPECT_NE(names.find("(crew-1)"), std::string::npos) << names;
}

TEST(Trace, AnotherThreadsHubIsStartedFromAfar) {
  Trace trace;
  HubGroup::Options options;
  options.threads = 1;
  HubGroup group(options);
  EXPECT_TRUE(trace.Start(group.remote(0)));
  group.RunInHub(0, [] { CurrentGreenThread().SetName("afar"); });
  trace.Stop();
  EXPECT_FALSE(Written(trace).Slices("afar").empty());
  group.Stop();
  EXPECT_FALSE(trace.Start(group.remote(0)));
}

// At whatever moment of it: each round stops a little later.
TEST(Trace, AStopOutrunsAStartFromAfarThatIsUnderWay) {
  HubGroup::Options options;
  options.threads = 1;
  HubGroup group(options);
  const Hub::Remote& hub = group.remote(0);
  for (int round = 0; round < 200; ++round) {
    Trace trace;
    std::atomic<bool> waits{false};
    std::atomic<bool> go{false};
    hub.Post([&] {
      waits = true;
      while (!go) {
      }
    });
    while (!waits) {
    }
    ASSERT_TRUE(trace.Start(hub));
    go = true;
    for (int i = 0; i < 50 * round; ++i) asm volatile("");
    trace.Stop();
    const bool traced = group.RunInHub(0, [] {
      Sleep();
      return Hub::Current().tracer() != nullptr;
    });
    ASSERT_FALSE(traced) << "round " << round;
  }
}

TEST(Trace, ItIsWrittenByAnyThreadWhileTheHubsRun) {
  Trace trace(256);
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int i = 0; i < 10; ++i) Written(trace);
    done = true;
  });
  OnFreshThread([&] {
    Semaphore ping(0);
    Semaphore pong(0);
    trace.Start();
    auto echo = Spawn([&] {
      for (;;) {
        ping.Acquire();
        pong.Release();
      }
    });
    while (!done) {
      ping.Release();
      pong.Acquire();
      Sleep();
    }
    echo.Kill();
  });
  writer.join();
  EXPECT_EQ(Written(trace).tracks().size(), 1u);
}

// ---- What it must not change. ----

std::string OrderOfSimulation(std::uint64_t seed, Trace* trace) {
  std::string order;
  Hub::Options options;
  options.trace = trace;
  const Simulation run = Simulate(
      seed,
      [&] {
        std::vector<AnyGreenThread> all;
        Lock lock;
        for (char c = 'a'; c < 'h'; ++c) {
          all.push_back(Spawn([&order, &lock, c] {
            for (int i = 0; i < 200; ++i) {
              order += c;
              if (i % 3 == 0) Sleep();
              if (i % 7 == 0) Sleep(absl::Microseconds(c));
              if (i % 11 == 0) {
                const std::lock_guard<Lock> held(lock);
                Sleep();
              }
            }
          }));
        }
        all[3].Kill();
        JoinAll(all);
      },
      options);
  EXPECT_EQ(run.error, nullptr);
  return order + " " + std::to_string(run.switches) + " " +
         std::to_string(absl::ToInt64Nanoseconds(run.elapsed));
}

TEST(Trace, TheOrderIsTheSameTracedOrNot) {
  for (const std::uint64_t seed : {0u, 1u, 2u, 3u}) {
    Trace trace(128);
    EXPECT_EQ(OrderOfSimulation(seed, nullptr), OrderOfSimulation(seed, &trace)) << seed;
    EXPECT_EQ(Written(trace).tracks().size(), 1u);
  }
}

TEST(Trace, ATurnIsAsLongTracedOrNot) {
  const auto turns = [](bool traced) {
    std::uint64_t count = 0;
    WithManualClock([&](ManualClock&) {
      Trace trace;
      if (traced) trace.Start();
      auto other = Spawn([] {
        for (int i = 0; i < 10000; ++i) Sleep();
      });
      for (int i = 0; i < 10000; ++i) Sleep();
      other.Join();
      count = Hub::Current().counts().turns;
    });
    return count;
  };
  EXPECT_EQ(turns(false), turns(true));
}

TEST(Trace, SpawnCallbacksAreCalledTracedOrNot) {
  OnFreshThread([] {
    int spawned = 0;
    const auto callback = AddSpawnCallback([&](const AnyGreenThread&) { ++spawned; });
    Trace trace;
    trace.Start();
    Spawn([] {}).Join();
    RemoveSpawnCallback(callback);
    EXPECT_EQ(Hub::Current().spawn_hooks(), nullptr);
    Spawn([] {}).SetName("later").Join();
    EXPECT_EQ(spawned, 1);
    EXPECT_EQ(Written(trace).ArrowsFrom("main", "later"), 1u);
  });
}

TEST(Trace, KillsTimeoutsAndErrorsArriveTracedOrNot) {
  OnFreshThread([] {
    Trace trace;
    trace.Start();
    auto victim = Spawn([] { Sleep(absl::Hours(1)); });
    Sleep();
    EXPECT_TRUE(victim.KillAndJoin());
    EXPECT_FALSE(WithTimeout(absl::Milliseconds(1), [] { Sleep(absl::Hours(1)); }));
    auto failing = Spawn([]() -> int { throw std::runtime_error("no"); });
    EXPECT_THROW(failing.Wait(), std::runtime_error);
    EXPECT_FALSE(Written(trace).Slices("main").empty());
  });
}

// ---- Writing. ----

TEST(Trace, AnEmptyTraceIsAFileToo) {
  const Trace trace;
  const TraceFile file = Written(trace);
  EXPECT_TRUE(file.tracks().empty());
  EXPECT_FALSE(file.process().empty());
}

TEST(Trace, WhatCannotBeWrittenIsSaidWithItsPathAndCause) {
  OnFreshThread([] {
    Trace trace;
    trace.Start();
    Sleep();
    const absl::Status nowhere = trace.WriteTo("/nonexistent/trace.json");
    EXPECT_EQ(nowhere.code(), absl::StatusCode::kNotFound);
    EXPECT_NE(nowhere.message().find("/nonexistent/trace.json"), std::string::npos) << nowhere;
    EXPECT_NE(nowhere.message().find("No such file"), std::string::npos) << nowhere;
    const absl::Status full = trace.WriteTo("/dev/full");
    EXPECT_FALSE(full.ok());
    EXPECT_NE(full.message().find("/dev/full: No space left"), std::string::npos) << full;
    const absl::Status closed = trace.WriteTo(-1);
    EXPECT_NE(closed.message().find("file descriptor -1: Bad file"), std::string::npos) << closed;
  });
}

TEST(Trace, APipeThatIsFullIsWaitedFor) {
  OnFreshThread([] {
    Trace trace;
    trace.Start();
    for (int i = 0; i < 1000; ++i) Spawn([] {}).Join();
    trace.Stop();
    std::array<int, 2> pipe_ends;
    ASSERT_EQ(pipe2(pipe_ends.data(), O_NONBLOCK), 0);
    std::string text;
    std::thread reader([&] {
      fcntl(pipe_ends[0], F_SETFL, 0);
      std::array<char, 10000> buffer;
      for (ssize_t got; (got = read(pipe_ends[0], buffer.data(), buffer.size())) > 0;)
        text.append(buffer.data(), static_cast<std::size_t>(got));
    });
    EXPECT_TRUE(trace.WriteTo(pipe_ends[1]).ok());
    close(pipe_ends[1]);
    reader.join();
    close(pipe_ends[0]);
    EXPECT_GT(text.size(), 100000u);
    EXPECT_EQ(TraceFile(text).tracks().size(), 1u);
  });
}

const Trace* trace_of_handler = nullptr;
int fd_of_handler = -1;
volatile sig_atomic_t result_of_handler = -1;

TEST(Trace, ASignalHandlerCanWriteIt) {
  const TemporaryDirectory directory;
  const std::string path = directory.File("trace.json");
  OnFreshThread([&] {
    Trace trace;
    trace.Start();
    fd_of_handler = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ASSERT_GE(fd_of_handler, 0);
    trace_of_handler = &trace;
    struct sigaction action = {};
    action.sa_handler = [](int) {
      result_of_handler = trace_of_handler->WriteInSignalHandler(fd_of_handler);
    };
    struct sigaction before;
    ASSERT_EQ(sigaction(SIGUSR1, &action, &before), 0);
    Spawn([] { raise(SIGUSR1); }).SetName("raiser").Join();
    sigaction(SIGUSR1, &before, nullptr);
    close(fd_of_handler);
    EXPECT_EQ(result_of_handler, 0);
  });
  EXPECT_EQ(TraceFile::Read(path).Slices("raiser").size(), 1u);
}

TEST(Trace, TheChildOfAForkIsNotTracedUnlessItStartsToBe) {
  OnFreshThread([] {
    const TemporaryDirectory directory;
    const std::string path = directory.File("trace.json");
    Trace trace;
    trace.Start();
    Spawn([] {}).SetName("parent").Join();
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      Spawn([] {}).SetName("untraced").Join();
      trace.Start();
      Spawn([] {}).SetName("child").Join();
      trace.Stop();
      _exit(trace.WriteTo(path).ok() ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    const TraceFile file = TraceFile::Read(path);
    EXPECT_EQ(file.Slices("parent").size(), 1u);
    EXPECT_EQ(file.Slices("untraced").size(), 0u);
    EXPECT_EQ(file.Slices("child").size(), 1u);
  });
}

}  // namespace
}  // namespace verdant
