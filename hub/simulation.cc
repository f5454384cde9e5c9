#include "hub/simulation.h"

#include <cstdlib>
#include <stdexcept>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "hub/errors.h"
#include "hub/virtual_clock.h"

namespace verdant {
namespace {

std::optional<FailingSeed> Try(std::uint64_t seed, absl::FunctionRef<void()> program) {
  const Simulation run = Simulate(seed, program);
  if (run.error == nullptr) return std::nullopt;
  return FailingSeed{seed, DescribeException(run.error)};
}

}  // namespace

Simulation Simulate(std::uint64_t seed, absl::FunctionRef<void()> program, Hub::Options options) {
  Simulation run;
  VirtualClock clock;
  options.clock = &clock;
  options.order_seed = seed != 0 ? std::optional(seed) : std::nullopt;
  std::exception_ptr no_hub;
  std::thread([&] {
    Hub* hub = nullptr;
    try {
      hub = &Hub::Configure(std::move(options));
    } catch (...) {
      no_hub = std::current_exception();
      return;
    }
    try {
      program();
    } catch (...) {
      run.error = std::current_exception();
    }
    run.elapsed = clock.SinceStart();
    run.switches = hub->counts().switches;
  }).join();
  if (no_hub != nullptr) std::rethrow_exception(no_hub);
  return run;
}

std::optional<FailingSeed> FindFailingSeed(absl::FunctionRef<void()> program, std::uint64_t seeds) {
  if (const char* wanted = std::getenv("VERDANT_SEED"); wanted != nullptr) {
    std::uint64_t seed = 0;
    if (!absl::SimpleAtoi(wanted, &seed)) {
      throw std::invalid_argument(std::string("VERDANT_SEED is not a number: ") + wanted);
    }
    return Try(seed, program);
  }
  for (std::uint64_t seed = 0; seed <= seeds; ++seed) {
    if (auto failed = Try(seed, program)) return failed;
  }
  return std::nullopt;
}

}  // namespace verdant
