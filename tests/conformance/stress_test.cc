// A million random operations, checked against a model. Which seed failed is printed;
// `--seed=N` or VERDANT_STRESS_SEED=N in the environment runs that one alone.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "tests/conformance/stress_world.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

constexpr std::uint64_t kOperations = 1000000;

std::string chosen_seed;

std::vector<std::uint64_t> Seeds() {
  if (!chosen_seed.empty()) return {std::strtoull(chosen_seed.c_str(), nullptr, 10)};
  return {1, 20, 300, 4000, 50000};
}

struct Outcome {
  std::string violation;
  std::vector<std::uint64_t> events;
};

Outcome RunWorld(std::uint64_t seed, std::uint64_t operations) {
  Outcome outcome;
  WithManualClock([&](ManualClock&) {
    StressWorld world(seed, operations);
    world.Run();
    outcome = {.violation = world.record().violation(), .events = world.record().events()};
  });
  return outcome;
}

TEST(Stress, A1_10_A5_7_A6_3_AMillionRandomOperationsKeepEveryPromise) {
  const std::vector<std::uint64_t> seeds = Seeds();
  for (const std::uint64_t seed : seeds) {
    const Outcome outcome = RunWorld(seed, kOperations / seeds.size());
    EXPECT_EQ(outcome.violation, "") << "with --seed=" << seed;
    EXPECT_GT(outcome.events.size(), kOperations / seeds.size());
  }
}

TEST(Stress, OneSeedIsOneSequenceOfEvents) {
  for (const std::uint64_t seed : Seeds()) {
    const Outcome first = RunWorld(seed, kOperations / 100);
    const Outcome second = RunWorld(seed, kOperations / 100);
    // Not compared by EXPECT_EQ, which would print them.
    EXPECT_TRUE(first.events == second.events) << "with --seed=" << seed;
    EXPECT_EQ(first.violation, second.violation);
  }
}

}  // namespace
}  // namespace verdant

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (const char* seed = std::getenv("VERDANT_STRESS_SEED"); seed != nullptr) {
    verdant::chosen_seed = seed;
  }
  constexpr std::string_view kFlag = "--seed=";
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.starts_with(kFlag)) verdant::chosen_seed = argument.substr(kFlag.size());
  }
  return RUN_ALL_TESTS();
}
