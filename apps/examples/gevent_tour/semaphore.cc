// Two of four may work at a time, in the order in which they came.
#include "hub/semaphore.h"

#include <iostream>
#include <vector>

#include "absl/time/time.h"
#include "apps/examples/simulated_time.h"
#include "hub/bounded_semaphore.h"
#include "hub/green_thread.h"

int main() {
  auto& time = verdant::examples::SimulatedTime::Use();
  verdant::BoundedSemaphore desks(2);

  auto work = [&](int who) {
    const verdant::SemaphoreLock desk(desks);
    std::cout << who << " sits down at " << time.Passed() << "\n";
    verdant::Sleep(absl::Seconds(who));
    std::cout << who << " gets up at " << time.Passed() << "\n";
  };
  std::vector<verdant::AnyGreenThread> workers;
  for (int who = 1; who <= 4; ++who) workers.push_back(verdant::Spawn(work, who));
  verdant::JoinAll(workers);
}
