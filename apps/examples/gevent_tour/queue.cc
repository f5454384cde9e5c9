// Three workers share a queue of tasks that all lie ready.
#include "pool/queue.h"

#include <iostream>
#include <string>

#include "hub/green_thread.h"

int main() {
  verdant::Queue<int> tasks(verdant::kUnbounded);
  verdant::Spawn([&tasks] {
    for (int task = 1; task <= 24; ++task) tasks.TryPut(task);  // never full
  }).Join();

  auto worker = [&tasks](const std::string& name) {
    while (!tasks.empty()) {
      const int task = tasks.Get();
      std::cout << name << " does task " << task << "\n";
      verdant::Sleep();  // the next one's turn
    }
    std::cout << name << " goes home\n";
  };
  verdant::JoinAll({verdant::Spawn(worker, "Ann"), verdant::Spawn(worker, "Ben"),
                    verdant::Spawn(worker, "Cleo")});
}
