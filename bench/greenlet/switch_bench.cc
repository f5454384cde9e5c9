// The switch between two stacks and back: ours at three depths against Boost.Context's two. An item
// is one switch.

#include <any>
#include <boost/context/detail/fcontext.hpp>
#include <boost/context/fiber.hpp>
#include <utility>

#include "benchmark/benchmark.h"
#include "greenlet/greenlet.h"
#include "greenlet/internal/fiber.h"
#include "greenlet/internal/stack_pool.h"
#include "greenlet/internal/switch.h"

namespace verdant::internal {
namespace {

void CountSwitches(benchmark::State& state) { state.SetItemsProcessed(2 * state.iterations()); }

struct RawPair {
  Context main;
  Context far;
};

template <void* (*switch_stacks)(void*, Context*, const Context*)>
void FarSide(void*, void* arg) {
  auto* pair = static_cast<RawPair*>(arg);
  for (;;) switch_stacks(nullptr, &pair->far, &pair->main);
}

[[gnu::always_inline]] inline void* Inline(void* transfer, Context* from, const Context* to) {
  return SwitchStacks(transfer, from, to);
}

// Registers only.
void BareInline(benchmark::State& state) {
  StackPool pool(64 * 1024);
  const Stack stack = pool.Acquire();
  RawPair pair;
  pair.far = PrepareStack(stack.top(), &FarSide<&Inline>, &pair);
  for (auto _ : state) SwitchStacks(nullptr, &pair.main, &pair.far);
  CountSwitches(state);
  pool.Release(stack);
}
BENCHMARK(BareInline);

void BareOutOfLine(benchmark::State& state) {
  StackPool pool(64 * 1024);
  const Stack stack = pool.Acquire();
  RawPair pair;
  pair.far = PrepareStack(stack.top(), &FarSide<&verdant_switch>, &pair);
  for (auto _ : state) verdant_switch(nullptr, &pair.main, &pair.far);
  CountSwitches(state);
  pool.Release(stack);
}
BENCHMARK(BareOutOfLine);

// With what a fiber has besides registers: exception state, floating-point control, who is current.
struct FiberPair {
  Fiber* main;
  Fiber far;
};

void FiberFarSide(void* transfer, void* arg) {
  auto* pair = static_cast<FiberPair*>(arg);
  FiberEntered(pair->far, transfer);
  for (;;) SwitchFiber(pair->far, *pair->main);
}

void WholeFiber(benchmark::State& state) {
  FiberPair pair{CurrentFiber(), {}};
  StackPool& pool = ThreadStackPool(0);
  BeginFiber(pair.far, pool.Acquire(), &FiberFarSide, &pair);
  for (auto _ : state) SwitchFiber(*pair.main, pair.far);
  CountSwitches(state);
  pool.Release(EndFiber(pair.far));
}
BENCHMARK(WholeFiber);

// The public handle, values and all.
void GreenletSwitch(benchmark::State& state) {
  Greenlet far([] {
    const Greenlet back = Greenlet::Current().parent();
    for (;;) back.Switch();
  });
  for (auto _ : state) far.Switch();
  CountSwitches(state);
}
BENCHMARK(GreenletSwitch);

void BoostFarSide(boost::context::detail::transfer_t transfer) {
  for (;;) transfer = boost::context::detail::jump_fcontext(transfer.fctx, nullptr);
}

void BoostContextBare(benchmark::State& state) {
  StackPool pool(64 * 1024);
  const Stack stack = pool.Acquire();
  boost::context::detail::transfer_t transfer{
      boost::context::detail::make_fcontext(stack.top(), stack.size - 4096, &BoostFarSide),
      nullptr};
  for (auto _ : state) transfer = boost::context::detail::jump_fcontext(transfer.fctx, nullptr);
  CountSwitches(state);
  pool.Release(stack);
}
BENCHMARK(BoostContextBare);

void BoostContextFiber(benchmark::State& state) {
  bool stop = false;
  boost::context::fiber far([&](boost::context::fiber&& back) {
    while (!stop) back = std::move(back).resume();
    return std::move(back);
  });
  for (auto _ : state) far = std::move(far).resume();
  CountSwitches(state);
  stop = true;
  far = std::move(far).resume();
}
BENCHMARK(BoostContextFiber);

}  // namespace
}  // namespace verdant::internal
