#ifndef VERDANT_TESTS_POOL_CONNECTION_TESTING_H_
#define VERDANT_TESTS_POOL_CONNECTION_TESTING_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hub/clock.h"

namespace verdant {

// What becomes of connections numbered in the order they were made.
struct ConnectionLog {
  int opened = 0;
  std::vector<int> closed;
};

// Notes in its log when it is closed.
class TestConnection {
 public:
  explicit TestConnection(ConnectionLog& log) : log_(&log), number_(log.opened++) {}
  TestConnection(TestConnection&& other) noexcept
      : log_(std::exchange(other.log_, nullptr)), number_(other.number_) {}
  TestConnection& operator=(TestConnection&& other) noexcept {
    std::swap(log_, other.log_);
    std::swap(number_, other.number_);
    return *this;
  }
  ~TestConnection() {
    if (log_ != nullptr) log_->closed.push_back(number_);
  }
  int number() const { return number_; }

 private:
  ConnectionLog* log_;
  int number_;
};

// Connects to a log, at once.
inline auto ConnectTo(ConnectionLog& log) {
  return [&log](Deadline) { return TestConnection(log); };
}

}  // namespace verdant

#endif  // VERDANT_TESTS_POOL_CONNECTION_TESTING_H_
