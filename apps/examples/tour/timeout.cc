#include "hub/timeout.h"

#include <iostream>
#include <optional>
#include <string>

#include "hub/event.h"
#include "hub/green_thread.h"

int main() {
  // Whatever waits takes a deadline; an absl::Duration from now will do.
  verdant::Event<std::string> letter;
  std::optional<std::string> text = letter.Wait(absl::Milliseconds(1));
  std::cout << (text ? *text : "no letter yet") << "\n";

  // Or one clock for everything that happens in a scope, however deep.
  verdant::Timeout patience(absl::Milliseconds(1));
  try {
    letter.Wait();
  } catch (const verdant::TimeoutExpired& expired) {
    if (!patience.Owns(expired)) throw;  // somebody else's, further out
    std::cout << "lost patience: " << expired.message() << "\n";
  }

  // The same around one call, with an answer to fall back on.
  auto judge = [] {
    verdant::Sleep(absl::Hours(1));
    return 5;
  };
  std::cout << verdant::WithTimeout(absl::Milliseconds(1), judge, 0) << " stars\n";
}
