// Three ways to get a green thread going.
#include <iostream>
#include <string>

#include "absl/time/time.h"
#include "apps/examples/simulated_time.h"
#include "hub/green_thread.h"

void SayAfter(const std::string& what, absl::Duration delay) {
  verdant::Sleep(delay);
  std::cout << what << "\n";
}

int main() {
  verdant::examples::SimulatedTime::Use();

  auto prepared = verdant::Prepare([] { SayAfter("one second later", absl::Seconds(1)); });
  prepared.Start();
  auto with_arguments = verdant::Spawn(SayAfter, "two seconds later", absl::Seconds(2));
  auto with_result = verdant::Spawn([](int x) { return x + 1; }, 5);

  verdant::JoinAll({prepared, with_arguments, with_result});
  std::cout << "5 + 1 = " << with_result.Wait() << "\n";
}
