// The same with a call that lets the others run meanwhile.
#include <iostream>

#include "absl/time/time.h"
#include "apps/examples/simulated_time.h"
#include "hub/green_thread.h"
#include "pool/green_pool.h"

void Work(int worker) {
  for (int job = 1; job <= 3; ++job) {
    std::cout << "worker " << worker << ": job " << job << "\n";
    verdant::Sleep(absl::Seconds(10));
  }
}

int main() {
  verdant::examples::SimulatedTime::Use();
  verdant::GreenPool pool;
  for (int worker = 0; worker < 3; ++worker) pool.SpawnN(Work, worker);
  pool.WaitAll();
}
