#ifndef VERDANT_HUB_INTERNAL_NUMBER_POOL_H_
#define VERDANT_HUB_INTERNAL_NUMBER_POOL_H_

#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

namespace verdant::internal {

// Small numbers from 0 on: Take() gives the smallest that nobody has.
class NumberPool {
 public:
  std::uint64_t Take() {
    if (free_.empty()) return next_++;
    const std::uint64_t number = free_.top();
    free_.pop();
    return number;
  }
  void Give(std::uint64_t number) { free_.push(number); }

 private:
  std::priority_queue<std::uint64_t, std::vector<std::uint64_t>, std::greater<>> free_;
  std::uint64_t next_ = 0;
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_NUMBER_POOL_H_
