#ifndef VERDANT_HUB_ERRORS_H_
#define VERDANT_HUB_ERRORS_H_

#include <exception>
#include <stdexcept>
#include <string>

#include "greenlet/exit.h"

namespace verdant {

// Thrown in the main greenlet when everything waits and nothing that a hub knows of (timer, file
// descriptor, other thread) could ever wake anything. what() names every parked green thread, what
// it waits for and where it was spawned; those without a name that were spawned at one place and
// wait in the same operation share a line that says how many they are. After 100 lines it says how
// many green threads are left out. Rows B8.2 and decision 8 of the reference.
class LoopExit : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// An exception that nobody was there to catch: it left a green thread without a handle, a link, a
// timer callback, a posted call; or it is the error of a green thread that nobody waited for.
struct UncaughtError {
  std::string context;  // e.g. "green thread 'worker' spawned at crawl.cc:12"
  std::exception_ptr error;
};

// Whether it is a GreenletExit: what it ended was killed, and has not failed. False for null.
bool IsGreenletExit(const std::exception_ptr& error) noexcept;

// "type: what()" of an exception, for messages.
std::string DescribeException(const std::exception_ptr& error);

}  // namespace verdant

#endif  // VERDANT_HUB_ERRORS_H_
