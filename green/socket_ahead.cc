// What the kernel takes before anybody asks.
#include <sys/socket.h>

#include <memory>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "green/socket.h"

namespace verdant::green {

using ::verdant::internal::Intake;

bool Socket::AcceptAhead() {
  if (fd_ < 0) return false;
  const absl::StatusOr<int> listens = GetOption(SOL_SOCKET, SO_ACCEPTCONN);
  if (!listens.ok() || *listens == 0) {
    throw std::logic_error(
        absl::StrCat("Socket::AcceptAhead: ", Subject(), " does not listen for connections"));
  }
  return BeginAhead(Intake::Kind::kConnections);
}

bool Socket::ReceiveAhead() {
  if (fd_ < 0) return false;
  if (!stream_) {
    throw std::logic_error(absl::StrCat("Socket::ReceiveAhead: ", Subject(), " is not a stream"));
  }
  return BeginAhead(Intake::Kind::kBytes);
}

bool Socket::BeginAhead(Intake::Kind kind) {
  if (ahead_ != nullptr) {
    return ahead_->running() || (!ahead_->abandoned() && io_.BeginIntake(*ahead_));
  }
  auto intake = std::make_unique<Intake>(kind);
  if (!io_.BeginIntake(*intake)) return false;
  ahead_ = std::move(intake);
  return true;
}

void Socket::StopAhead() {
  if (ahead_ == nullptr || !ahead_->running()) return;
  if (!io_.EndIntake(*ahead_)) {
    throw std::runtime_error(
        absl::StrCat("Socket::StopAhead: the kernel goes on taking what comes for ", Subject()));
  }
  TookAhead();
}

void Socket::TookAhead() noexcept {
  if (ahead_->running()) {
    if (!ahead_->ready()) io_.ReadWouldBlock();
  } else if (!ahead_->holds() && !ahead_->abandoned()) {
    // The end, if it has come, the kernel tells again.
    ahead_ = nullptr;
  }
}

}  // namespace verdant::green
