#ifndef VERDANT_TESTS_HUB_MANUAL_CLOCK_H_
#define VERDANT_TESTS_HUB_MANUAL_CLOCK_H_

#include <exception>
#include <thread>
#include <utility>

#include "gtest/gtest.h"
#include "hub/errors.h"
#include "hub/hub.h"
#include "hub/virtual_clock.h"

namespace verdant {

using ManualClock = VirtualClock;

// Runs body() on a thread of its own, whose hub is made with `options` or by whoever first needs
// one.
template <typename Body>
void OnFreshThread(Body&& body) {
  std::thread([&] {
    try {
      body();
    } catch (...) {
      ADD_FAILURE() << DescribeException(std::current_exception());
    }
  }).join();
}

// Runs body(clock) on a thread of its own whose hub lives by a ManualClock.
template <typename Body>
void WithManualClock(Body&& body, Hub::Options options = {}) {
  ManualClock clock;
  OnFreshThread([&] {
    options.clock = &clock;
    Hub::Configure(options);
    body(clock);
  });
}

}  // namespace verdant

#endif  // VERDANT_TESTS_HUB_MANUAL_CLOCK_H_
