#ifndef VERDANT_HUB_INTERNAL_SHUFFLE_H_
#define VERDANT_HUB_INTERNAL_SHUFFLE_H_

#include <cstddef>
#include <cstdint>
#include <random>

namespace verdant::internal {

// The order in which a hub with a seed runs what is runnable: the same for the same seed on every
// machine, which is why no distribution of the standard library is used.
class Shuffle {
 public:
  explicit Shuffle(std::uint64_t seed) : engine_(seed) {}

  void BeginTurn() { left_ = kSwitchesPerTurn; }
  // False when the turn is over.
  bool Take() { return left_-- > 0; }
  // One of `count`, which is not 0.
  std::size_t Pick(std::size_t count) { return static_cast<std::size_t>(engine_() % count); }

 private:
  static constexpr int kSwitchesPerTurn = 64;

  std::mt19937_64 engine_;
  int left_ = kSwitchesPerTurn;
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_SHUFFLE_H_
