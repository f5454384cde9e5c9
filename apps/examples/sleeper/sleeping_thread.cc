// A green thread that works and sleeps by turns, and somebody who waits for it.
#include <iostream>

#include "absl/time/time.h"
#include "apps/examples/simulated_time.h"
#include "hub/green_thread.h"

void Work() {
  std::cout << "work begins\n";
  for (int step = 1; step <= 5; ++step) {
    std::cout << "step " << step << "\n";
    verdant::Sleep(absl::Milliseconds(300));
  }
  std::cout << "work ends\n";
}

int main() {
  verdant::examples::SimulatedTime::Use();
  auto worker = verdant::Spawn(Work);
  worker.Wait();
}
