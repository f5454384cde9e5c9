#ifndef VERDANT_HUB_INTERNAL_DUMP_COLLECTOR_H_
#define VERDANT_HUB_INTERNAL_DUMP_COLLECTOR_H_

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "hub/dump.h"

namespace verdant::internal {

// DumpAllHubs(), with `explain` telling, for the kernel's number of a thread whose hub is stuck,
// what keeps it from turning: lines of text, or nothing.
std::string CollectDumps(const DumpOptions& options,
                         absl::FunctionRef<std::string(std::int64_t)> explain);

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_DUMP_COLLECTOR_H_
