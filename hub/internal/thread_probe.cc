#include "hub/internal/thread_probe.h"

#include <errno.h>
#include <execinfo.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <mutex>

#include "absl/strings/str_cat.h"
#include "greenlet/internal/fiber.h"
#include "greenlet/source_location.h"

namespace verdant::internal {
namespace {

constexpr int kSignal = SIGURG;
constexpr int kAnswerSeconds = 1;

struct Answer {
  std::array<char, 128> name;
  std::uint64_t id;
  SourceLocation site;
  bool is_main;
  std::array<void*, 48> frames;
  int frame_count;
};

struct sigaction previous_action;
constinit std::mutex one_at_a_time;
constinit std::atomic<std::int64_t> asked{0};  // the thread's number; 0: nobody, or it answers
Answer answer;                                 // the asked one's to write until it has answered
sem_t answered;

// In a signal handler, in the midst of anything.
void NoteWhatRuns() {
  answer.name[0] = '\0';
  answer.id = 0;
  answer.site = {};
  answer.is_main = true;
  if (const Fiber* fiber = fiber_thread.current; fiber != nullptr) {
    answer.is_main = fiber == fiber_thread.main;
    answer.id = fiber->id;
    answer.site = fiber->site();
    std::size_t length = 0;
    for (const char* name = fiber->name;
         name != nullptr && name[length] != '\0' && length + 1 < answer.name.size(); ++length) {
      answer.name[length] = name[length];
    }
    answer.name[length] = '\0';
  }
  answer.frame_count = backtrace(answer.frames.data(), static_cast<int>(answer.frames.size()));
}

void OnSignal(int number, siginfo_t* info, void* context) {
  const int saved = errno;
  std::int64_t self = gettid();
  if (asked.compare_exchange_strong(self, 0)) {
    NoteWhatRuns();
    sem_post(&answered);
  } else if ((previous_action.sa_flags & SA_SIGINFO) != 0) {
    if (previous_action.sa_sigaction != nullptr)
      previous_action.sa_sigaction(number, info, context);
  } else if (previous_action.sa_handler != SIG_DFL && previous_action.sa_handler != SIG_IGN) {
    previous_action.sa_handler(number);
  }
  errno = saved;
}

bool AwaitAnswer() {
  timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += kAnswerSeconds;
  int result;
  do {
    result = sem_timedwait(&answered, &until);
  } while (result != 0 && errno == EINTR);
  if (result == 0) return true;
  if (asked.exchange(0) != 0) return false;
  // The handler has just begun after all.
  while (sem_wait(&answered) != 0) {
  }
  return true;
}

}  // namespace

void ThreadProbe::Install() {
  static std::once_flag once;
  std::call_once(once, [] {
    sem_init(&answered, 0, 0);
    // The first call loads what later ones need, which a signal handler must not.
    backtrace(answer.frames.data(), 1);
    struct sigaction action = {};
    action.sa_sigaction = &OnSignal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(kSignal, &action, &previous_action);
  });
}

std::string ThreadProbe::Ask(std::int64_t thread_id) {
  Install();
  const std::lock_guard<std::mutex> lock(one_at_a_time);
  asked.store(thread_id);
  const bool sent = syscall(SYS_tgkill, getpid(), static_cast<pid_t>(thread_id), kSignal) == 0;
  if (!sent) asked.store(0);
  if (!sent || !AwaitAnswer()) return "  no signal reaches it\n";
  const std::string name = answer.name.data();
  std::string text = "  ";
  if (answer.is_main) {
    text += "the main greenlet";
  } else if (answer.id == 0 && name == "hub") {
    text += "the hub";
  } else {
    text += "a greenlet";
    if (answer.id != 0) text = absl::StrCat("  green thread ", answer.id);
    if (!name.empty()) absl::StrAppend(&text, " '", name, "'");
    if (answer.site.line() != 0) {
      absl::StrAppend(&text, " spawned at ", answer.site.file_name(), ":", answer.site.line());
    }
  }
  text += " runs:\n";
  const std::unique_ptr<char*, decltype(&std::free)> symbols(
      backtrace_symbols(answer.frames.data(), answer.frame_count), &std::free);
  for (int i = 0; symbols != nullptr && i < answer.frame_count; ++i) {
    absl::StrAppend(&text, "    ", symbols.get()[i], "\n");
  }
  return text;
}

}  // namespace verdant::internal
