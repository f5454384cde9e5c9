// A queue of three places: who puts waits for room, who gets gives up after a second without tasks.
#include <iostream>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "apps/examples/simulated_time.h"
#include "hub/green_thread.h"
#include "pool/queue.h"

int main() {
  verdant::examples::SimulatedTime::Use();
  verdant::Queue<int> tasks(3);

  auto boss = [&tasks] {
    for (int task = 1; task < 10; ++task) tasks.Put(task);
    std::cout << "boss: the first nine are given out\n";
    for (int task = 10; task < 20; ++task) tasks.Put(task);
    std::cout << "boss: all are given out\n";
  };
  auto worker = [&tasks](const std::string& name) {
    while (std::optional<int> task = tasks.Get(absl::Seconds(1))) {
      std::cout << name << " does task " << *task << "\n";
      verdant::Sleep();
    }
    std::cout << name << " goes home\n";
  };
  verdant::JoinAll({verdant::Spawn(boss), verdant::Spawn(worker, "Ann"),
                    verdant::Spawn(worker, "Ben"), verdant::Spawn(worker, "Dan")});
}
