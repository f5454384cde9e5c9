// What a call on an OS thread costs besides the call, and what the bare hand-over to a thread and
// back costs in the same process.

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "benchmark/benchmark.h"
#include "hub/green_thread.h"
#include "pool/thread_pool.h"

namespace verdant {
namespace {

void ApplyFromOneGreenThread(benchmark::State& state) {
  ThreadPool pool(1);
  std::int64_t x = 0;
  for (auto _ : state) x = pool.Apply([x] { return x + 1; });
  benchmark::DoNotOptimize(x);
  state.SetItemsProcessed(state.iterations());
  pool.KillAll();
}
BENCHMARK(ApplyFromOneGreenThread)->UseRealTime();

void ApplyFromManyGreenThreads(benchmark::State& state) {
  constexpr int kGreenThreads = 64;
  ThreadPool pool(4);
  std::int64_t calls = 0;
  for (auto _ : state) {
    std::vector<GreenThread<void>> all;
    for (int i = 0; i < kGreenThreads; ++i) {
      all.push_back(Spawn([&] { calls += pool.Apply([] { return 1; }); }));
    }
    JoinAll(all);
  }
  state.SetItemsProcessed(calls);
  pool.KillAll();
}
BENCHMARK(ApplyFromManyGreenThreads)->UseRealTime();

// There and back by a mutex and two condition variables.
void BareHandOver(benchmark::State& state) {
  std::mutex mutex;
  std::condition_variable asked, answered;
  enum { kIdle, kAsked, kAnswered, kEnd } stage = kIdle;
  std::thread thread([&] {
    std::unique_lock<std::mutex> lock(mutex);
    for (;;) {
      asked.wait(lock, [&] { return stage == kAsked || stage == kEnd; });
      if (stage == kEnd) return;
      stage = kAnswered;
      answered.notify_one();
    }
  });
  for (auto _ : state) {
    std::unique_lock<std::mutex> lock(mutex);
    stage = kAsked;
    asked.notify_one();
    answered.wait(lock, [&] { return stage == kAnswered; });
  }
  state.SetItemsProcessed(state.iterations());
  {
    const std::lock_guard<std::mutex> lock(mutex);
    stage = kEnd;
    asked.notify_one();
  }
  thread.join();
}
BENCHMARK(BareHandOver)->UseRealTime();

}  // namespace
}  // namespace verdant
