#include "hub/internal/thread_probe.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <mutex>

namespace verdant::internal {
namespace {

constexpr int kSignal = SIGURG;
constexpr unsigned kAtOnce = 16;

// A question. It stays for ever: a handler may look at it at any time.
struct Question {
  std::atomic<bool> taken{false};
  std::atomic<pid_t> asked{0};  // 0: nobody, or the thread answers
  const ThreadProbe::Look* look = nullptr;
  sem_t answered{};
};

constinit std::array<Question, kAtOnce> questions;
sem_t free_questions;
struct sigaction previous_action;

// Whether there was one.
bool AnswerQuestions(const void* context) {
  const pid_t self = gettid();
  bool was_asked = false;
  for (Question& question : questions) {
    pid_t asked = self;
    if (!question.asked.compare_exchange_strong(asked, 0)) continue;
    (*question.look)(context);
    sem_post(&question.answered);
    was_asked = true;
  }
  return was_asked;
}

void OnSignal(int number, siginfo_t* info, void* context) {
  const int saved = errno;
  const bool was_asked = AnswerQuestions(context);
  errno = saved;
  if (was_asked) return;
  if ((previous_action.sa_flags & SA_SIGINFO) != 0) {
    if (previous_action.sa_sigaction != nullptr)
      previous_action.sa_sigaction(number, info, context);
  } else if (previous_action.sa_handler != SIG_DFL && previous_action.sa_handler != SIG_IGN) {
    previous_action.sa_handler(number);
  }
}

// Also in the child of a fork, where those that asked are no more.
void InitQuestions() {
  sem_init(&free_questions, 0, kAtOnce);
  for (Question& question : questions) {
    question.taken = false;
    question.asked = 0;
    sem_init(&question.answered, 0, 0);
  }
}

void Wait(sem_t& semaphore) {
  while (sem_wait(&semaphore) != 0) {
  }
}

bool WaitFor(sem_t& semaphore, int seconds) {
  timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += seconds;
  int result;
  do {
    result = sem_timedwait(&semaphore, &until);
  } while (result != 0 && errno == EINTR);
  return result == 0;
}

Question& TakeQuestion() {
  Wait(free_questions);
  for (;;) {
    for (Question& question : questions) {
      if (!question.taken.exchange(true)) return question;
    }
  }
}

bool Ask(Question& question, pid_t thread, int seconds) {
  question.asked = thread;
  const bool sent = syscall(SYS_tgkill, getpid(), thread, kSignal) == 0;
  if (sent && WaitFor(question.answered, seconds)) return true;
  if (question.asked.exchange(0) != 0) return false;
  // The handler has just begun after all: its answer is on the way.
  Wait(question.answered);
  return true;
}

}  // namespace

void ThreadProbe::Install() {
  static std::once_flag once;
  std::call_once(once, [] {
    InitQuestions();
    pthread_atfork(nullptr, nullptr, &InitQuestions);
    // First, so that the handler knows it when it is in place.
    sigaction(kSignal, nullptr, &previous_action);
    struct sigaction action = {};
    action.sa_sigaction = &OnSignal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(kSignal, &action, nullptr);
  });
}

bool ThreadProbe::Call(pid_t thread, int seconds, Look look) {
  Install();
  Question& question = TakeQuestion();
  question.look = &look;
  const bool answered = Ask(question, thread, seconds);
  question.taken = false;
  sem_post(&free_questions);
  return answered;
}

}  // namespace verdant::internal
