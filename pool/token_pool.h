#ifndef VERDANT_POOL_TOKEN_POOL_H_
#define VERDANT_POOL_TOKEN_POOL_H_

#include <cstddef>

#include "absl/status/statusor.h"
#include "pool/resource_pool.h"

namespace verdant {

// What a TokenPool hands out: the right to do something, and nothing else. Can be moved, not made.
class Token {
 public:
  Token(Token&&) = default;
  Token& operator=(Token&&) = default;

 private:
  friend class TokenPool;
  Token() = default;
};

// A pool of tokens: limits how many do something at a time, where a Semaphore would have nothing to
// hand around. Row A4.5. The handling is ResourcePool's.
class TokenPool : public ResourcePool<Token> {
 public:
  explicit TokenPool(std::size_t max_size = 4)
      : ResourcePool([]() -> absl::StatusOr<Token> { return Token(); },
                     {.min_size = 0, .max_size = max_size, .order_as_stack = false}) {}
};

}  // namespace verdant

#endif  // VERDANT_POOL_TOKEN_POOL_H_
