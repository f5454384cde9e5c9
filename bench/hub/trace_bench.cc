// What a trace costs: the same yields and wake-ups with it off, on, and with metrics asked for ten
// times a second. An item is one yield, one wake-up with the switch that follows, one green thread
// that was spawned and joined, or one event put into a ring.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "hub/green_thread.h"
#include "hub/internal/trace_ring.h"
#include "hub/metrics.h"
#include "hub/semaphore.h"
#include "hub/trace.h"

namespace verdant {
namespace {

constexpr std::int64_t kYieldsAtOnce = 1000000;

enum Watched { kOff, kTrace, kMetrics };

// What goes on beside the measured work.
class Watching {
 public:
  explicit Watching(std::int64_t how) {
    if (how == kTrace) trace_.Start();
    if (how != kMetrics) return;
    scraper_ = std::thread([this] {
      while (!done_) {
        benchmark::DoNotOptimize(PrometheusText(CollectMetrics(absl::Milliseconds(10))));
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
      }
    });
  }
  Watching(const Watching&) = delete;
  Watching& operator=(const Watching&) = delete;
  ~Watching() {
    done_ = true;
    if (scraper_.joinable()) scraper_.join();
  }

 private:
  Trace trace_;
  std::atomic<bool> done_{false};
  std::thread scraper_;
};

void Yield100(benchmark::State& state) {
  const Watching watching(state.range(0));
  constexpr std::int64_t kThreads = 100;
  constexpr std::int64_t kYields = kYieldsAtOnce / kThreads;
  while (state.KeepRunningBatch(kYieldsAtOnce)) {
    std::vector<GreenThread<void>> all;
    for (std::int64_t i = 0; i < kThreads; ++i) {
      all.push_back(Spawn([] {
        for (std::int64_t n = 0; n < kYields; ++n) Sleep();
      }));
    }
    JoinAll(all);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(Yield100)->Arg(kOff)->Arg(kTrace)->Arg(kMetrics);

void PingPong(benchmark::State& state) {
  const Watching watching(state.range(0));
  Semaphore ping(0);
  Semaphore pong(0);
  auto echo = Spawn([&] {
    for (;;) {
      ping.Acquire();
      pong.Release();
    }
  });
  while (state.KeepRunningBatch(2)) {
    ping.Release();
    pong.Acquire();
  }
  echo.KillAndJoin();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(PingPong)->Arg(kOff)->Arg(kTrace)->Arg(kMetrics);

void SpawnJoin(benchmark::State& state) {
  const Watching watching(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(Spawn([] { return 1; }).Wait());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(SpawnJoin)->Arg(kOff)->Arg(kTrace)->Arg(kMetrics);

// What of it is the clock, and what the ring.
void Ticks(benchmark::State& state) {
  const internal::TraceClock clock;
  for (auto _ : state) benchmark::DoNotOptimize(clock.Ticks());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(Ticks);

void Event(benchmark::State& state) {
  const internal::TraceClock clock;
  internal::TraceRing ring(Trace::kDefaultEvents, 0);
  for (auto _ : state) ring.Push(clock.Ticks(), 1, 2, 3);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(Event);

// So many green threads that wait, for a scope.
class Waiters {
 public:
  explicit Waiters(std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) all_.push_back(Spawn([this] { gate_.Acquire(); }));
    Sleep();
  }
  Waiters(const Waiters&) = delete;
  Waiters& operator=(const Waiters&) = delete;
  ~Waiters() {
    for (std::size_t i = 0; i < all_.size(); ++i) gate_.Release();
    JoinAll(all_);
  }

 private:
  Semaphore gate_{0};
  std::vector<GreenThread<void>> all_;
};

void CollectMetricsOf(benchmark::State& state) {
  const Waiters waiters(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(CollectOwnMetrics());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(CollectMetricsOf)->Arg(100)->Arg(100000);

void MetricsTextOf(benchmark::State& state) {
  const Waiters waiters(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(PrometheusText({CollectOwnMetrics()}));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(MetricsTextOf)->Arg(100);

}  // namespace
}  // namespace verdant
