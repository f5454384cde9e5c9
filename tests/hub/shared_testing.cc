#include "greenlet/internal/sanitizer.h"

#if defined(VERDANT_TSAN)

// How often an exception is referred to is counted in libstdc++.so, which is not instrumented: that
// it ends on one thread after another has read it looks like a race there.
extern "C" const char* __tsan_default_suppressions() {
  return "race:std::__exception_ptr::exception_ptr::_M_release\n"
         "race:__cxa_end_catch\n";
}

#endif
