#ifndef VERDANT_HUB_SIMULATION_H_
#define VERDANT_HUB_SIMULATION_H_

#include <cstdint>
#include <exception>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "hub/hub.h"

// Programs of green threads as tests that cannot be unlucky: time is computed, and the order in
// which green threads run is drawn from a number, so that a run that fails can be had again.
//
//   const auto found = FindFailingSeed([] {
//     Account account(100);
//     JoinAll({Spawn([&] { account.Withdraw(70); }), Spawn([&] { account.Withdraw(70); })});
//     if (account.balance() < 0) throw std::runtime_error("overdrawn");
//   });
//   // found->seed, found->error: "std::runtime_error: overdrawn"; Simulate(found->seed, …) again
//
// What is drawn is which runnable green thread runs next; each of them runs undisturbed until it
// waits or yields, as ever. So what is found are races between what is done before and after a
// wait. Waiters of one thing still wake in the order they came, and what was killed is still first.
// Descriptors, other OS threads and processes, pointers used as numbers and clocks other than the
// hub's are outside: a program that depends on them may differ from run to run.

namespace verdant {

// How a simulated run went.
struct Simulation {
  std::exception_ptr error = nullptr;             // what left the program; null if nothing did
  absl::Duration elapsed = absl::ZeroDuration();  // on the virtual clock
  std::uint64_t switches = 0;                     // of green threads
};

// Runs `program` on an OS thread of its own, whose hub lives by a VirtualClock and runs what is
// runnable in the order that `seed` gives; 0: first in, first out, as an ordinary hub does. Returns
// when `program` does. Green threads that are still suspended then are abandoned, not unwound: join
// or kill what holds anything. `options` are the hub's, but for its clock and seed. Blocks the
// calling OS thread.
Simulation Simulate(std::uint64_t seed, absl::FunctionRef<void()> program,
                    Hub::Options options = {});

struct FailingSeed {
  std::uint64_t seed = 0;
  std::string error;  // "type: what()"
};

// Simulates `program`, which must start from the same state each time, with the order of an
// ordinary hub and then with the seeds from 1 to `seeds`: the first with which an exception leaves
// it, or nothing. With VERDANT_SEED=N in the environment that seed is the only one tried, which is
// how a failure seen elsewhere is had again; throws std::invalid_argument if that is no number.
std::optional<FailingSeed> FindFailingSeed(absl::FunctionRef<void()> program,
                                           std::uint64_t seeds = 1000);

}  // namespace verdant

#endif  // VERDANT_HUB_SIMULATION_H_
