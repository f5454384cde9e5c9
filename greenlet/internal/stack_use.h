#ifndef VERDANT_GREENLET_INTERNAL_STACK_USE_H_
#define VERDANT_GREENLET_INTERNAL_STACK_USE_H_

#include <cstddef>

#include "greenlet/internal/stack_pool.h"

namespace verdant::internal {

// Measures how deep a stack is used, by which of its pages have been touched. A stack has had other
// tenants, whose pages stay; so these are given back first.

// On that stack: empties all whole pages below the caller's frames. Returns where they end, or null
// if that cannot be done.
char* EmptyBelowHere(const Stack& stack) noexcept;
// How many bytes at the top of the stack have been in use since it was emptied below `emptied`: up
// to the lowest word that is not zero, and at least down to there. On any stack of the same thread.
std::size_t UsedBytes(const Stack& stack, const char* emptied) noexcept;

}  // namespace verdant::internal

#endif  // VERDANT_GREENLET_INTERNAL_STACK_USE_H_
