#ifndef VERDANT_BENCH_MEASURED_H_
#define VERDANT_BENCH_MEASURED_H_

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include <cstdint>
#include <cstdio>
#include <fstream>

namespace verdant {

inline std::int64_t NanosOf(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1000000000 + now.tv_nsec;
}

// What the calling thread has stood in line for a processor since it began: what other programs
// take from it. 0 where the kernel does not say.
inline std::int64_t QueuedNanos() {
  std::int64_t ran = 0;
  std::int64_t queued = 0;
  std::ifstream("/proc/thread-self/schedstat") >> ran >> queued;
  return queued;
}

// Those that this process may run on, as they were at the first call.
inline const cpu_set_t& Processors() {
  static const cpu_set_t all = [] {
    cpu_set_t set;
    CPU_ZERO(&set);
    pthread_getaffinity_np(pthread_self(), sizeof(set), &set);
    return set;
  }();
  return all;
}

// The calling thread to the index-th of them, as HubGroup::Options::pin does it.
inline void PinTo(int index) {
  const cpu_set_t& all = Processors();
  int left = index % CPU_COUNT(&all);
  int cpu = 0;
  while (!CPU_ISSET(cpu, &all) || left-- != 0) ++cpu;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
}
// Threads inherit what the one that starts them is pinned to.
inline void Unpin() { pthread_setaffinity_np(pthread_self(), sizeof(cpu_set_t), &Processors()); }

// A line "NAME VALUE", as bench/run reads them.
inline void PrintValue(const char* name, double value, int digits = 1) {
  std::printf("%s %.*f\n", name, digits, value);
  std::fflush(stdout);
}

}  // namespace verdant

#endif  // VERDANT_BENCH_MEASURED_H_
