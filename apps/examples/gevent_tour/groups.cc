// Green threads to be waited for together, without a limit and with one.
#include <algorithm>
#include <iostream>
#include <vector>

#include "absl/time/time.h"
#include "apps/examples/simulated_time.h"
#include "hub/green_thread.h"
#include "pool/group.h"

int main() {
  auto& time = verdant::examples::SimulatedTime::Use();

  verdant::Group group;
  group.SpawnN([] { verdant::Sleep(absl::Seconds(2)); });
  group.Add(verdant::Spawn([] { verdant::Sleep(absl::Seconds(1)); }));
  std::cout << "members: " << group.size() << "\n";
  group.Join();
  std::cout << "all gone at " << time.Passed() << "\n";

  verdant::Group pair(2);
  int running = 0;
  int most = 0;
  for (int i = 0; i < 6; ++i) {
    pair.SpawnN([&] {
      most = std::max(most, ++running);
      verdant::Sleep(absl::Seconds(1));
      --running;
    });
  }
  pair.Join();
  std::cout << "six calls, at most " << most << " at a time, done at " << time.Passed() << "\n";

  auto square = [](int n) { return n * n; };
  std::cout << "squares:";
  for (int n : pair.Map(square, std::vector<int>{1, 2, 3, 4})) std::cout << " " << n;
  std::cout << "\n";
}
