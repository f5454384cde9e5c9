// A variable that each green thread has its own of.
#include <iostream>
#include <string>

#include "greenlet/local.h"
#include "hub/green_thread.h"

int main() {
  verdant::GreenLocal<std::string> user("nobody");

  auto request = [&user](const std::string& name) {
    *user = name;
    verdant::Sleep();  // others set theirs meanwhile
    std::cout << name << " is " << *user << "\n";
  };
  verdant::JoinAll({verdant::Spawn(request, "ann"), verdant::Spawn(request, "ben"),
                    verdant::Spawn([&user] { std::cout << "a stranger is " << *user << "\n"; })});
  std::cout << "main is " << *user << "\n";
}
