// A result that is put down, read, and put down anew.
#include "hub/async_result.h"

#include <iostream>
#include <string>

#include "absl/time/time.h"
#include "apps/examples/simulated_time.h"
#include "hub/green_thread.h"

int main() {
  verdant::examples::SimulatedTime::Use();
  verdant::AsyncResult<std::string> forecast;

  auto office = verdant::Spawn([&forecast] {
    forecast.Set("sunshine");
    verdant::Sleep(absl::Milliseconds(500));
    forecast.Set("thunder");
  });
  auto reader = verdant::Spawn([&forecast] {
    std::cout << "first: " << forecast.Get() << "\n";
    verdant::Sleep(absl::Seconds(1));
    std::cout << "then: " << forecast.Get() << "\n";
  });
  verdant::JoinAll({office, reader});
}
