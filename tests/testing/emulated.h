#ifndef VERDANT_TESTS_TESTING_EMULATED_H_
#define VERDANT_TESTS_TESTING_EMULATED_H_

#include <cstdlib>

namespace verdant {

// Whether the processor is an emulated one: see .bazelrc.
inline bool Emulated() { return std::getenv("VERDANT_EMULATED") != nullptr; }

}  // namespace verdant

#endif  // VERDANT_TESTS_TESTING_EMULATED_H_
