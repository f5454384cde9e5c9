// What can be asked of a green thread before and after its end.
#include <iostream>
#include <stdexcept>
#include <string>

#include "hub/errors.h"
#include "hub/green_thread.h"

int main() {
  std::cout << std::boolalpha;
  auto winner = verdant::Spawn([]() -> std::string { return "a cup"; });
  auto loser = verdant::Spawn([]() -> std::string { throw std::runtime_error("out of breath"); });

  // To start at the hub's next turn.
  std::cout << "alive: " << winner.Alive() << " " << loser.Alive() << "\n";
  std::cout << "started: " << winner.Started() << " " << loser.Started() << "\n";

  verdant::JoinAll({winner, loser});  // an error ends the green thread, not who joins it
  std::cout << "ready: " << winner.Ready() << " " << loser.Ready() << "\n";
  std::cout << "successful: " << winner.Successful() << " " << loser.Successful() << "\n";
  std::cout << "has a value: " << (winner.Value() != nullptr) << " " << (loser.Value() != nullptr)
            << "\n";
  std::cout << "the winner's: " << *winner.Value() << "\n";
  std::cout << "the loser's error: " << verdant::DescribeException(loser.Error()) << "\n";
  try {
    loser.Wait();  // throws it again
  } catch (const std::runtime_error& error) {
    std::cout << "caught: " << error.what() << "\n";
  }
}
