// One operation, so many times, for counting its instructions: see bench/instructions.
//
//   operations NAME COUNT

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/semaphore.h"
#include "hub/timeout.h"
#include "pool/green_pool.h"
#include "pool/queue.h"

namespace verdant {
namespace {

// `count` yields in all.
void Yields(long threads, long count) {
  std::vector<GreenThread<void>> all;
  for (long i = 0; i < threads; ++i) {
    all.push_back(Spawn([=] {
      for (long n = 0; n < count / threads; ++n) Sleep();
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

int Run(const std::string& name, long count) {
  const std::map<std::string, std::function<void()>> operations = {
      {"yield/2", [=] { Yields(2, count); }},
      {"yield/100", [=] { Yields(100, count); }},
      {"yield/10000", [=] { Yields(10000, count); }},
      {"spawn_join", [=] { SpawnJoin(count); }},
      {"spawn_batch", [=] { SpawnBatch(count); }},
      {"semaphore", [=] { SemaphoreRoundTrip(count); }},
      {"event", [=] { EventRoundTrip(count); }},
      {"channel", [=] { ChannelRoundTrip(count); }},
      {"timeout", [=] { TimeoutScope(count); }},
      {"imap", [=] { Imap(count); }},
  };
  const auto found = operations.find(name);
  if (found == operations.end()) {
    std::fprintf(stderr, "no such operation: %s\n", name.c_str());
    return 2;
  }
  found->second();
  return 0;
}

}  // namespace
}  // namespace verdant

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: operations NAME COUNT\n", stderr);
    return 2;
  }
  return verdant::Run(argv[1], std::atol(argv[2]));
}
