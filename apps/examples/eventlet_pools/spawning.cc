// Ways to start green threads: with a result, without one, later, and not after all.
#include <iostream>
#include <string>

#include "absl/time/time.h"
#include "apps/examples/simulated_time.h"
#include "hub/green_thread.h"

int main() {
  auto& time = verdant::examples::SimulatedTime::Use();

  auto sum = verdant::Spawn([](int a, int b) { return a + b; }, 20, 22);
  verdant::SpawnN([] { std::cout << "nobody waits for me\n"; });
  auto later = verdant::SpawnAfter(absl::Seconds(2), [&time] {
    std::cout << "started at " << time.Passed() << "\n";
    return std::string("late");
  });
  auto never = verdant::SpawnAfter(absl::Seconds(1), [] { std::cout << "not printed\n"; });

  std::cout << "nothing has run yet\n";
  verdant::Sleep();  // lets the others run
  std::cout << "the sum is " << sum.Wait() << "\n";
  std::cout << "cancelled: " << std::boolalpha << never.Cancel() << "\n";
  std::cout << later.Wait() << "\n";
}
