#include "hub/internal/trace_clock.h"

#include <time.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace verdant::internal {
namespace {

bool HasSteadyCounter() {
#if defined(__x86_64__)
  // "Invariant TSC": the same pace whatever the core does to save power.
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  return __get_cpuid(0x80000007, &a, &b, &c, &d) != 0 && (d >> 8 & 1) != 0;
#else
  return true;
#endif
}

}  // namespace

TraceClock::TraceClock()
    : steady_(HasSteadyCounter()), began_ticks_(Ticks()), began_nanos_(MonotonicNanos()) {}

std::int64_t TraceClock::MonotonicNanos() noexcept {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1000000000 + now.tv_nsec;
}

TraceClock::Scale TraceClock::Calibrate() const noexcept {
  const std::uint64_t ticks = Ticks() - began_ticks_;
  const std::int64_t nanos = MonotonicNanos() - began_nanos_;
  // Nothing to compare yet.
  if (ticks == 0 || nanos <= 0) return {began_ticks_, 1};
  return {began_ticks_, static_cast<double>(nanos) / static_cast<double>(ticks)};
}

}  // namespace verdant::internal
