#ifndef VERDANT_TESTS_HUB_SYNC_TESTING_H_
#define VERDANT_TESTS_HUB_SYNC_TESTING_H_

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hub/errors.h"
#include "hub/green_thread.h"
#include "hub/hub.h"

namespace verdant {

// What the error handler of this thread's hub hears while it exists.
class Reports {
 public:
  Reports() {
    Hub::Current().SetErrorHandler([this](const UncaughtError& error) {
      texts.push_back(error.context + ": " + DescribeException(error.error));
    });
  }
  Reports(const Reports&) = delete;
  Reports& operator=(const Reports&) = delete;
  ~Reports() { Hub::Current().SetErrorHandler(nullptr); }
  std::vector<std::string> texts;
};

// Runs body() in a hub callback.
template <typename Body>
void InHubCallback(Body&& body) {
  bool ran = false;
  Hub::Current().ScheduleCall(absl::ZeroDuration(), [&] {
    body();
    ran = true;
  });
  while (!ran) Sleep(absl::Milliseconds(1));
}

// The text of the std::logic_error that body() throws in a hub callback, if it does.
template <typename Body>
std::string RefusalInHubCallback(Body&& body) {
  std::string what = "no error";
  InHubCallback([&] {
    try {
      body();
    } catch (const std::logic_error& e) {
      what = e.what();
    }
  });
  return what;
}

}  // namespace verdant

#endif  // VERDANT_TESTS_HUB_SYNC_TESTING_H_
