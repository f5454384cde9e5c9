// A program with two green threads that keep all others waiting: one in a system call, one in a
// loop of its own.

#include <poll.h>

#include <chrono>
#include <cstdio>

#include "hub/green_thread.h"
#include "hub/hub.h"

namespace {

[[gnu::noinline]] int AskSlowDevice() { return poll(nullptr, 0, 400); }

[[gnu::noinline]] double ComputeForLong() {
  double sum = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(400);
  while (std::chrono::steady_clock::now() < end) {
    for (int i = 1; i < 100000; ++i) sum += 1.0 / i;
  }
  return sum;
}

}  // namespace

int main() {
  auto device = verdant::Spawn([] { return AskSlowDevice(); });
  device.SetName("device");
  auto numbers = verdant::Spawn([] { return ComputeForLong(); });
  numbers.SetName("numbers");
  const int polled = device.Wait();
  std::printf("%d %d\n", polled, numbers.Wait() > 0 ? 1 : 0);
  for (const verdant::BlockingSite& site : verdant::Hub::Current().BlockingSites()) {
    std::printf("%llu in %s\n", static_cast<unsigned long long>(site.count), site.function.c_str());
  }
}
