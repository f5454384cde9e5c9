#include "pool/queue.h"

#include <iostream>
#include <optional>
#include <string>

#include "hub/green_thread.h"

int main() {
  verdant::Queue<std::string> orders(2);  // Put() waits while two are waiting

  auto kitchen = verdant::Spawn([&] {
    int served = 0;
    while (std::optional<std::string> dish = orders.Get(verdant::Deadline::Never())) {
      std::cout << "serving " << *dish << "\n";
      ++served;
    }
    return served;
  });
  for (const char* dish : {"soup", "fish", "cake", "tea"}) {
    orders.Put(dish);
    std::cout << "ordered " << dish << "\n";
  }
  orders.Close();  // what is in it is still served; then Get() gives nothing
  std::cout << kitchen.Wait() << " dishes\n";
}
