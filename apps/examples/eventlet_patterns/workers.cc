// Four workers with three jobs each. Without WaitAll() the program would end before they do.
#include <iostream>
#include <map>

#include "absl/time/time.h"
#include "apps/examples/simulated_time.h"
#include "hub/green_thread.h"
#include "pool/green_pool.h"

int main() {
  auto& time = verdant::examples::SimulatedTime::Use();
  std::map<int, int> done;  // by worker; needs no lock, since nobody runs until somebody waits

  auto work = [&done](int worker, int jobs) {
    for (int job = 1; job <= jobs; ++job) {
      ++done[worker];
      std::cout << "worker " << worker << ": job " << done[worker] << "\n";
      verdant::Sleep(absl::Seconds(1));
    }
  };
  verdant::GreenPool pool;
  for (int worker = 0; worker < 4; ++worker) {
    std::cout << "worker " << worker << " is to do 3 jobs\n";
    pool.SpawnN(work, worker, 3);
  }
  pool.WaitAll();
  std::cout << "twelve jobs in " << time.Passed() << "\n";
}
