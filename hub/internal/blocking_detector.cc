#include "hub/internal/blocking_detector.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "greenlet/internal/fiber.h"
#include "hub/internal/frame_text.h"
#include "hub/internal/system_call.h"
#include "hub/internal/thread_probe.h"

namespace verdant::internal {
namespace {

constexpr int kAnswerSeconds = 5;
// Looks during the threshold, so that time in which this process did not run at all counts little.
constexpr int kLooks = 4;
constexpr absl::Duration kShortestPeriod = absl::Microseconds(100);
// What stands still for long is looked at more rarely, and one that sleeps not at all.
constexpr absl::Duration kLongestPeriod = absl::Milliseconds(250);
constexpr int kLooksBeforeRest = 40;

absl::Time SteadyNow() {
  return absl::UnixEpoch() + absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace

BlockingDetector::BlockingDetector(absl::Duration threshold, const std::size_t& living,
                                   const std::size_t& switches, Report report)
    : threshold_(threshold),
      period_(std::max(threshold / kLooks, kShortestPeriod)),
      living_(living),
      switches_(switches),
      report_(std::move(report)),
      watched_id_(gettid()),
      watched_fibers_(fiber_thread),
      main_fiber_(fiber_thread.main),
      scene_(OwnStack::OfThisThread()),
      turn_watch_(threshold),
      switch_watch_(threshold) {
  ThreadProbe::Install();
  thread_ = std::thread([this] {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
    pthread_setname_np(pthread_self(), "verdant-monitor");
    Watch();
  });
}

BlockingDetector::~BlockingDetector() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
    wake_.notify_all();
  }
  thread_.join();
}

// ---- The thread. ----

void BlockingDetector::Watch() {
  std::unique_lock<std::mutex> lock(mutex_);
  absl::Time last = SteadyNow();
  while (!stop_) {
    const std::uint64_t beat = beat_.load(std::memory_order_relaxed);
    absl::Duration wait = std::max(period_, std::min(turn_watch_.stood() / 8, kLongestPeriod));
    if (threshold_ == absl::InfiniteDuration() ||
        ((beat & 1) != 0 && turn_watch_.stood() > kLooksBeforeRest * period_)) {
      Rest(lock, beat);
    } else {
      for (const Function& function : functions_)
        wait = std::min(wait, std::max(function.next - last, absl::ZeroDuration()));
      wake_.wait_for(lock, absl::ToChronoNanoseconds(wait));
    }
    if (stop_) break;
    const absl::Time now = SteadyNow();
    if (threshold_ < absl::InfiniteDuration()) {
      lock.unlock();
      Look(std::clamp(now - last, absl::ZeroDuration(), 2 * wait));
      lock.lock();
    }
    last = now;
    CallFunctions(lock);
  }
}

// Sleeps until the hub does so no longer, or a function is due.
void BlockingDetector::Rest(std::unique_lock<std::mutex>& lock, std::uint64_t beat) {
  resting_.store(true);
  absl::Time due = absl::InfiniteFuture();
  for (const Function& function : functions_) due = std::min(due, function.next);
  if (threshold_ == absl::InfiniteDuration() || beat_.load() == beat) {
    if (due == absl::InfiniteFuture()) {
      wake_.wait(lock);
    } else {
      wake_.wait_for(lock, absl::ToChronoNanoseconds(due - SteadyNow()));
    }
  }
  resting_.store(false);
}

void BlockingDetector::Rouse() {
  const std::lock_guard<std::mutex> lock(mutex_);
  resting_.store(false);
  wake_.notify_all();
}

void BlockingDetector::Look(absl::Duration passed) {
  const std::uint64_t beat = beat_.load(std::memory_order_relaxed);
  if ((beat & 1) == 0) {
    // To wait for a processor is nobody's fault.
    const std::uint64_t delay = ReadRunDelayNanos(watched_id_);
    const auto waited = absl::Nanoseconds(static_cast<double>(delay - last_delay_));
    last_delay_ = delay;
    passed = std::max(passed - waited, absl::ZeroDuration());
  }
  // Others may have run in the same turn: then this is the fault of who runs now only as far as it
  // has run since.
  std::size_t switches = 0;
  const bool known = CopyMemory(reinterpret_cast<std::uintptr_t>(&switches_), &switches,
                                sizeof(switches)) == sizeof(switches);
  const bool turn_is_stuck = turn_watch_.IsStuckAt(beat, passed);
  const bool one_is_stuck = switch_watch_.IsStuckAt(beat + 2 * switches, passed) && known;
  if (switch_watch_.stood() == absl::ZeroDuration()) in_stall_ = false;
  if (!turn_is_stuck && !one_is_stuck) {
    if (in_stall_) log_.Extend(switch_watch_.stood());
    return;
  }
  std::string system_call;
  Answered answered = LookFromOutside(beat, system_call);
  if (answered == Answered::kNo) {
    code_.Refresh();
    answered = Interrogate(beat, one_is_stuck ? std::optional(switches) : std::nullopt);
  }
  if (answered == Answered::kItHasGoneOn) return;
  if (answered == Answered::kYes && nobody_minds_) {
    // Somebody may come to.
    turn_watch_.TellAgain();
    switch_watch_.TellAgain();
    return;
  }
  in_stall_ = one_is_stuck;
  Tell(answered, system_call, one_is_stuck ? switch_watch_.stood() : turn_watch_.stood());
}

void BlockingDetector::CallFunctions(std::unique_lock<std::mutex>& lock) {
  const absl::Time now = SteadyNow();
  for (std::size_t i = 0; i < functions_.size() && !stop_; ++i) {
    Function& function = functions_[i];
    if (function.next > now) continue;
    function.next = now + function.period;
    calling_ = function.number;
    const std::shared_ptr<std::function<void()>> call = function.call;
    lock.unlock();
    (*call)();
    lock.lock();
    calling_ = 0;
    wake_.notify_all();
  }
}

std::uint64_t BlockingDetector::AddFunction(absl::Duration period, std::function<void()> call) {
  const std::lock_guard<std::mutex> lock(mutex_);
  functions_.push_back({++last_function_, period, SteadyNow() + period,
                        std::make_shared<std::function<void()>>(std::move(call))});
  wake_.notify_all();
  return last_function_;
}

void BlockingDetector::RemoveFunction(std::uint64_t number) {
  std::unique_lock<std::mutex> lock(mutex_);
  std::erase_if(functions_, [number](const Function& f) { return f.number == number; });
  if (std::this_thread::get_id() == thread_.get_id()) return;
  wake_.wait(lock, [&] { return calling_ != number; });
}

// ---- Asking who it is. ----

bool BlockingDetector::NobodyMinds(std::size_t living) const {
  return (scene_.flags() & Fiber::kIgnoresBlocking) != 0 || living <= (scene_.is_hub() ? 0 : 1);
}

BlockingDetector::Answered BlockingDetector::LookFromOutside(std::uint64_t beat,
                                                             std::string& system_call) {
  const Fiber* current = nullptr;
  std::size_t living = 0;
  alignas(Fiber) std::byte bytes[sizeof(Fiber)];
  const auto copy = [](const void* from, void* to, std::size_t size) {
    return CopyMemory(reinterpret_cast<std::uintptr_t>(from), to, size) == size;
  };
  const std::optional<SystemCall> call = ReadSystemCall(watched_id_);
  if (!copy(&watched_fibers_.current, &current, sizeof(current)) || current == nullptr ||
      !copy(current, bytes, sizeof(bytes)) || !copy(&living_, &living, sizeof(living))) {
    return Answered::kNo;
  }
  const Fiber& fiber = *reinterpret_cast<const Fiber*>(bytes);
  scene_.NoteFiber(fiber, current == main_fiber_);
  nobody_minds_ = NobodyMinds(living);
  // If it runs, what was read may be of several moments; but this much is soon found out again.
  if (!call) return nobody_minds_ ? Answered::kYes : Answered::kNo;
  scene_.NoteStack(fiber, {call->pc, call->sp});
  code_.Refresh();
  if (ReadSystemCall(watched_id_) != call || beat_.load(std::memory_order_relaxed) != beat)
    return Answered::kNo;  // many short ones, perhaps
  system_call = call->Describe();
  return Answered::kYes;
}

BlockingDetector::Answered BlockingDetector::Interrogate(std::uint64_t beat,
                                                         std::optional<std::size_t> switches) {
  bool has_gone_on = false;
  const auto look = [&](const void* context) {
    has_gone_on =
        beat_.load(std::memory_order_relaxed) != beat || (switches && *switches != switches_);
    scene_.NoteInterrupted(context);
    nobody_minds_ = NobodyMinds(living_);
  };
  if (!ThreadProbe::Call(watched_id_, kAnswerSeconds, look)) return Answered::kNo;
  return has_gone_on ? Answered::kItHasGoneOn : Answered::kYes;
}

// ---- Telling. ----

void BlockingDetector::Tell(Answered answered, const std::string& system_call,
                            absl::Duration lasted) {
  std::array<std::uintptr_t, ThreadScene::kMostFrames> space;
  std::size_t count = 0;
  std::string who = "something that no signal reaches";
  std::string function;
  SourceLocation site;
  if (answered == Answered::kYes) {
    count = scene_.Frames(code_, !system_call.empty(), space);
    for (std::size_t i = 0; i < count && function.empty(); ++i) {
      if (!code_.IsProgram(space[i])) continue;
      function = FunctionAt(space[i], i != 0);
      if (IsPlumbing(function)) function.clear();
    }
    if (function.empty() && !system_call.empty()) function = absl::StrCat("(", system_call, ")");
    if (function.empty()) function = FunctionAt(scene_.state().pc, false);
    if (!scene_.is_main()) site = scene_.site();
    who = scene_.is_hub() ? "a hub callback" : scene_.Who();
  }
  const std::uint64_t times = log_.Begin(function, site, lasted);
  if (times == 0) return;
  std::string text = absl::StrCat("verdant: ", who, " has kept its hub from turning for ",
                                  absl::FormatDuration(absl::Trunc(lasted, absl::Milliseconds(1))));
  if (!system_call.empty()) absl::StrAppend(&text, ", in the system call ", system_call);
  if (times > 1) absl::StrAppend(&text, "; ", times, " times now in ", function);
  absl::StrAppend(&text, "\n", DescribeFrames(std::span(space).first(count), true));
  Write(text);
}

void BlockingDetector::Write(const std::string& text) {
  if (report_) {
    report_(text);
    return;
  }
  // Not through stdio, whose lock the culprit may hold.
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t wrote = write(STDERR_FILENO, text.data() + at, text.size() - at);
    if (wrote <= 0) break;
    at += static_cast<std::size_t>(wrote);
  }
}

}  // namespace verdant::internal
