// A call that blocks and cannot be taught better goes to an OS thread of its own, and only the
// green thread that asks for it waits.
#include "pool/tpool.h"

#include <future>
#include <iostream>
#include <thread>

#include "hub/green_thread.h"

int main() {
  const bool elsewhere = verdant::tpool::Execute(
      [](std::thread::id asker) { return std::this_thread::get_id() != asker; },
      std::this_thread::get_id());
  std::cout << std::boolalpha << "ran on another OS thread: " << elsewhere << "\n";

  // With a green thread for the waiting, not even the asker waits: it is the one who, afterwards,
  // gives the call what that blocks for.
  std::promise<int> promise;
  auto blocked = verdant::Spawn([&promise] {
    return verdant::tpool::Execute([&promise] { return promise.get_future().get(); });
  });
  verdant::Sleep();
  std::cout << "still blocked: " << !blocked.Ready() << "\n";
  promise.set_value(42);
  std::cout << "it says " << blocked.Wait() << "\n";
}
