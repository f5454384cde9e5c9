#include <any>
#include <cstdio>
#include <optional>

#include "greenlet/context.h"
#include "greenlet/greenlet.h"
#include "greenlet/local.h"
#include "greenlet/typed_greenlet.h"

int main() {
  static const verdant::ContextVar<int> last("last", 0);
  static verdant::GreenLocal<int> next(0);
  const verdant::ContextVar<int>::Scope scope(last, 3);
  verdant::TypedGreenlet<int()> numbers([](auto& caller) {
    while (*next < last.Get()) caller.Switch((*next)++);
  });
  verdant::Greenlet through([&] {
    while (const std::optional<int> number = numbers.Switch()) {
      verdant::Greenlet::Current().parent().Switch(*number);
    }
  });
  for (std::any value = through.Switch(); value.has_value(); value = through.Switch()) {
    std::printf("%d\n", std::any_cast<int>(value));
  }
}
