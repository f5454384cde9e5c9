#ifndef VERDANT_GREENLET_INTERNAL_SANITIZER_H_
#define VERDANT_GREENLET_INTERNAL_SANITIZER_H_

// What the sanitizers and Valgrind must be told about stacks of our own. Without the annotations
// ASan misreads every stack frame after a switch, TSan sees one endless call stack, and Valgrind
// takes a switch for a giant stack allocation.

#if defined(__SANITIZE_ADDRESS__)
#define VERDANT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define VERDANT_ASAN 1
#endif
#endif

#if defined(__SANITIZE_THREAD__)
#define VERDANT_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define VERDANT_TSAN 1
#endif
#endif

#if defined(VERDANT_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif
#if defined(VERDANT_TSAN)
#include <sanitizer/tsan_interface.h>
#endif
#if defined(VERDANT_VALGRIND)
#include <valgrind/valgrind.h>
#endif

#endif  // VERDANT_GREENLET_INTERNAL_SANITIZER_H_
