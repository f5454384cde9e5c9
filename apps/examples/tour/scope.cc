#include "hub/scope.h"

#include <iostream>
#include <stdexcept>

#include "hub/green_thread.h"
#include "hub/shield.h"

void Carry(const char* what, int minutes) {
  try {
    verdant::Sleep(absl::Milliseconds(10 * minutes));
    if (minutes == 2) throw std::runtime_error("the shelf broke");
    std::cout << what << " carried\n";
  } catch (const verdant::GreenletExit&) {
    const verdant::Shield shield;  // nothing gets in the way of this
    verdant::Sleep(absl::Milliseconds(1));
    std::cout << what << " put down\n";
    throw;
  }
}

int main() {
  // All of them have ended when WithScope() returns.
  verdant::WithScope([](verdant::Scope& scope) {
    scope.SpawnN(Carry, "table", 3);
    scope.SpawnN(Carry, "chair", 1);
  });

  // Or the first error has cancelled the others, and is thrown.
  try {
    verdant::WithScope([](verdant::Scope& scope) {
      scope.SpawnN(Carry, "piano", 5);
      scope.SpawnN(Carry, "books", 2);
    });
  } catch (const std::runtime_error& error) {
    std::cout << error.what() << "\n";
  }

  // And so does the end of their time.
  try {
    auto move = [](verdant::Scope& scope) { scope.SpawnN(Carry, "stove", 500); };
    verdant::WithScope(move, {.deadline = absl::Milliseconds(10)});
  } catch (const verdant::TimeoutExpired&) {
    std::cout << "too late\n";
  }
}
