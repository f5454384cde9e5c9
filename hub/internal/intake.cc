#include "hub/internal/intake.h"

#include <errno.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace verdant::internal {

Intake::~Intake() {
  if (completions_ != nullptr) completions_->Forget(*this);
  Detach();
}

void Intake::Attach(Completions& completions, int operation) {
  completions_ = &completions;
  operation_ = operation;
}

void Intake::Drop() {
  for (; connections_taken_ < connections_.size(); ++connections_taken_) {
    close(connections_[connections_taken_]);
  }
  connections_.clear();
  kept_.clear();
  lent_.clear();
  kept_taken_ = lent_taken_ = connections_taken_ = held_ = 0;
  error_ = 0;
  completions_ = nullptr;
  operation_ = -1;
  Unlink();
}

void Intake::Detach() {
  for (; lent_taken_ < lent_.size(); ++lent_taken_) ring_->GiveBack(lent_[lent_taken_].id);
  Drop();
}

// The buffers are the parent's as well.
void Intake::Abandon() {
  Drop();
  abandoned_ = true;
}

void Intake::AddBytes(BufferRing& ring, std::uint16_t id, std::size_t size) {
  ring_ = &ring;
  lent_.push_back({ring.Filled(id, size).data(), static_cast<std::uint32_t>(size), id});
  held_ += size;
}

void Intake::AddConnection(int fd) {
  connections_.push_back(fd);
  ++held_;
}

void Intake::GiveBuffersBack() {
  Unlink();
  for (; lent_taken_ < lent_.size(); ++lent_taken_) {
    const Lent& lent = lent_[lent_taken_];
    kept_.append(lent.data, lent.size);
    ring_->GiveBack(lent.id);
  }
  lent_.clear();
  lent_taken_ = 0;
}

std::size_t Intake::TakeKept(std::span<char> buffer) {
  const std::size_t size = std::min(buffer.size(), kept_.size() - kept_taken_);
  if (size == 0) return 0;
  std::memcpy(buffer.data(), kept_.data() + kept_taken_, size);
  kept_taken_ += size;
  if (kept_taken_ == kept_.size()) {
    // Most sockets never need it again.
    std::string().swap(kept_);
    kept_taken_ = 0;
  }
  return size;
}

std::size_t Intake::TakeLent(std::span<char> buffer) {
  std::size_t taken = 0;
  while (taken < buffer.size() && lent_taken_ < lent_.size()) {
    Lent& lent = lent_[lent_taken_];
    const std::size_t size = std::min<std::size_t>(buffer.size() - taken, lent.size);
    std::memcpy(buffer.data() + taken, lent.data, size);
    taken += size;
    lent.data += size;
    lent.size -= static_cast<std::uint32_t>(size);
    if (lent.size != 0) break;
    ring_->GiveBack(lent.id);
    ++lent_taken_;
  }
  if (lent_taken_ == lent_.size()) {
    lent_.clear();
    lent_taken_ = 0;
    Unlink();
  }
  return taken;
}

void Intake::ResumeIfEmpty() {
  if (stalled_ && held_ == 0 && completions_ != nullptr && WantsMore()) {
    stalled_ = false;
    completions_->Resume(*this);
  }
}

ssize_t Intake::TakeBytes(std::span<char> buffer) {
  if (abandoned_) return -EBUSY;
  if (held_ != 0) {
    std::size_t taken = TakeKept(buffer);
    if (!lent_.empty()) taken += TakeLent(buffer.subspan(taken));
    held_ -= taken;
    ResumeIfEmpty();
    return static_cast<ssize_t>(taken);
  }
  if (error_ != 0) {
    const int error = std::exchange(error_, 0);
    ResumeIfEmpty();
    return -error;
  }
  return ended_ ? 0 : -EAGAIN;
}

int Intake::TakeConnection() {
  if (abandoned_) return -EBUSY;
  if (held_ != 0) {
    const int fd = connections_[connections_taken_++];
    if (--held_ == 0) {
      connections_.clear();
      connections_taken_ = 0;
    }
    ResumeIfEmpty();
    return fd;
  }
  if (error_ == 0) return -EAGAIN;
  const int error = std::exchange(error_, 0);
  ResumeIfEmpty();
  return -error;
}

}  // namespace verdant::internal
