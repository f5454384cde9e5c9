#include "greenlet/internal/stack_use.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "greenlet/internal/sanitizer.h"

namespace verdant::internal {
namespace {

// What a function may use below its stack pointer, and the calls made here.
constexpr std::uintptr_t kOwnUse = 2048;
constexpr std::size_t kPagesAtATime = 64;

std::size_t PageSize() { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }

__attribute__((no_sanitize("address", "thread"))) const char* LowestInUse(const char* page,
                                                                          const char* end) {
  const auto* word = reinterpret_cast<const volatile std::uintptr_t*>(page);
  const auto* last = reinterpret_cast<const volatile std::uintptr_t*>(end);
#if defined(VERDANT_VALGRIND)
  // Below the stack pointer nothing is to be read.
  VALGRIND_DISABLE_ERROR_REPORTING;
#endif
  while (word != last && *word == 0) ++word;
#if defined(VERDANT_VALGRIND)
  VALGRIND_ENABLE_ERROR_REPORTING;
#endif
  return const_cast<const char*>(reinterpret_cast<const volatile char*>(word));
}

}  // namespace

char* EmptyBelowHere(const Stack& stack) noexcept {
  const std::size_t page = PageSize();
  const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) - kOwnUse;
  char* const first = stack.base + page;
  auto* const end = reinterpret_cast<char*>(here / page * page);
  if (end < first || end > stack.limit()) return nullptr;
  if (end != first && madvise(first, static_cast<std::size_t>(end - first), MADV_DONTNEED) != 0) {
    return nullptr;
  }
  return end;
}

std::size_t UsedBytes(const Stack& stack, const char* emptied) noexcept {
  const std::size_t page = PageSize();
  unsigned char resident[kPagesAtATime];
  for (char* at = stack.base + page; at < emptied;) {
    const auto left = static_cast<std::size_t>(emptied - at) / page;
    const std::size_t count = std::min(left, kPagesAtATime);
    if (mincore(at, count * page, resident) != 0) break;
    for (std::size_t i = 0; i < count; ++i, at += page) {
      if ((resident[i] & 1) == 0) continue;
      // A page that is there may have been looked at only.
      if (const char* lowest = LowestInUse(at, at + page); lowest != at + page)
        return static_cast<std::size_t>(stack.limit() - lowest);
    }
  }
  return static_cast<std::size_t>(stack.limit() - emptied);
}

}  // namespace verdant::internal
