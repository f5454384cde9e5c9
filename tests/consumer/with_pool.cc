#include <cstdio>
#include <vector>

#include "pool/green_pool.h"

int main() {
  verdant::GreenPool pool(2);
  const std::vector<int> numbers = {1, 2, 3};
  for (int square : pool.Imap([](int n) { return n * n; }, numbers)) std::printf("%d\n", square);
}
