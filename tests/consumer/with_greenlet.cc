#include <any>
#include <cstdio>

#include "greenlet/greenlet.h"

int main() {
  verdant::Greenlet numbers([] {
    for (int i = 0; i < 3; ++i) verdant::Greenlet::Current().parent().Switch(i);
  });
  for (std::any value = numbers.Switch(); value.has_value(); value = numbers.Switch()) {
    std::printf("%d\n", std::any_cast<int>(value));
  }
}
