// Two green threads wait up to two seconds for a descriptor that never becomes readable; a third
// one works meanwhile.
#include <sys/eventfd.h>
#include <unistd.h>

#include <iostream>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "apps/examples/simulated_time.h"
#include "hub/green_thread.h"
#include "hub/io.h"

int main() {
  auto& time = verdant::examples::SimulatedTime::Use();

  auto poll = [&time] {
    std::cout << "polling since " << time.Passed() << "\n";
    const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    absl::StatusOr<verdant::IoDescriptor> descriptor = verdant::IoDescriptor::Register(fd);
    eventfd_t count;
    if (descriptor.ok() && eventfd_read(fd, &count) < 0) {  // EAGAIN: not now
      descriptor->ReadWouldBlock();
      const verdant::IoWait end = descriptor->WaitReadable(absl::Seconds(2));
      std::cout << (end == verdant::IoWait::kTimedOut ? "nothing came until " : "ready at ")
                << time.Passed() << "\n";
      descriptor->Unregister();
    }
    close(fd);
  };
  auto work = [&time] {
    std::cout << "working while they poll, from " << time.Passed() << "\n";
    verdant::Sleep(absl::Seconds(1));
    std::cout << "work done at " << time.Passed() << "\n";
  };

  verdant::JoinAll({verdant::Spawn(poll), verdant::Spawn(poll), verdant::Spawn(work)});
}
