// All that a GreenPool does.
#include <iostream>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "apps/examples/simulated_time.h"
#include "hub/green_thread.h"
#include "pool/green_pool.h"

int main() {
  verdant::examples::SimulatedTime::Use();
  auto work = [] { verdant::Sleep(absl::Seconds(1)); };

  verdant::GreenPool pool(2);
  auto answer = pool.Spawn([] {
    verdant::Sleep(absl::Seconds(1));
    return 42;
  });
  pool.SpawnN(work);
  std::cout << "running " << pool.Running() << ", free " << pool.Free() << "\n";

  verdant::SpawnN([&] { pool.SpawnN(work); });  // finds the pool full
  verdant::Sleep();
  std::cout << "waiting " << pool.Waiting() << "\n";
  pool.Resize(3);
  verdant::Sleep();
  std::cout << "resized: running " << pool.Running() << ", waiting " << pool.Waiting() << "\n";

  pool.WaitAll();
  std::cout << "all done: " << answer.Wait() << "\n";

  const std::vector<int> numbers = {1, 2, 3, 4};
  std::cout << "squares:";
  for (int square : pool.Imap([](int n) { return n * n; }, numbers)) std::cout << " " << square;
  const std::vector<std::pair<int, int>> pairs = {{1, 10}, {2, 20}, {3, 30}};
  std::cout << "\nsums:";
  for (int sum : pool.Starmap([](int a, int b) { return a + b; }, pairs)) std::cout << " " << sum;
  std::cout << "\n";
}
