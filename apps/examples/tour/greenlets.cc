#include <any>
#include <iostream>
#include <utility>

#include "greenlet/greenlet.h"

int main() {
  verdant::Greenlet fibonacci([] {
    int a = 0;
    int b = 1;
    for (;;) {
      verdant::Greenlet::Current().parent().Switch(a);
      a = std::exchange(b, a + b);
    }
  });
  for (int i = 0; i < 6; ++i) std::cout << std::any_cast<int>(fibonacci.Switch()) << "\n";
}
