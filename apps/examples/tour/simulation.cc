#include "hub/simulation.h"

#include <iostream>
#include <stdexcept>

#include "hub/green_thread.h"

void SellTheLastSeat() {
  int seats = 1;
  int tickets = 0;
  auto sell = [&](int greetings) {
    verdant::Sleep(absl::Hours(1));  // the office opens
    for (int i = 0; i < greetings; ++i) verdant::Sleep();
    if (seats == 0) return;
    verdant::Sleep();  // to find the price: meanwhile others run
    --seats;
    ++tickets;
  };
  verdant::JoinAll({verdant::Spawn(sell, 0), verdant::Spawn(sell, 1)});
  if (tickets > 1) throw std::logic_error("sold twice");
}

int main() {
  // An hour takes no time, and in the ordinary order all goes well.
  verdant::Simulation usual = verdant::Simulate(0, SellTheLastSeat);
  std::cout << usual.elapsed << ", " << (usual.error ? "wrong" : "fine") << "\n";

  // Other orders are tried until one fails. Its number gives the same run again, for the debugger.
  if (auto found = verdant::FindFailingSeed(SellTheLastSeat)) {
    std::cout << "seed " << found->seed << ": " << found->error << "\n";
    auto again = verdant::Simulate(found->seed, SellTheLastSeat);
    std::cout << "again: " << (again.error ? "wrong" : "fine") << "\n";
  }
}
