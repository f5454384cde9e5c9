#ifndef VERDANT_TESTS_TESTING_DEATH_TESTS_H_
#define VERDANT_TESTS_TESTING_DEATH_TESTS_H_

#include "gtest/gtest.h"
#include "tests/testing/emulated.h"

namespace verdant {

// Has the death tests that follow die in a process begun anew rather than in a fork, which would
// inherit what the tests before have done. An emulated program cannot execute itself, so there it
// is a fork all the same.
inline void DieInAFreshProcess() {
  if (Emulated()) return;
  ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
}

}  // namespace verdant

#endif  // VERDANT_TESTS_TESTING_DEATH_TESTS_H_
