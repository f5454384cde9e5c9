#include "hub/metaphore.h"

#include <stdexcept>

namespace verdant {

void Metaphore::Inc(std::int64_t by) {
  if (by <= 0) throw std::logic_error("Metaphore::Inc: only by more than nothing");
  std::int64_t count;
  if (__builtin_add_overflow(count_, by, &count)) {
    throw std::logic_error("Metaphore::Inc: beyond what it can count");
  }
  none_.Clear();
  count_ = count;
}

void Metaphore::Dec(std::int64_t by) {
  if (by <= 0) throw std::logic_error("Metaphore::Dec: only by more than nothing");
  static_cast<void>(none_.Ready());  // throws on another thread
  if (by > count_) throw std::logic_error("Metaphore::Dec: below zero");
  if (count_ > by) {
    count_ -= by;
    return;
  }
  count_ = 0;
  none_.Set();
}

}  // namespace verdant
