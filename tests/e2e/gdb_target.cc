// A program for a debugger to look at: green threads parked in functions of known names, on two
// hubs. It says "ready" by calling StopHere(), as its argument has it in a green thread
// ("running"), in the hub's loop once main sleeps ("asleep"), or in a green thread that then blocks
// the OS thread ("stuck"). SIGQUIT has it tell of itself.

#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "greenlet/greenlet.h"
#include "hub/async_result.h"
#include "hub/dump_on_signal.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "hub/io.h"
#include "hub/watcher/prepare.h"

using verdant::Event;
using verdant::Spawn;

namespace {

// Keeps the frame of its caller, and the caller's name in a backtrace.
[[gnu::always_inline]] inline void KeepFrame() { asm volatile("" ::: "memory"); }

volatile int depth_reached = 0;

}  // namespace

// Names that a backtrace shows as they are.
extern "C" {

[[gnu::noinline]] void StopHere() {
  std::puts("ready");
  std::fflush(stdout);
  KeepFrame();
}

[[gnu::noinline]] void AwaitAnswer(Event<int>& answer) {
  answer.Wait();
  KeepFrame();
}

[[gnu::noinline]] void ReadFromPipe(int fd) {
  auto descriptor = verdant::IoDescriptor::Register(fd);
  descriptor->ReadExhausted();
  descriptor->WaitReadable(verdant::Deadline::Never());
  KeepFrame();
}

[[gnu::noinline]] void SleepLong() {
  verdant::Sleep(absl::Hours(1));
  KeepFrame();
}

[[gnu::noinline]] void Descend(int levels, Event<int>& answer) {
  depth_reached = levels;
  if (levels > 1) {
    Descend(levels - 1, answer);
  } else {
    AwaitAnswer(answer);
  }
  KeepFrame();
}

[[gnu::noinline]] void LetOthersRun() {
  for (;;) verdant::Sleep();
}

[[gnu::noinline]] void BlockInGreenlet() {
  SleepLong();
  KeepFrame();
}

[[gnu::noinline]] void WorkElsewhere(Event<int>& answer) {
  AwaitAnswer(answer);
  KeepFrame();
}

[[gnu::noinline]] void BlockTheThread() {
  StopHere();
  for (;;) pause();
}

}  // extern "C"

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "running";
  // Who attaches need not be an ancestor.
  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
  int pipe_ends[2];
  if (pipe(pipe_ends) != 0) return 1;

  // A hub on another thread, which says when it has parked its own.
  verdant::AsyncResult<bool> parked_elsewhere;
  std::thread other([remote = verdant::AsyncResult<bool>::Remote(parked_elsewhere)] {
    Event<int> never;
    const verdant::Hub::Keepalive keepalive(verdant::Hub::Current());
    auto worker = Spawn([&] { WorkElsewhere(never); });
    worker.SetName("elsewhere");
    verdant::Sleep();
    remote.Set(true);
    worker.Join();
  });
  parked_elsewhere.Get();
  const verdant::DumpOnSignal dump;

  Event<int> answer;
  auto waiter = Spawn([&] { AwaitAnswer(answer); });
  waiter.SetName("waiter");
  auto reader = Spawn([&] { ReadFromPipe(pipe_ends[0]); });
  reader.SetName("reader of " + std::to_string(pipe_ends[0]));
  auto sleeper = Spawn([] { SleepLong(); });
  sleeper.SetName("sleeper");
  auto deep = Spawn([&] { Descend(5, answer); });
  deep.SetName("deep");
  auto blocked = Spawn([] { verdant::Greenlet([] { BlockInGreenlet(); }).Switch(); });
  blocked.SetName("aside");
  verdant::Sleep();

  if (mode == "running") {
    auto busy = Spawn([] { LetOthersRun(); });
    busy.SetName("busy");
    verdant::Sleep();
    auto stopper = Spawn([&] {
      auto fresh = Spawn([] {});
      fresh.SetName("fresh");
      StopHere();
    });
    stopper.SetName("stopper");
    stopper.Join();
  } else if (mode == "stuck") {
    auto stuck = Spawn([] { BlockTheThread(); });
    stuck.SetName("stuck");
    stuck.Join();
  } else {
    bool said = false;
    verdant::PrepareWatcher before_sleep([&said] {
      if (!std::exchange(said, true)) StopHere();
    });
    before_sleep.Start();
    SleepLong();
  }
  _exit(0);
}
