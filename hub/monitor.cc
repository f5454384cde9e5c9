#include "hub/monitor.h"

#include <unistd.h>

#include <cstdio>
#include <stdexcept>
#include <utility>

#include "hub/internal/blocking_detector.h"

namespace verdant {
namespace {

std::size_t ResidentBytes() {
  std::size_t total = 0;
  std::size_t resident = 0;
  if (FILE* file = std::fopen("/proc/self/statm", "re")) {
    if (std::fscanf(file, "%zu %zu", &total, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

std::function<void()> MemoryLook(MemoryMonitor::Options options) {
  if (!options.on_event) throw std::logic_error("MemoryMonitor: an empty function");
  if (!options.used) options.used = &ResidentBytes;
  return [options = std::move(options), told = std::size_t{0}]() mutable {
    const std::size_t used = options.used();
    if (used > options.limit) {
      if (used <= told) return;
      told = used;
    } else {
      if (std::exchange(told, 0) == 0) return;
    }
    options.on_event({used, options.limit, used > options.limit});
  };
}

}  // namespace

MonitoringFunction::MonitoringFunction(absl::Duration period, std::function<void()> call)
    : hub_(&Hub::Current()) {
  if (period <= absl::ZeroDuration())
    throw std::logic_error("MonitoringFunction: the period must be above zero");
  if (!call) throw std::logic_error("MonitoringFunction: an empty function");
  number_ = hub_->monitor().AddFunction(period, std::move(call));
}

MonitoringFunction::~MonitoringFunction() {
  if (internal::current_hub == hub_) hub_->monitor().RemoveFunction(number_);
}

MemoryMonitor::MemoryMonitor(Options options) : function_(options.period, MemoryLook(options)) {}

}  // namespace verdant
