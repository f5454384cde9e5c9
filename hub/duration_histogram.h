#ifndef VERDANT_HUB_DURATION_HISTOGRAM_H_
#define VERDANT_HUB_DURATION_HISTOGRAM_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace verdant {

// How often something has taken how long: counts in fixed buckets, and the sum. Adding to the first
// ones costs a few instructions. For one thread; copy it to hand it on.
class DurationHistogram {
 public:
  // The longest of each bucket, in nanoseconds; the last bucket, beyond these, has no longest.
  static constexpr std::array<std::int64_t, 15> kBounds = {
      50'000,       100'000,     250'000,       500'000,
      1'000'000,    2'500'000,   5'000'000,  //
      10'000'000,   25'000'000,  50'000'000,    100'000'000,
      250'000'000,  500'000'000, 1'000'000'000,  //
      2'500'000'000};

  // Less than nothing counts as nothing.
  void Add(std::int64_t nanos) {
    std::size_t bucket = 0;
    while (bucket < kBounds.size() && nanos > kBounds[bucket]) ++bucket;
    ++counts_[bucket];
    sum_nanos_ += std::max<std::int64_t>(nanos, 0);
  }

  const std::array<std::uint64_t, kBounds.size() + 1>& counts() const { return counts_; }
  std::uint64_t count() const {
    std::uint64_t all = 0;
    for (const std::uint64_t count : counts_) all += count;
    return all;
  }
  std::int64_t sum_nanos() const { return sum_nanos_; }

 private:
  std::array<std::uint64_t, kBounds.size() + 1> counts_ = {};
  std::int64_t sum_nanos_ = 0;
};

}  // namespace verdant

#endif  // VERDANT_HUB_DURATION_HISTOGRAM_H_
