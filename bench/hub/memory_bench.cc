// What green threads that wait cost in memory. Prints lines "NAME VALUE", for bench/run:
//
//   IdleBytes       resident bytes for each of 100,000 that wait for an Event
//   SleeperBytes    the same for each of a million that sleep
//   SleeperVmas     mappings of the process while they do
//
// Guards are on, as they always are.

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "hub/event.h"
#include "hub/green_thread.h"

namespace verdant {
namespace {

std::int64_t ResidentBytes() {
  std::int64_t total = 0;
  std::int64_t resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

std::size_t Mappings() {
  std::ifstream maps("/proc/self/maps");
  std::size_t lines = 0;
  for (std::string line; std::getline(maps, line);) ++lines;
  return lines;
}

// Resident bytes for each of `count` green threads once all of them wait in `wait`.
template <typename Wait>
double BytesOfEach(std::int64_t count, Wait wait) {
  const std::int64_t before = ResidentBytes();
  for (std::int64_t i = 0; i < count; ++i) {
    SpawnN(wait);
    // As they would come in a program: not all queued before the first runs.
    if (i % 1000 == 999) Sleep();
  }
  Sleep();
  return static_cast<double>(ResidentBytes() - before) / static_cast<double>(count);
}

void Run() {
  constexpr std::int64_t kIdle = 100'000;
  constexpr std::int64_t kSleepers = 1'000'000;
  Event<> never;
  std::printf("IdleBytes %.1f\n", BytesOfEach(kIdle, [&never] { never.Wait(); }));
  std::printf("SleeperBytes %.1f\n", BytesOfEach(kSleepers, [] { Sleep(absl::Hours(1)); }));
  std::printf("SleeperVmas %zu\n", Mappings());
}

}  // namespace
}  // namespace verdant

int main() { verdant::Run(); }
