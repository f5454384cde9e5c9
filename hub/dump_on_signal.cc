#include "hub/dump_on_signal.h"

#include <errno.h>
#include <semaphore.h>
#include <string.h>

#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hub/internal/dump_collector.h"
#include "hub/internal/thread_probe.h"
#include "hub/internal/thread_scene.h"

namespace verdant {
namespace {

// What the handler knows. The semaphore stays for ever: a handler may still run on some thread.
sem_t asked;

// What a fork must find whole.
constinit std::mutex mutex;
const DumpOnSignal* current = nullptr;  // guarded by mutex
int current_signal = 0;                 // guarded by mutex
struct sigaction previous;              // guarded by mutex

void OnSignal(int) {
  const int saved = errno;
  sem_post(&asked);
  errno = saved;
}

void RestoreInForkedChild() {
  if (std::exchange(current, nullptr) != nullptr) sigaction(current_signal, &previous, nullptr);
  mutex.unlock();
}

void WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // there is nobody to tell
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

DumpOnSignal::DumpOnSignal(int signal_number, const DumpOnSignalOptions& options)
    : signal_number_(signal_number), options_(options) {
  static std::once_flag once;
  std::call_once(once, [] {
    sem_init(&asked, 0, 0);
    pthread_atfork([] { mutex.lock(); }, [] { mutex.unlock(); }, &RestoreInForkedChild);
  });
  const std::lock_guard<std::mutex> lock(mutex);
  if (current != nullptr) throw std::logic_error("DumpOnSignal: there is one already");
  while (sem_trywait(&asked) == 0) {
  }
  internal::ThreadProbe::Install();
  struct sigaction action = {};
  action.sa_handler = &OnSignal;
  // On the alternate stack if there is one: the interrupted green thread's may be nearly full.
  action.sa_flags = SA_RESTART | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  if (sigaction(signal_number, &action, &previous) != 0) {
    throw std::logic_error(
        absl::StrCat("DumpOnSignal: signal ", signal_number, ": ", strerror(errno)));
  }
  // The thread starts with all signals blocked, as they are the program's.
  sigset_t all;
  sigset_t mask;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &mask);
  const int error = pthread_create(&thread_, nullptr, &Main, this);
  pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  if (error != 0) {
    sigaction(signal_number, &previous, nullptr);
    throw std::runtime_error(absl::StrCat("DumpOnSignal: a thread: ", strerror(error)));
  }
  current = this;
  current_signal = signal_number;
}

DumpOnSignal::~DumpOnSignal() {
  {
    const std::lock_guard<std::mutex> lock(mutex);
    if (current != this) return;  // made before a fork, in the parent
  }
  stop_.store(true);
  sem_post(&asked);
  pthread_join(thread_, nullptr);
  const std::lock_guard<std::mutex> lock(mutex);
  sigaction(signal_number_, &previous, nullptr);
  current = nullptr;
}

void* DumpOnSignal::Main(void* self) {
  const auto& dump = *static_cast<const DumpOnSignal*>(self);
  pthread_setname_np(pthread_self(), "verdant-dump");
  for (;;) {
    while (sem_wait(&asked) != 0) {
    }
    if (dump.stop_.load()) return nullptr;
    // Those that came together.
    while (sem_trywait(&asked) == 0) {
    }
    if (dump.stop_.load()) return nullptr;
    WriteAll(dump.options_.fd,
             internal::CollectDumps(dump.options_.dump, &internal::DescribeThread));
  }
}

}  // namespace verdant
