#ifndef VERDANT_TESTS_HUB_SHARED_TESTING_H_
#define VERDANT_TESTS_HUB_SHARED_TESTING_H_

#include <exception>
#include <thread>
#include <utility>

#include "gtest/gtest.h"
#include "hub/errors.h"
#include "hub/hub.h"
#include "hub/sleep.h"

namespace verdant {

// Lets others run, here and on other threads, until it is so.
template <typename Condition>
void Until(Condition condition) {
  while (!condition()) {
    if (internal::current_hub != nullptr) Sleep();
    std::this_thread::yield();
  }
}

// A thread that runs body(), with a hub or without, and is joined with the scope.
class TestThread {
 public:
  template <typename Body>
  explicit TestThread(Body body, bool with_hub = false)
      : thread_([body = std::move(body), with_hub]() mutable {
          if (with_hub) Hub::Current();
          try {
            body();
          } catch (...) {
            ADD_FAILURE() << DescribeException(std::current_exception());
          }
        }) {}
  TestThread(TestThread&&) = default;
  ~TestThread() { Join(); }
  void Join() {
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::thread thread_;
};

template <typename Body>
TestThread PlainThread(Body body) {
  return TestThread(std::move(body));
}
template <typename Body>
TestThread HubThread(Body body) {
  return TestThread(std::move(body), /*with_hub=*/true);
}

}  // namespace verdant

#endif  // VERDANT_TESTS_HUB_SHARED_TESTING_H_
