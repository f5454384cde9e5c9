#include "hub/blocking.h"

#include <cstdlib>
#include <string_view>

#include "absl/strings/numbers.h"
#include "greenlet/internal/sanitizer.h"

namespace verdant {
namespace {

#if defined(NDEBUG) || defined(VERDANT_ASAN) || defined(VERDANT_TSAN) || defined(VERDANT_VALGRIND)
constexpr bool kOnByDefault = false;
#else
constexpr bool kOnByDefault = true;
#endif
constexpr int kDefaultMilliseconds = 25;

}  // namespace

absl::Duration DefaultBlockingThreshold() {
  if (const char* wanted = std::getenv("VERDANT_STALL_MS"); wanted != nullptr) {
    int milliseconds = 0;
    if (absl::SimpleAtoi(wanted, &milliseconds) && milliseconds > 0)
      return absl::Milliseconds(milliseconds);
    if (std::string_view(wanted) == "off" || std::string_view(wanted) == "0")
      return absl::InfiniteDuration();
  }
  return kOnByDefault ? absl::Milliseconds(kDefaultMilliseconds) : absl::InfiniteDuration();
}

}  // namespace verdant
