#ifndef VERDANT_HUB_INTERNAL_TRACE_CLOCK_H_
#define VERDANT_HUB_INTERNAL_TRACE_CLOCK_H_

#include <cstdint>

namespace verdant::internal {

// The cheapest time there is: the processor's counter where that is known to run at one pace on all
// cores, else CLOCK_MONOTONIC. What a tick is worth is found out afterwards, by comparison with
// that clock.
class TraceClock {
 public:
  TraceClock();

  // Async-signal-safe, as all below.
  std::uint64_t Ticks() const noexcept {
#if defined(__x86_64__)
    if (steady_) [[likely]]
      return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    std::uint64_t ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
#endif
    return static_cast<std::uint64_t>(MonotonicNanos());
  }

  // What ticks are in nanoseconds since the clock was made; the more exact, the later it is asked
  // for.
  class Scale {
   public:
    std::int64_t Nanos(std::uint64_t ticks) const noexcept {
      const auto since = static_cast<std::int64_t>(ticks - origin_);
      return since < 0 ? 0 : static_cast<std::int64_t>(static_cast<double>(since) * nanos_);
    }

   private:
    friend class TraceClock;
    Scale(std::uint64_t origin, double nanos) : origin_(origin), nanos_(nanos) {}
    std::uint64_t origin_;
    double nanos_;  // of one tick
  };
  Scale Calibrate() const noexcept;

 private:
  static std::int64_t MonotonicNanos() noexcept;

  const bool steady_;
  std::uint64_t began_ticks_;
  std::int64_t began_nanos_;
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_TRACE_CLOCK_H_
