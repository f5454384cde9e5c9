// What docs/health.md says its detectors cost.

#include <mutex>
#include <thread>

#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "hub/green_thread.h"
#include "hub/hub.h"

namespace verdant {
namespace {

// Each on a thread of its own, since a thread's hub is set up once.
template <typename Body>
void OnOwnHub(Hub::Options options, Body body) {
  std::thread([&] {
    Hub::Configure(std::move(options));
    body();
  }).join();
}

absl::Duration Threshold(const benchmark::State& state) {
  return state.range(0) != 0 ? absl::Milliseconds(state.range(0)) : absl::InfiniteDuration();
}

// The argument is the threshold of the stall detector in milliseconds; 0: off.
void BM_YieldOfTwo(benchmark::State& state) {
  OnOwnHub({.blocking_threshold = Threshold(state)}, [&] {
    bool done = false;
    SpawnN([&] {
      while (!done) Sleep();
    });
    for (auto _ : state) Sleep();
    done = true;
    Sleep();
  });
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_YieldOfTwo)->Arg(0)->Arg(25);

// A turn of the hub each, without a wait.
void BM_Turn(benchmark::State& state) {
  OnOwnHub({.blocking_threshold = Threshold(state)}, [&] {
    for (auto _ : state) Sleep(absl::Nanoseconds(1));
  });
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Turn)->Arg(0)->Arg(25);

// The argument is Hub::Options::measure_stacks.
void BM_SpawnAndJoin(benchmark::State& state) {
  OnOwnHub({.measure_stacks = static_cast<std::size_t>(state.range(0)),
            .blocking_threshold = absl::InfiniteDuration()},
           [&] {
             for (auto _ : state) Spawn([] {}).Wait();
           });
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_SpawnAndJoin)->Arg(0)->Arg(64)->Arg(1);

// As the program is linked and VERDANT_MUTEX_CHECK says; the argument: whether in a green thread.
void BM_LockAndUnlock(benchmark::State& state) {
  std::mutex mutex;
  const auto run = [&] {
    for (auto _ : state) {
      mutex.lock();
      benchmark::DoNotOptimize(mutex);
      mutex.unlock();
    }
  };
  if (state.range(0) == 0) {
    run();
  } else {
    OnOwnHub({.blocking_threshold = absl::InfiniteDuration()}, [&] { Spawn(run).Wait(); });
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_LockAndUnlock)->Arg(0)->Arg(1);

}  // namespace
}  // namespace verdant
