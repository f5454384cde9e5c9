#include "hub/timeout.h"

#include <stdexcept>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

namespace verdant {
namespace {

constinit thread_local std::uint64_t next_timeout_id = 1;

}  // namespace

std::string TimeoutExpired::message() const {
  const double seconds = absl::ToDoubleSeconds(after_);
  return absl::StrCat("timed out after ", seconds, seconds == 1 ? " second" : " seconds",
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
    : TimerNode(&Timeout::OnFire),
      task_(Hub::Current().CurrentTask()),
      after_(after),
      exception_(std::move(exception)),
      doing_(doing),
      id_(next_timeout_id++) {
  Hub::Ref(task_);
  SetUpBy(task_->extras.get());
  Start();
}

Timeout::~Timeout() {
  Cancel();
  Hub::Unref(task_);
}

void Timeout::Cancel() {
  TimerNode::Disarm();
  Interrupt::Unlink();
}

void Timeout::Start(absl::Duration after) {
  after_ = after;
  Start();
}

void Timeout::Start() {
  if (pending()) throw std::logic_error("Timeout::Start: it is running already");
  fired_ = false;
  Interrupt::Unlink();
  const Deadline deadline(after_);
  if (!deadline.never()) task_->hub->timers().Arm(*this, deadline.nanos());
}

void Timeout::Raise() {
  if (exception_ != nullptr) std::rethrow_exception(exception_);
  throw TimeoutExpired(id_, after_, doing_);
}

void Timeout::OnFire(TimerNode* node) {
  auto* timeout = static_cast<Timeout*>(node);
  timeout->fired_ = true;
  timeout->task_->hub->Deliver(timeout->task_, timeout);
}

}  // namespace verdant
