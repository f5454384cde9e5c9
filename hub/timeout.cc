#include "hub/timeout.h"

#include <atomic>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

namespace verdant {
namespace {

// In blocks for each thread, as one thread's may be seen by another: what RunInHub() throws.
constexpr std::uint64_t kBlock = 1 << 20;
constinit std::atomic<std::uint64_t> next_block{0};
constinit thread_local std::uint64_t next_timeout_id = 0;

std::uint64_t NewTimeoutId() {
  if (next_timeout_id % kBlock == 0) [[unlikely]] {
    next_timeout_id = next_block.fetch_add(kBlock, std::memory_order_relaxed);
  }
  return ++next_timeout_id;
}

// To the nanosecond, without zeroes at the end.
std::string InSeconds(absl::Duration duration) {
  if (duration == absl::InfiniteDuration()) return "infinite";
  absl::Duration rest;
  const std::int64_t whole =
      absl::IDivDuration(absl::AbsDuration(duration), absl::Seconds(1), &rest);
  std::string text = absl::StrCat(duration < absl::ZeroDuration() ? "-" : "", whole);
  if (const std::int64_t nanos = absl::ToInt64Nanoseconds(rest); nanos != 0) {
    absl::StrAppend(&text, ".", absl::Dec(nanos, absl::kZeroPad9));
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text;
}

}  // namespace

std::string TimeoutExpired::message() const {
  return absl::StrCat("timed out after ", InSeconds(after_),
                      after_ == absl::Seconds(1) ? " second" : " seconds",
                      doing_ != nullptr ? ": " : "", doing_ != nullptr ? doing_ : "");
}

bool IsTimeout(const std::exception_ptr& error) {
  if (error == nullptr) return false;
  try {
    std::rethrow_exception(error);
  } catch (const TimeoutExpired&) {
    return true;
  } catch (const std::system_error& e) {
    return e.code() == std::errc::timed_out;
  } catch (...) {
    return false;
  }
}

Timeout::Timeout(absl::Duration after) : Timeout(after, nullptr, nullptr) {}

Timeout::Timeout(absl::Duration after, std::exception_ptr exception)
    : Timeout(after, std::move(exception), nullptr) {}

Timeout::Timeout(absl::Duration after, const char* doing) : Timeout(after, nullptr, doing) {}

Timeout::Timeout(absl::Duration after, std::exception_ptr exception, const char* doing)
    : TimeoutTimer(Hub::Current().CurrentTask(), this, doing),
      after_(after),
      exception_(std::move(exception)),
      id_(NewTimeoutId()) {
  Hub::Ref(task);
  SetUpBy(task->extras.get());
  Start();
}

Timeout::~Timeout() {
  Cancel();
  Hub::Unref(task);
}

void Timeout::Cancel() {
  if (pending() && !counted) task->hub->DiscountTimers(-1);
  TimeoutTimer::Disarm();
  Interrupt::Unlink();
}

void Timeout::Start(absl::Duration after) {
  after_ = after;
  Start();
}

void Timeout::Start() {
  if (pending()) throw std::logic_error("Timeout::Start: it is running already");
  fired = false;
  Interrupt::Unlink();
  const Deadline deadline(after_);
  if (deadline.never()) return;
  task->hub->timers().Arm(*this, deadline.nanos());
  if (!counted) task->hub->DiscountTimers(+1);
}

Timeout& Timeout::Unref() {
  if (counted && pending()) task->hub->DiscountTimers(+1);
  counted = false;
  return *this;
}

void Timeout::Raise() {
  if (exception_ != nullptr) std::rethrow_exception(exception_);
  throw TimeoutExpired(id_, after_, doing);
}

}  // namespace verdant
