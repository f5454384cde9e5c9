#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hub/green_thread.h"

namespace verdant {
namespace {

// Exceptions in flight in many green threads, each switching inside handlers, destructors and
// rethrows.
TEST(Exceptions, StateNeverMixesWhileOthersThrowAndCatch) {
  constexpr int kThreads = 50;
  constexpr int kRounds = 20;
  int wrong = 0;
  std::vector<GreenThread<void>> all;
  for (int i = 0; i < kThreads; ++i) {
    all.push_back(Spawn([&wrong, i] {
      struct SwitchWhileUnwinding {
        int& wrong;
        int expected;
        ~SwitchWhileUnwinding() {
          if (std::uncaught_exceptions() != expected) ++wrong;
          Sleep();
          if (std::uncaught_exceptions() != expected) ++wrong;
        }
      };
      for (int round = 0; round < kRounds; ++round) {
        const std::string mine = std::to_string(i) + "/" + std::to_string(round);
        try {
          const SwitchWhileUnwinding guard{wrong, 1};
          throw std::runtime_error(mine);
        } catch (const std::runtime_error& outer) {
          Sleep();
          try {
            if (i % 3 == 0) Sleep();
            throw std::logic_error("inner " + mine);
          } catch (const std::logic_error& inner) {
            Sleep();
            if (inner.what() != "inner " + mine) ++wrong;
          }
          Sleep();
          if (outer.what() != mine) ++wrong;
          try {
            throw;
          } catch (const std::runtime_error& again) {
            if (again.what() != mine) ++wrong;
          }
          if (std::uncaught_exceptions() != 0) ++wrong;
        }
        if (std::current_exception() != nullptr) ++wrong;
      }
    }));
  }
  JoinAll(all);
  EXPECT_EQ(wrong, 0);
  for (auto& green : all) EXPECT_TRUE(green.Successful());
}

}  // namespace
}  // namespace verdant
