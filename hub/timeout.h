#ifndef VERDANT_HUB_TIMEOUT_H_
#define VERDANT_HUB_TIMEOUT_H_

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "hub/hub.h"
#include "hub/internal/task_timers.h"

namespace verdant {

// What a Timeout throws in the green thread that made it. Not a std::exception, so that code being
// timed out does not stop it with a general handler (row A7.1).
class TimeoutExpired {
 public:
  explicit TimeoutExpired(std::uint64_t id, absl::Duration after, const char* doing = nullptr)
      : id_(id), after_(after), doing_(doing) {}
  // How long the Timeout had been given.
  absl::Duration after() const { return after_; }
  // "timed out after 1 second", "timed out after 2.5 seconds: reading the index" (rows A7.8, B7.3).
  std::string message() const;

 private:
  friend class Timeout;
  std::uint64_t id_;
  absl::Duration after_;
  const char* doing_;
};

// Time ran out, whoever says so: TimeoutExpired of a Timeout or of a deadline, or a
// std::system_error that stands for std::errc::timed_out. What derives from that counts as well.
// Row A7.7.
bool IsTimeout(const std::exception_ptr& error);
// The same of what a call returns: kDeadlineExceeded.
inline bool IsTimeout(const absl::Status& status) { return absl::IsDeadlineExceeded(status); }

// Interrupts whatever the calling green thread waits for once `after` has passed, the end of a
// Greenlet::Switch() included: throws TimeoutExpired, or the exception given, from the blocking
// call. Runs from construction to the end
// of its scope (rows A7.1-A7.5).
//
//   Timeout patience(absl::Seconds(5));
//   try {
//     Work();
//   } catch (const TimeoutExpired& expired) {
//     if (!patience.Owns(expired)) throw;  // an outer one's
//   }
//
// Nests: of two that expire at once the one set first is thrown first, and its unwinding cancels
// the inner. Time spent computing does not fire it; only a green thread that waits can be
// interrupted. The time given counts from the call, however long the caller computed before it (row
// B7.4). Rows B7.1-B7.5 but that gevent's has to be started, and
// has a priority: of what is due together what was set first comes first.
class Timeout : private internal::Interrupt, private internal::TimeoutTimer {
 public:
  // Infinite: never fires. Zero or negative: at the hub's next turn.
  explicit Timeout(absl::Duration after);
  // Throws `exception` instead of TimeoutExpired.
  Timeout(absl::Duration after, std::exception_ptr exception);
  // Throws TimeoutExpired whose message says what was being done; `doing`, a literal, must outlive
  // it.
  Timeout(absl::Duration after, const char* doing);
  Timeout(const Timeout&) = delete;
  Timeout& operator=(const Timeout&) = delete;
  ~Timeout() override;

  // No longer fires, whatever has not been thrown yet included; idempotent.
  void Cancel();
  // Starts it anew, with the same or another delay. Throws std::logic_error while pending() (row
  // A7.4).
  void Start();
  void Start(absl::Duration after);

  // From now on it is no reason to believe that something can still happen: where nothing else is
  // left, whoever waits gets a LoopExit at once, as without it (row B7.1, ref=False).
  Timeout& Unref();

  bool pending() const { return TimeoutTimer::armed(); }
  // It has run out, whether its exception was thrown yet or not.
  bool Fired() const { return fired; }
  // The exception is this object's and not another Timeout's.
  bool Owns(const TimeoutExpired& expired) const { return expired.id_ == id_; }

 private:
  Timeout(absl::Duration after, std::exception_ptr exception, const char* doing);

  [[noreturn]] void Raise() override;

  absl::Duration after_;
  const std::exception_ptr exception_;
  std::uint64_t id_;
};

// Calls f() for at most `after`: its result, or `fallback` when its own timeout ran out. Other
// timeouts and all other exceptions pass through (row A7.6).
template <typename F, typename T>
auto WithTimeout(absl::Duration after, F&& f, T&& fallback) -> std::invoke_result_t<F> {
  Timeout timeout(after);
  try {
    return std::forward<F>(f)();
  } catch (const TimeoutExpired& expired) {
    if (!timeout.Owns(expired)) throw;
  }
  return std::forward<T>(fallback);
}

// The same for what returns nothing: false when the time ran out.
template <typename F>
requires std::is_void_v<std::invoke_result_t<F>>
bool WithTimeout(absl::Duration after, F&& f) {
  Timeout timeout(after);
  try {
    std::forward<F>(f)();
    return true;
  } catch (const TimeoutExpired& expired) {
    if (!timeout.Owns(expired)) throw;
  }
  return false;
}

// The same without a fallback: nothing when the time ran out.
template <typename F>
requires(!std::is_void_v<std::invoke_result_t<F>>) auto WithTimeout(absl::Duration after, F&& f)
    -> std::optional<std::invoke_result_t<F>> {
  Timeout timeout(after);
  try {
    return std::forward<F>(f)();
  } catch (const TimeoutExpired& expired) {
    if (!timeout.Owns(expired)) throw;
  }
  return std::nullopt;
}

}  // namespace verdant

#endif  // VERDANT_HUB_TIMEOUT_H_
