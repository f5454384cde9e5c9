// What pools cost by themselves: the calls made do next to nothing.

#include <cstddef>
#include <cstdint>
#include <iterator>

#include "benchmark/benchmark.h"
#include "hub/green_thread.h"
#include "pool/green_pile.h"
#include "pool/green_pool.h"
#include "pool/queue.h"

namespace verdant {
namespace {

// Counts up for ever.
class Numbers {
 public:
  class Iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = std::int64_t;
    using difference_type = std::ptrdiff_t;
    std::int64_t operator*() const { return number_; }
    Iterator& operator++() {
      ++number_;
      return *this;
    }
    void operator++(int) { ++number_; }
    bool operator==(std::unreachable_sentinel_t) const { return false; }

   private:
    std::int64_t number_ = 0;
  };
  Iterator begin() const { return {}; }
  std::unreachable_sentinel_t end() const { return {}; }
};

template <typename F>
void RunImap(benchmark::State& state, F f) {
  GreenPool pool(state.range(0));
  auto results = pool.Imap(f, Numbers());
  auto it = results.begin();
  for (auto _ : state) {
    benchmark::DoNotOptimize(*it);
    ++it;
  }
  state.SetItemsProcessed(state.iterations());
}

void ImapOfCallsThatReturnAtOnce(benchmark::State& state) {
  RunImap(state, [](std::int64_t x) { return x + 1; });
}
BENCHMARK(ImapOfCallsThatReturnAtOnce)->Arg(1)->Arg(64)->Arg(1000);

void ImapOfCallsThatYield(benchmark::State& state) {
  RunImap(state, [](std::int64_t x) {
    Sleep();
    return x + 1;
  });
}
BENCHMARK(ImapOfCallsThatYield)->Arg(1)->Arg(64)->Arg(1000);

void GreenPoolSpawnN(benchmark::State& state) {
  GreenPool pool(state.range(0));
  std::int64_t sum = 0;
  for (auto _ : state) pool.SpawnN([&sum] { ++sum; });
  pool.WaitAll();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(GreenPoolSpawnN)->Arg(1)->Arg(1000);

void GreenPoolSpawnAndWait(benchmark::State& state) {
  GreenPool pool;
  for (auto _ : state) {
    benchmark::DoNotOptimize(pool.Spawn([] { return 1; }).Wait());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(GreenPoolSpawnAndWait);

void GreenPileSpawnAndNext(benchmark::State& state) {
  GreenPile<int> pile(state.range(0));
  std::int64_t left = state.range(0);
  for (auto _ : state) {
    pile.Spawn([] { return 1; });
    if (--left > 0) continue;
    while (pile.Next()) ++left;
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(GreenPileSpawnAndNext)->Arg(1)->Arg(100);

// No switch: put and get by the same green thread.
void QueuePutGet(benchmark::State& state) {
  Queue<std::int64_t> queue(kUnbounded);
  std::int64_t i = 0;
  for (auto _ : state) {
    queue.Put(++i);
    benchmark::DoNotOptimize(queue.Get());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(QueuePutGet);

// From one green thread to another; 0 is the rendezvous.
void QueueBetweenTwo(benchmark::State& state) {
  Queue<std::int64_t> queue(static_cast<std::size_t>(state.range(0)));
  auto getter = Spawn([&] {
    while (auto item = queue.Get(Deadline::Never())) benchmark::DoNotOptimize(*item);
  });
  std::int64_t i = 0;
  for (auto _ : state) queue.Put(++i);
  queue.Close();
  getter.Join();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(QueueBetweenTwo)->Arg(0)->Arg(1)->Arg(100);

// There and back through two channels.
void ChannelRoundTrip(benchmark::State& state) {
  Channel<std::int64_t> there;
  Channel<std::int64_t> back;
  auto echo = Spawn([&] {
    while (auto item = there.Get(Deadline::Never())) back.Put(*item);
  });
  std::int64_t i = 0;
  for (auto _ : state) {
    there.Put(++i);
    benchmark::DoNotOptimize(back.Get());
  }
  there.Close();
  echo.Join();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(ChannelRoundTrip);

// The yardstick: what the hub takes for the same without a pool.
void HubSpawnN(benchmark::State& state) {
  std::int64_t sum = 0;
  std::int64_t spawned = 0;
  for (auto _ : state) {
    SpawnN([&sum] { ++sum; });
    if (++spawned % 1000 == 0) Sleep();
  }
  Sleep();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(HubSpawnN);

void HubYield(benchmark::State& state) {
  bool stop = false;
  auto other = Spawn([&] {
    while (!stop) Sleep();
  });
  for (auto _ : state) Sleep();
  stop = true;
  other.Join();
}
BENCHMARK(HubYield);

}  // namespace
}  // namespace verdant
