#ifndef VERDANT_HUB_INTERNAL_SYSTEM_CALL_H_
#define VERDANT_HUB_INTERNAL_SYSTEM_CALL_H_

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace verdant::internal {

// A system call that a thread of this process waits in.
struct SystemCall {
  long number = -1;
  std::array<std::uintptr_t, 6> arguments = {};
  std::uintptr_t sp = 0;
  std::uintptr_t pc = 0;

  bool operator==(const SystemCall&) const = default;
  // Its name, and the descriptor it is about with what that is.
  std::string Describe() const;
};

// What the kernel says of a thread; nothing if it runs, waits for something else, or may not be
// asked.
std::optional<SystemCall> ReadSystemCall(pid_t thread);
// The same of the text of /proc/PID/task/THREAD/syscall.
std::optional<SystemCall> ParseSystemCall(const char* text);

// For how long a thread has been waiting for a processor, all told; 0 if that cannot be asked.
std::uint64_t ReadRunDelayNanos(pid_t thread);

// Copies memory of this process that may be gone or changing: as many bytes as could be had.
std::size_t CopyMemory(std::uintptr_t from, void* to, std::size_t bytes);

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_SYSTEM_CALL_H_
