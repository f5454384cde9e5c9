#ifndef VERDANT_HUB_CLOCK_H_
#define VERDANT_HUB_CLOCK_H_

#include <cstdint>

#include "absl/time/time.h"

namespace verdant {

// Where a hub takes its time from. Monotonic nanoseconds from an arbitrary origin that is not later
// than now.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::int64_t NowNanos() = 0;

  // Called by a hub that has nothing to run before `nanos`, when its next timer may be due, and has
  // just found no descriptor ready. A clock that only stands for time moves there and returns true;
  // one that time itself moves returns false, and the hub sleeps.
  virtual bool AdvanceTo(std::int64_t nanos);

  // CLOCK_MONOTONIC, shared by all threads.
  static Clock& Monotonic();
};

// A point on the current hub's clock, on a thread without a hub CLOCK_MONOTONIC's, by which
// something must have happened. What blocks takes one (decision 2 of the reference); what only goes
// on until work that was given to it has ended, such as a Map(), Scope::Join(), RunInHub(), Idle()
// or the scope of a lock, is limited by WithTimeout() instead. An absl::Duration converts to the
// deadline that lies so far ahead, so `socket.Recv(buffer, absl::Seconds(5))` reads as it should,
// and one Deadline handed through several calls is one total budget (decision 12).
class Deadline {
 public:
  // Never.
  constexpr Deadline() = default;
  // `timeout` from now; an infinite one is never, a negative one is now.
  Deadline(absl::Duration timeout);  // NOLINT(google-explicit-constructor)

  static constexpr Deadline Never() { return Deadline(); }
  // At a time of the current hub's clock, in nanoseconds.
  static constexpr Deadline At(std::int64_t nanos) {
    Deadline deadline;
    deadline.nanos_ = nanos;
    return deadline;
  }

  bool never() const { return nanos_ == kNever; }
  bool Passed() const;
  // What is left; zero once passed, infinite for never.
  absl::Duration Remaining() const;
  std::int64_t nanos() const { return nanos_; }

  friend bool operator==(Deadline, Deadline) = default;
  friend auto operator<=>(Deadline, Deadline) = default;

 private:
  static constexpr std::int64_t kNever = INT64_MAX;
  std::int64_t nanos_ = kNever;
};

}  // namespace verdant

#endif  // VERDANT_HUB_CLOCK_H_
