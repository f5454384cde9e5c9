#ifndef VERDANT_TESTS_HUB_GREEN_THREAD_TESTING_H_
#define VERDANT_TESTS_HUB_GREEN_THREAD_TESTING_H_

#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "hub/errors.h"
#include "hub/hub.h"

namespace verdant {

struct OnExit {
  bool& flag;
  ~OnExit() { flag = true; }
};

// What the error handler of this thread's hub hears while it exists.
class Reports {
 public:
  Reports() {
    Hub::Current().SetErrorHandler([this](const UncaughtError& error) {
      contexts.push_back(error.context);
      errors.push_back(DescribeException(error.error));
    });
  }
  ~Reports() { Hub::Current().SetErrorHandler(nullptr); }
  std::vector<std::string> contexts;
  std::vector<std::string> errors;
};

inline std::exception_ptr Boom() { return std::make_exception_ptr(std::runtime_error("boom")); }

// The text of the std::logic_error that call() throws; empty if it throws none.
template <typename Call>
std::string LogicError(Call&& call) {
  try {
    call();
  } catch (const std::logic_error& e) {
    return e.what();
  }
  return "";
}

}  // namespace verdant

#endif  // VERDANT_TESTS_HUB_GREEN_THREAD_TESTING_H_
