#ifndef VERDANT_HUB_STACK_USAGE_H_
#define VERDANT_HUB_STACK_USAGE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "greenlet/source_location.h"

namespace verdant {

// What Hub::Options::measure_stacks is if a program does not say: 0, or the number in the
// environment's VERDANT_STACK_USAGE, with which the table of StackUsageReport() is also written to
// stderr when the process exits.
std::size_t DefaultStackMeasuring();

// How deep the green threads spawned at one place have used their stacks.
struct StackUse {
  SourceLocation spawned_at;
  std::uint64_t measured = 0;  // green threads
  std::size_t most = 0;        // bytes, of any of them
  std::size_t stack_size = 0;  // bytes, of the one that used the most
  // Enough for that and half as much again, besides the guard page: a multiple of whole pages, not
  // less than kMinStackSize. What has not been measured may need more.
  std::size_t recommended = 0;
};

// What all hubs of the process have measured up to now, each green thread when it ends, the deepest
// first. Any thread.
std::vector<StackUse> StackUsage();
// The same as a table. Any thread.
std::string StackUsageReport();

}  // namespace verdant

#endif  // VERDANT_HUB_STACK_USAGE_H_
