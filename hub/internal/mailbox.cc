#include "hub/internal/mailbox.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"

namespace verdant::internal {

Mailbox::Mailbox() : wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (wake_fd_ < 0) throw std::runtime_error(absl::StrCat("hub: eventfd: ", strerror(errno)));
}

Mailbox::~Mailbox() {
  if (wake_fd_ >= 0) close(wake_fd_);
}

bool Mailbox::Post(Call call) {
  if (call == nullptr) throw std::logic_error("Post of an empty function");
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return false;
    calls_.push_back(std::move(call));
    has_calls_.store(true);
  }
  WakeSleeper();
  return true;
}

void Mailbox::DropKeepalive() {
  if (keepalives_.fetch_sub(1) == 1) WakeSleeper();
}

void Mailbox::WakeSleeper() {
  if (sleeping_.load() && sleeping_.exchange(false)) eventfd_write(wake_fd_, 1);
}

void Mailbox::TakeAll(std::vector<Call>& calls) {
  const std::lock_guard<std::mutex> lock(mutex_);
  has_calls_.store(false);
  calls.swap(calls_);
}

bool Mailbox::BeginSleep() {
  // Either the poster sees this or this sees the post: both sides write first and read afterwards,
  // in one total order.
  sleeping_.store(true);
  return !has_calls_.load();
}

std::vector<Mailbox::Call> Mailbox::Close() {
  const std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
  has_calls_.store(false);
  return std::exchange(calls_, {});
}

void Mailbox::AbandonAfterFork() {
  close(wake_fd_);
  wake_fd_ = -1;
}

}  // namespace verdant::internal
