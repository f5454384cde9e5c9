#include "hub/internal/blocking_detector.h"

#include <errno.h>
#include <execinfo.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "greenlet/internal/fiber.h"

namespace verdant::internal {
namespace {

constexpr int kSignal = SIGURG;
constexpr int kAnswerSeconds = 1;

constinit thread_local BlockingDetector* detector_of_thread = nullptr;
struct sigaction previous_action;

}  // namespace

BlockingDetector::BlockingDetector(absl::Duration threshold, const Fiber& hub_fiber, Report report)
    : threshold_(threshold),
      hub_fiber_(hub_fiber),
      report_(std::move(report)),
      watched_(pthread_self()) {
  sem_init(&answered_, 0, 0);
  // The first call loads what later ones need, which a signal handler must not.
  backtrace(culprit_.frames.data(), 1);
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action = {};
    action.sa_sigaction = &OnSignal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(kSignal, &action, &previous_action);
  });
  detector_of_thread = this;
  thread_ = std::thread([this] {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
    Watch();
  });
}

BlockingDetector::~BlockingDetector() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
    stopping_.notify_all();
  }
  thread_.join();
  detector_of_thread = nullptr;
  sem_destroy(&answered_);
}

void BlockingDetector::Watch() {
  const auto period = std::max(absl::ToChronoMicroseconds(threshold_ / StallWatch::kLooks),
                               std::chrono::microseconds(100));
  StallWatch watch;
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stop_) {
    stopping_.wait_for(lock, period);
    const std::uint64_t beat = beat_.load(std::memory_order_relaxed);
    if (stop_ || !watch.IsStuckAt(beat)) continue;
    lock.unlock();
    if (const std::string text = Interrogate(beat); !text.empty()) {
      if (report_) {
        report_(text);
      } else {
        std::fwrite(text.data(), 1, text.size(), stderr);
      }
    }
    lock.lock();
  }
}

std::string BlockingDetector::Interrogate(std::uint64_t beat) {
  const std::string what = absl::StrCat(" has kept its hub from turning for ",
                                        absl::FormatDuration(threshold_), " or more");
  asked_beat_ = beat;
  asked_.store(true);
  timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += kAnswerSeconds;
  int answer = pthread_kill(watched_, kSignal);
  if (answer == 0) {
    do {
      answer = sem_timedwait(&answered_, &until);
    } while (answer != 0 && errno == EINTR);
  }
  if (answer != 0) {
    // If the handler has just begun after all, its answer is on the way.
    if (!asked_.exchange(false)) sem_wait(&answered_);
    return absl::StrCat("verdant: something that no signal reaches", what, "\n");
  }
  if (culprit_.has_gone_on) return "";
  std::string text = "verdant: ";
  if (culprit_.is_hub) {
    text += "a hub callback";
  } else if (culprit_.is_main) {
    text += "the main greenlet";
  } else {
    absl::StrAppend(&text, "green thread ", culprit_.id);
    if (culprit_.name[0] != '\0') absl::StrAppend(&text, " '", culprit_.name.data(), "'");
    if (culprit_.site.line() != 0) {
      absl::StrAppend(&text, " spawned at ", culprit_.site.file_name(), ":", culprit_.site.line());
    }
  }
  absl::StrAppend(&text, what, "\n");
  const std::unique_ptr<char*, decltype(&std::free)> symbols(
      backtrace_symbols(culprit_.frames.data(), culprit_.frame_count), &std::free);
  for (int i = 0; symbols != nullptr && i < culprit_.frame_count; ++i) {
    absl::StrAppend(&text, "    ", symbols.get()[i], "\n");
  }
  return text;
}

void BlockingDetector::OnSignal(int number, siginfo_t* info, void* context) {
  const int saved = errno;
  BlockingDetector* detector = detector_of_thread;
  if (detector != nullptr && detector->asked_.exchange(false)) {
    detector->Answer();
  } else if ((previous_action.sa_flags & SA_SIGINFO) != 0) {
    if (previous_action.sa_sigaction != nullptr) {
      previous_action.sa_sigaction(number, info, context);
    }
  } else if (previous_action.sa_handler != SIG_DFL && previous_action.sa_handler != SIG_IGN) {
    previous_action.sa_handler(number);
  }
  errno = saved;
}

// On the watched thread, in a signal handler, in the midst of anything.
void BlockingDetector::Answer() {
  culprit_.has_gone_on = beat_.load(std::memory_order_relaxed) != asked_beat_;
  const Fiber* fiber = fiber_thread.current;
  culprit_.is_hub = fiber == &hub_fiber_;
  culprit_.is_main = fiber == fiber_thread.main;
  culprit_.id = fiber->id;
  culprit_.site = fiber->site();
  std::size_t length = 0;
  for (const char* name = fiber->name;
       name != nullptr && name[length] != '\0' && length + 1 < culprit_.name.size(); ++length) {
    culprit_.name[length] = name[length];
  }
  culprit_.name[length] = '\0';
  culprit_.frame_count =
      backtrace(culprit_.frames.data(), static_cast<int>(culprit_.frames.size()));
  sem_post(&answered_);
}

}  // namespace verdant::internal
