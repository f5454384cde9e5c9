// A Timeout interrupts whatever its green thread waits for.
#include "hub/timeout.h"

#include <iostream>

#include "absl/time/time.h"
#include "apps/examples/simulated_time.h"
#include "hub/green_thread.h"

int main() {
  verdant::examples::SimulatedTime::Use();
  auto slow = verdant::Spawn([] { verdant::Sleep(absl::Minutes(10)); });

  const verdant::Timeout patience(absl::Seconds(10));
  try {
    slow.Join();
  } catch (const verdant::TimeoutExpired& expired) {
    if (!patience.Owns(expired)) throw;
    std::cout << "not finished: " << expired.message() << "\n";
  }
  slow.Kill();
}
