// One operation, so many times, for counting its instructions: see bench/instructions.
//
//   operations NAME[/THREADS] COUNT
//
// With THREADS, yield is done by so many green threads in turn, and everything else while so many
// others sleep, each with a timer of its own.

#include <cstdio>
#include <cstdlib>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "hub/semaphore.h"
#include "hub/timeout.h"
#include "hub/virtual_clock.h"
#include "pool/green_pool.h"
#include "pool/queue.h"

namespace verdant {
namespace {

// `count` yields in all.
void Yields(long threads, long count) {
  const long each = count / threads;
  std::vector<GreenThread<void>> all;
  for (long i = 0; i < threads; ++i) {
    all.push_back(Spawn([each] {
      for (long n = 0; n < each; ++n) Sleep();
    }));
  }
  JoinAll(all);
}

void SpawnJoin(long count) {
  long sum = 0;
  for (long i = 0; i < count; ++i) sum += Spawn([] { return 1; }).Wait();
  if (sum != count) std::abort();
}

void SpawnBatch(long count) {
  for (long i = 0; i < count; ++i) {
    SpawnN([] {});
    if (i % 1000 == 999) Sleep();
  }
  Sleep();
}

void SemaphoreRoundTrip(long count) {
  Semaphore there(0);
  Semaphore back(0);
  auto echo = Spawn([&] {
    for (long i = 0; i < count; ++i) {
      there.Acquire();
      back.Release();
    }
  });
  for (long i = 0; i < count; ++i) {
    there.Release();
    back.Acquire();
  }
  echo.Join();
}

void EventRoundTrip(long count) {
  Event<int> there;
  Event<int> back;
  auto echo = Spawn([&] {
    for (long i = 0; i < count; ++i) {
      const int value = there.Wait();
      there.Reset();
      back.Send(value);
    }
  });
  for (long i = 0; i < count; ++i) {
    there.Send(1);
    back.Wait();
    back.Reset();
  }
  echo.Join();
}

void ChannelRoundTrip(long count) {
  Channel<long> there;
  Channel<long> back;
  auto echo = Spawn([&] {
    for (long i = 0; i < count; ++i) back.Put(there.Get());
  });
  for (long i = 0; i < count; ++i) {
    there.Put(i);
    back.Get();
  }
  echo.Join();
}

void TimeoutScope(long count) {
  for (long i = 0; i < count; ++i) {
    const Timeout timeout(absl::Seconds(5));
  }
}

void Imap(long count) {
  GreenPool pool(64);
  long sum = 0;
  std::vector<long> input(static_cast<std::size_t>(count));
  std::iota(input.begin(), input.end(), 0L);
  for (const long x : pool.Imap([](long x) { return x + 1; }, input)) sum += x;
  if (sum != count * (count + 1) / 2) std::abort();
}

void SpawnSleepers(long sleepers) {
  for (long i = 0; i < sleepers; ++i) {
    SpawnN([] { Sleep(absl::Hours(1)); });
    if (i % 1000 == 999) Sleep();
  }
  Sleep();
}

int Run(const std::string& name, long threads, long count) {
  if (name == "yield") {
    Yields(threads, count);
    return 0;
  }
  const std::map<std::string, void (*)(long)> operations = {
      {"spawn_join", SpawnJoin},
      {"spawn_batch", SpawnBatch},
      {"semaphore", SemaphoreRoundTrip},
      {"event", EventRoundTrip},
      {"channel", ChannelRoundTrip},
      {"timeout", TimeoutScope},
      {"imap", Imap},
  };
  const auto found = operations.find(name);
  if (found == operations.end()) {
    std::fprintf(stderr, "no such operation: %s\n", name.c_str());
    return 2;
  }
  SpawnSleepers(threads);
  found->second(count);
  return 0;
}

}  // namespace
}  // namespace verdant

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: operations NAME[/THREADS] COUNT\n", stderr);
    return 2;
  }
  const std::string name = argv[1];
  const std::size_t slash = name.find('/');
  const long threads = slash == std::string::npos ? 0 : std::atol(argv[1] + slash + 1);
  // Whose turns end by what has run, not by the time it took, which is another on a busy machine.
  verdant::VirtualClock clock;
  verdant::Hub::Configure({.clock = &clock});
  return verdant::Run(name.substr(0, slash), threads, std::atol(argv[2]));
}
