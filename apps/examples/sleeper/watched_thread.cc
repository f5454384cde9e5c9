// The same worker, watched: a link sends an event when it ends, and the watcher looks at the event
// once a second.
#include <iostream>

#include "absl/time/time.h"
#include "apps/examples/simulated_time.h"
#include "hub/event.h"
#include "hub/green_thread.h"

void Work() {
  std::cout << "work begins\n";
  for (int step = 1; step <= 5; ++step) {
    std::cout << "step " << step << "\n";
    verdant::Sleep(absl::Milliseconds(300));
  }
  std::cout << "work ends\n";
}

void Watch(const verdant::Event<>& finished) {
  while (!finished.Ready()) {
    std::cout << "watcher: still at work\n";
    verdant::Sleep(absl::Seconds(1));
  }
  std::cout << "watcher: done\n";
}

int main() {
  verdant::examples::SimulatedTime::Use();
  verdant::Event<> finished;
  auto worker = verdant::Spawn(Work);
  worker.Link([&finished] {
    std::cout << "link: the worker has ended\n";
    finished.Send();
  });
  verdant::Sleep();  // let it begin
  Watch(finished);
}
