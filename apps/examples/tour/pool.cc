#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "pool/green_pile.h"
#include "pool/green_pool.h"

std::size_t Measure(const std::string& word) {
  verdant::Sleep(absl::Milliseconds(word.size()));
  if (word == "?") throw std::invalid_argument("not a word");
  return word.size();
}

int main() {
  verdant::GreenPool pool(2);  // never more than two at a time
  std::vector<std::string> words = {"elephant", "ox", "?", "bee"};

  // Results come in the order of the input; the input is read as room comes free.
  auto lengths = pool.Imap(Measure, words);
  for (;;) {
    try {
      std::optional<std::size_t> length = lengths.Next();
      if (!length) break;
      std::cout << *length << "\n";
    } catch (const std::invalid_argument& error) {  // of this one item
      std::cout << error.what() << "\n";
    }
  }

  // Calls of any kind, results in the order of the calls.
  verdant::GreenPile<std::string> pile(pool);
  pile.Spawn([] { return "one"; });
  pile.Spawn([](int n) { return std::string(n, '!'); }, 3);
  for (const std::string& result : pile) std::cout << result << "\n";
}
