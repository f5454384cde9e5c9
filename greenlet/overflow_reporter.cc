#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <mutex>

#include "greenlet/internal/fiber.h"
#include "greenlet/internal/stack_pool.h"
#include "greenlet/stack.h"

namespace verdant {
namespace {

constexpr std::size_t kAlternateStackSize = 64 * 1024;

struct sigaction previous_action;

// Assembles one line with nothing that could allocate or lock.
class SignalSafeLine {
 public:
  SignalSafeLine& operator<<(const char* text) {
    while (*text != '\0' && length_ < sizeof(buffer_)) buffer_[length_++] = *text++;
    return *this;
  }
  SignalSafeLine& operator<<(std::uint64_t number) {
    char digits[21];
    char* at = digits + sizeof(digits);
    *--at = '\0';
    do {
      *--at = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    return *this << at;
  }
  void Write() {
    ssize_t ignored = write(STDERR_FILENO, buffer_, length_);
    (void)ignored;
  }

 private:
  char buffer_[1024];
  std::size_t length_ = 0;
};

void OnSegv(int signal, siginfo_t* info, void* context) {
  const internal::Stack stack = internal::FindStackByGuard(info->si_addr);
  if (stack) {
    const internal::Fiber* fiber = *stack.owner_slot();
    SignalSafeLine line;
    line << "verdant: stack overflow in green thread";
    if (fiber != nullptr && fiber->id != 0) line << " " << fiber->id;
    if (fiber != nullptr && fiber->name != nullptr) line << " '" << fiber->name << "'";
    if (fiber != nullptr && fiber->site_line != 0) {
      line << ", spawned at " << fiber->site_file << ":" << fiber->site_line;
    }
    line << ": its stack of " << stack.size / 1024 << " KiB is used up\n";
    line.Write();
  }
  if ((previous_action.sa_flags & SA_SIGINFO) != 0 && previous_action.sa_sigaction != nullptr) {
    previous_action.sa_sigaction(signal, info, context);
    return;
  }
  if (previous_action.sa_handler != SIG_DFL && previous_action.sa_handler != SIG_IGN) {
    previous_action.sa_handler(signal);
    return;
  }
  // Returning re-executes the faulting instruction under the default action: a core dump of the
  // real fault.
  ::signal(signal, SIG_DFL);
}

// Owns a thread's alternate signal stack, on which alone a handler can run when the ordinary stack
// is full.
class AlternateStack {
 public:
  AlternateStack() {
    stack_t present;
    if (sigaltstack(nullptr, &present) == 0 && (present.ss_flags & SS_DISABLE) == 0) return;
    void* memory = mmap(nullptr, kAlternateStackSize, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return;
    stack_t ours = {};
    ours.ss_sp = memory;
    ours.ss_size = kAlternateStackSize;
    if (sigaltstack(&ours, nullptr) == 0) {
      memory_ = memory;
    } else {
      munmap(memory, kAlternateStackSize);
    }
  }
  ~AlternateStack() {
    if (memory_ == nullptr) return;
    stack_t none = {};
    none.ss_flags = SS_DISABLE;
    sigaltstack(&none, nullptr);
    munmap(memory_, kAlternateStackSize);
  }

 private:
  void* memory_ = nullptr;
};

}  // namespace

void InstallStackOverflowReporter() {
  thread_local AlternateStack alternate_stack;
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action = {};
    action.sa_sigaction = &OnSegv;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    sigaction(SIGSEGV, &action, &previous_action);
  });
}

}  // namespace verdant
