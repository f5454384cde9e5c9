// Producers and consumers; waiting until all work is done; other orders than first in, first out.
#include <iostream>
#include <string>

#include "absl/time/time.h"
#include "apps/examples/simulated_time.h"
#include "hub/green_thread.h"
#include "pool/queue.h"
#include "pool/queue_order.h"

int main() {
  verdant::examples::SimulatedTime::Use();

  verdant::Queue<std::string> letters(1);
  auto postman = verdant::Spawn([&letters] {
    for (const std::string& letter : letters) {  // until it is closed
      verdant::Sleep(absl::Seconds(1));
      std::cout << "delivered " << letter << "\n";
      letters.TaskDone();
    }
  });
  verdant::Sleep();
  std::cout << "getting " << letters.getting() << ", putting " << letters.putting() << "\n";
  for (const char* letter : {"one", "two", "three"}) {
    verdant::SpawnN([&letters, letter] { letters.Put(letter); });
  }
  verdant::Sleep(absl::Milliseconds(500));  // one is being delivered, one lies in the queue
  std::cout << "getting " << letters.getting() << ", putting " << letters.putting() << "\n";
  letters.Join();
  std::cout << "no letter is left\n";
  letters.Close();
  postman.Wait();

  verdant::LifoQueue<int> pile(verdant::kUnbounded);
  verdant::PriorityQueue<int> triage(verdant::kUnbounded);
  for (int n : {2, 3, 1}) {
    pile.Put(n);
    triage.Put(n);
  }
  std::cout << "last in, first out:";
  while (!pile.empty()) std::cout << " " << pile.Get();
  std::cout << "\nleast first:";
  while (!triage.empty()) std::cout << " " << triage.Get();
  std::cout << "\n";
}
