#ifndef VERDANT_TESTS_GREENLET_GREENLET_TESTING_H_
#define VERDANT_TESTS_GREENLET_GREENLET_TESTING_H_

#include <exception>
#include <stdexcept>
#include <thread>
#include <utility>

#include "greenlet/greenlet.h"

namespace verdant {

// Sends values from a greenlet to its parent, and returns what comes back.
template <typename... Values>
Greenlet::Value ToParent(Values&&... values) {
  return Greenlet::Current().parent().Switch(std::forward<Values>(values)...);
}

template <typename E>
std::exception_ptr Thrown(E exception) {
  return std::make_exception_ptr(std::move(exception));
}

// Counts its destruction.
class CountsEnd {
 public:
  explicit CountsEnd(int& count) : count_(&count) {}
  CountsEnd(CountsEnd&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
  ~CountsEnd() {
    if (count_ != nullptr) ++*count_;
  }

 private:
  int* count_;
};

// A greenlet 'loud' that has begun, and throws something else when it is unwound.
inline Greenlet Loud() {
  Greenlet child(
      [] {
        try {
          ToParent();
        } catch (const GreenletExit&) {
          throw std::runtime_error("instead");
        }
      },
      {.name = "loud"});
  child.Switch();
  return child;
}

template <typename F>
void OnFreshThread(F&& f) {
  std::thread(std::forward<F>(f)).join();
}

}  // namespace verdant

#endif  // VERDANT_TESTS_GREENLET_GREENLET_TESTING_H_
