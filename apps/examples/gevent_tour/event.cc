// Five green threads wait until one flag is set.
#include <iostream>
#include <vector>

#include "absl/time/time.h"
#include "apps/examples/simulated_time.h"
#include "hub/flag.h"
#include "hub/green_thread.h"

int main() {
  verdant::examples::SimulatedTime::Use();
  verdant::Flag ready;

  auto cook = [&ready] {
    std::cout << "cook: give me three seconds\n";
    verdant::Sleep(absl::Seconds(3));
    std::cout << "cook: dinner is ready\n";
    ready.Set();
  };
  auto guest = [&ready](int seat) {
    std::cout << "guest " << seat << " waits\n";
    ready.Wait();
    std::cout << "guest " << seat << " eats\n";
  };

  std::vector<verdant::AnyGreenThread> all = {verdant::Spawn(cook)};
  for (int seat = 1; seat <= 5; ++seat) all.push_back(verdant::Spawn(guest, seat));
  verdant::JoinAll(all);
}
