// Results in the order of the calls, whichever ends first.
#include <iostream>
#include <string>

#include "absl/time/time.h"
#include "apps/examples/simulated_time.h"
#include "hub/green_thread.h"
#include "pool/green_pile.h"

int main() {
  auto& time = verdant::examples::SimulatedTime::Use();
  auto fetch = [](const std::string& what, int seconds) {
    verdant::Sleep(absl::Seconds(seconds));
    return what;
  };

  verdant::GreenPile<std::string> pile(10);
  pile.Spawn(fetch, "slow", 3);
  pile.Spawn(fetch, "quick", 1);
  pile.Spawn([] { return "any other call"; });
  for (const std::string& result : pile) std::cout << result << "\n";
  std::cout << "done at " << time.Passed() << "\n";
}
