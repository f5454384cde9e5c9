// Green threads through the hub against Boost.Fiber and state-threads doing the same. What an item
// is, each benchmark says.

#include <st.h>

#include <boost/fiber/all.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "benchmark/benchmark.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/internal/timer_wheel.h"
#include "hub/semaphore.h"

namespace verdant {
namespace {

namespace fibers = boost::fibers;

constexpr std::int64_t kYieldsAtOnce = 1000000;

// ---- Yield: `range(0)` of them yield in turn. An item is one yield. ----

void YieldOurs(benchmark::State& state) {
  const std::int64_t threads = state.range(0);
  const std::int64_t yields = kYieldsAtOnce / threads;
  while (state.KeepRunningBatch(threads * yields)) {
    std::vector<GreenThread<void>> all;
    for (std::int64_t i = 0; i < threads; ++i) {
      all.push_back(Spawn([yields] {
        for (std::int64_t n = 0; n < yields; ++n) Sleep();
      }));
    }
    for (auto& green : all) green.Join();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(YieldOurs)->Arg(2)->Arg(100)->Arg(10000);

void YieldBoost(benchmark::State& state) {
  const std::int64_t threads = state.range(0);
  const std::int64_t yields = kYieldsAtOnce / threads;
  while (state.KeepRunningBatch(threads * yields)) {
    std::vector<fibers::fiber> all;
    for (std::int64_t i = 0; i < threads; ++i) {
      all.emplace_back([yields] {
        for (std::int64_t n = 0; n < yields; ++n) boost::this_fiber::yield();
      });
    }
    for (fibers::fiber& fiber : all) fiber.join();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(YieldBoost)->Arg(2)->Arg(100)->Arg(10000);

struct StYields {
  static void* Run(void* arg) {
    const std::int64_t yields = *static_cast<std::int64_t*>(arg);
    for (std::int64_t n = 0; n < yields; ++n) st_usleep(0);
    return nullptr;
  }
};

void InitSt() {
  static const int result = st_init();
  if (result != 0) std::abort();
}

void YieldSt(benchmark::State& state) {
  InitSt();
  const std::int64_t threads = state.range(0);
  std::int64_t yields = kYieldsAtOnce / threads;
  while (state.KeepRunningBatch(threads * yields)) {
    std::vector<st_thread_t> all;
    for (std::int64_t i = 0; i < threads; ++i)
      all.push_back(st_thread_create(&StYields::Run, &yields, 1, 0));
    for (st_thread_t thread : all) st_thread_join(thread, nullptr);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(YieldSt)->Arg(2)->Arg(100);

// ---- Spawn one, wait for its result. ----

void SpawnJoinOurs(benchmark::State& state) {
  for (auto _ : state) {
    auto green = Spawn([] { return 1; });
    benchmark::DoNotOptimize(green.Wait());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(SpawnJoinOurs);

void SpawnJoinBoost(benchmark::State& state) {
  for (auto _ : state) {
    int result = 0;
    fibers::fiber fiber([&result] { result = 1; });
    fiber.join();
    benchmark::DoNotOptimize(result);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(SpawnJoinBoost);

void SpawnJoinBoostPooled(benchmark::State& state) {
  fibers::pooled_fixedsize_stack stacks;
  for (auto _ : state) {
    int result = 0;
    fibers::fiber fiber(std::allocator_arg, stacks, [&result] { result = 1; });
    fiber.join();
    benchmark::DoNotOptimize(result);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(SpawnJoinBoostPooled);

void SpawnJoinSt(benchmark::State& state) {
  InitSt();
  for (auto _ : state) {
    st_thread_join(st_thread_create([](void* arg) { return arg; }, nullptr, 1, 0), nullptr);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(SpawnJoinSt);

// ---- Spawn a thousand without a handle, let all of them run. An item is one. ----

constexpr std::int64_t kBatch = 1000;

void SpawnBatchOurs(benchmark::State& state) {
  std::int64_t ran = 0;
  while (state.KeepRunningBatch(kBatch)) {
    for (std::int64_t i = 0; i < kBatch; ++i) SpawnN([&ran] { ++ran; });
    for (const std::int64_t wanted = ran - ran % kBatch + kBatch; ran < wanted;) Sleep();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(SpawnBatchOurs);

void SpawnBatchBoost(benchmark::State& state) {
  std::int64_t ran = 0;
  while (state.KeepRunningBatch(kBatch)) {
    for (std::int64_t i = 0; i < kBatch; ++i) fibers::fiber([&ran] { ++ran; }).detach();
    for (const std::int64_t wanted = ran - ran % kBatch + kBatch; ran < wanted;)
      boost::this_fiber::yield();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(SpawnBatchBoost);

// ---- One value from one to another: an item is one value made, waited for and sent. ----

void EventOurs(benchmark::State& state) {
  Event<int> ping;
  Event<int> pong;
  auto echo = Spawn([&] {
    for (;;) {
      const int value = ping.Wait();
      ping.Reset();
      pong.Send(value);
    }
  });
  for (auto _ : state) {
    ping.Send(1);
    benchmark::DoNotOptimize(pong.Wait());
    pong.Reset();
  }
  state.SetItemsProcessed(2 * state.iterations());
  echo.Kill();
}
BENCHMARK(EventOurs);

void EventBoost(benchmark::State& state) {
  fibers::promise<int> ping;
  fibers::promise<int> pong;
  fibers::future<int> ping_future = ping.get_future();
  fibers::future<int> pong_future = pong.get_future();
  bool stop = false;
  fibers::fiber echo([&] {
    for (;;) {
      const int value = ping_future.get();
      if (stop) return;
      ping = fibers::promise<int>();
      ping_future = ping.get_future();
      pong.set_value(value);
    }
  });
  for (auto _ : state) {
    ping.set_value(1);
    benchmark::DoNotOptimize(pong_future.get());
    pong = fibers::promise<int>();
    pong_future = pong.get_future();
  }
  stop = true;
  ping.set_value(0);
  echo.join();
  state.SetItemsProcessed(2 * state.iterations());
}
BENCHMARK(EventBoost);

// ---- Round trip of a token between two through two semaphores. ----

void SemaphoreOurs(benchmark::State& state) {
  Semaphore there(0);
  Semaphore back(0);
  auto echo = Spawn([&] {
    for (;;) {
      there.Acquire();
      back.Release();
    }
  });
  for (auto _ : state) {
    there.Release();
    back.Acquire();
  }
  state.SetItemsProcessed(state.iterations());
  echo.Kill();
}
BENCHMARK(SemaphoreOurs);

// Boost.Fiber has none; this is what its users write.
class BoostSemaphore {
 public:
  void Acquire() {
    std::unique_lock<fibers::mutex> lock(mutex_);
    while (count_ == 0) condition_.wait(lock);
    --count_;
  }
  void Release() {
    const std::unique_lock<fibers::mutex> lock(mutex_);
    ++count_;
    condition_.notify_one();
  }

 private:
  fibers::mutex mutex_;
  fibers::condition_variable condition_;
  std::int64_t count_ = 0;
};

void SemaphoreBoost(benchmark::State& state) {
  BoostSemaphore there;
  BoostSemaphore back;
  bool stop = false;
  fibers::fiber echo([&] {
    for (;;) {
      there.Acquire();
      if (stop) return;
      back.Release();
    }
  });
  for (auto _ : state) {
    there.Release();
    back.Acquire();
  }
  stop = true;
  there.Release();
  echo.join();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(SemaphoreBoost);

// ---- A timer set and cancelled while a million others are pending. ----

constexpr std::size_t kPending = 1000000;
constexpr std::int64_t kSecond = 1000000000;

std::vector<std::int64_t> RandomDeadlines() {
  std::mt19937_64 random(1);
  std::vector<std::int64_t> deadlines(kPending);
  for (std::int64_t& deadline : deadlines)
    deadline = kSecond + static_cast<std::int64_t>(random() % (60 * kSecond));
  return deadlines;
}

struct IdleTimer : internal::TimerNode {
  IdleTimer() : TimerNode([](internal::TimerNode*) {}) {}
};

void TimerOurs(benchmark::State& state) {
  const std::vector<std::int64_t> deadlines = RandomDeadlines();
  internal::TimerWheel wheel(0);
  std::vector<IdleTimer> timers(kPending);
  for (std::size_t i = 0; i < kPending; ++i) wheel.Arm(timers[i], deadlines[i]);
  IdleTimer timer;
  std::size_t next = 0;
  for (auto _ : state) {
    wheel.Arm(timer, deadlines[next++ % kPending]);
    timer.Disarm();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(TimerOurs);

void TimerMultimap(benchmark::State& state) {
  const std::vector<std::int64_t> deadlines = RandomDeadlines();
  std::multimap<std::int64_t, void*> timers;
  for (const std::int64_t deadline : deadlines) timers.emplace(deadline, nullptr);
  std::size_t next = 0;
  for (auto _ : state) timers.erase(timers.emplace(deadlines[next++ % kPending], nullptr));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(TimerMultimap);

}  // namespace
}  // namespace verdant
