#include <iostream>
#include <string>

#include "hub/green_thread.h"

int Brew(const std::string& what, int minutes) {
  std::cout << what << ": water on\n";
  verdant::Sleep(absl::Milliseconds(20 * minutes));  // the others run meanwhile
  std::cout << what << ": ready\n";
  return minutes;
}

int main() {
  auto tea = verdant::Spawn(Brew, "tea", 4);
  auto coffee = verdant::Spawn(Brew, "coffee", 2);
  std::cout << "both are on their way\n";
  int minutes = tea.Wait() + coffee.Wait();
  std::cout << "minutes of brewing: " << minutes << "\n";
}
