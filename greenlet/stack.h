#ifndef VERDANT_GREENLET_STACK_H_
#define VERDANT_GREENLET_STACK_H_

#include <cstddef>
#include <new>
#include <string>

namespace verdant {

// The size of a stack when nothing else is asked for, in bytes: virtual memory, of which only
// touched pages cost anything. Sanitizers put red zones around every local, hence the larger size
// under them.
inline constexpr std::size_t kMinStackSize = 16 * 1024;
std::size_t DefaultStackSize();

// Sets what DefaultStackSize() returns, for stacks allocated from now on by any thread; rounded up
// to whole pages. Throws std::logic_error below kMinStackSize.
void SetDefaultStackSize(std::size_t bytes);

// Thrown when no stack can be had: the address space or the kernel's map limit is exhausted, or a
// guard page cannot be installed. what() names the limit and the setting that raises it. A stack
// without its guard is never handed out.
class StackExhausted : public std::bad_alloc {
 public:
  explicit StackExhausted(std::string message) : message_(std::move(message)) {}
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string message_;
};

// How stacks are guarded against overflow on this machine.
enum class GuardKind {
  kGuardRegion,  // MADV_GUARD_INSTALL (Linux 6.13): costs no map entry, so a million guarded stacks
                 // fit
  kMprotect,     // one protected page a stack: at most about half of vm.max_map_count stacks, then
                 // StackExhausted
};
GuardKind StackGuardKind();

// What the calling thread's stacks amount to now.
struct StackStats {
  std::size_t in_use = 0;    // stacks that a greenlet lives on
  std::size_t free = 0;      // stacks kept for reuse
  std::size_t slabs = 0;     // mappings that hold them
  std::size_t reserved = 0;  // bytes of address space in those mappings
};
StackStats GetStackStats();

// Makes SIGSEGV on a guard page print one line that names the greenlet or green thread, where it
// was spawned and the size of its stack, before the fault takes its former course. Installs a
// process-wide handler once, keeps and calls the one that was there, and gives the calling thread
// an alternate signal stack. Called by every hub; safe to call repeatedly.
void InstallStackOverflowReporter();

}  // namespace verdant

#endif  // VERDANT_GREENLET_STACK_H_
