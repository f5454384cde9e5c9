#ifndef VERDANT_POOL_POOL_FULL_H_
#define VERDANT_POOL_POOL_FULL_H_

#include <stdexcept>

namespace verdant {

// A pool had no room by the deadline given, and so has done nothing (row B2.7, decision 2).
class PoolFull : public std::runtime_error {
 public:
  PoolFull() : std::runtime_error("the pool is full") {}
};

}  // namespace verdant

#endif  // VERDANT_POOL_POOL_FULL_H_
