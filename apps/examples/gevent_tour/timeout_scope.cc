// The same for a scope, with an exception of one's own; around one call; and as a deadline.
#include <exception>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>

#include "absl/time/time.h"
#include "apps/examples/simulated_time.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/timeout.h"

struct TooLong : std::runtime_error {
  TooLong() : std::runtime_error("too long") {}
};

int main() {
  auto& time = verdant::examples::SimulatedTime::Use();

  try {
    const verdant::Timeout limit(absl::Seconds(5), std::make_exception_ptr(TooLong()));
    verdant::Sleep(absl::Seconds(10));
  } catch (const TooLong& error) {
    std::cout << error.what() << ", at " << time.Passed() << "\n";
  }

  auto ponder = [] {
    verdant::Sleep(absl::Seconds(10));
    return std::string("an answer");
  };
  std::cout << verdant::WithTimeout(absl::Seconds(1), ponder, "a guess") << "\n";
  std::cout << verdant::WithTimeout(absl::Seconds(20), ponder, "a guess") << "\n";

  verdant::Event<std::string> letter;
  const std::optional<std::string> text = letter.Wait(absl::Seconds(3));
  std::cout << (text ? *text : "no letter") << "\n";

  // Of two, the one that runs out first is thrown, and each knows its own.
  const verdant::Timeout outer(absl::Seconds(1), "the whole");
  try {
    const verdant::Timeout inner(absl::Seconds(2), "a part");
    verdant::Sleep(absl::Seconds(10));
  } catch (const verdant::TimeoutExpired& expired) {
    std::cout << expired.message() << "; the outer one's: " << std::boolalpha << outer.Owns(expired)
              << "\n";
  }
}
