#include "hub/internal/uring_operations.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <utility>

namespace verdant::internal {
namespace {

// Newer than some headers that this is compiled with.
constexpr std::uint16_t kAcceptRepeatedly = 1u << 0;   // in io_uring_sqe::ioprio; Linux 5.19
constexpr std::uint16_t kReceiveRepeatedly = 1u << 1;  // likewise; 6.0
constexpr std::uint16_t kBufferGroup = 0;

}  // namespace

UringOperations::~UringOperations() { DetachAll(); }

bool UringOperations::Prepare() {
  if (buffers_ == nullptr) {
    std::unique_ptr<BufferRing> buffers = BufferRing::Make();
    if (buffers != nullptr &&
        ring_.RegisterBuffers(buffers->address(), BufferRing::kBuffers, kBufferGroup)) {
      buffers_ = std::move(buffers);
    }
  }
  return buffers_ != nullptr;
}

void UringOperations::Begin(int fd, Intake& intake, Completions& completions) {
  if (free_.empty()) {
    free_.push_back(operations_.size());
    operations_.emplace_back();
  }
  const std::size_t number = free_.back();
  free_.pop_back();
  Operation& operation = operations_[number];
  operation = {};
  operation.intake = &intake;
  operation.fd = fd;
  operation.kind = intake.kind();
  intake.Attach(completions, static_cast<int>(number));
  Queue(number);
}

void UringOperations::Queue(std::size_t number) {
  Operation& operation = operations_[number];
  if (operation.in_kernel || std::exchange(operation.queued, true)) return;
  to_start_.push_back(number);
}

void UringOperations::Cancel(std::size_t number) {
  operations_[number].cancelled = round_;
  cancels_.push_back(Name(number));
}

void UringOperations::CancelMissed() {
  for (const std::size_t number : missed_) {
    const Operation& operation = operations_[number];
    const bool unwanted = operation.intake == nullptr || !operation.intake->WantsMore();
    if (operation.in_kernel && unwanted) Cancel(number);
  }
  missed_.clear();
}

void UringOperations::Stop(Intake& intake) {
  intake.Stop();
  if (InKernel(intake)) Cancel(static_cast<std::size_t>(intake.operation()));
}

void UringOperations::Restart(Intake& intake) {
  intake.Restart();
  Resume(intake);
}

void UringOperations::Resume(Intake& intake) {
  Queue(static_cast<std::size_t>(intake.operation()));
}

void UringOperations::Detach(Intake& intake) {
  const auto number = static_cast<std::size_t>(intake.operation());
  Operation& operation = operations_[number];
  intake.Detach();
  operation.intake = nullptr;
  if (operation.in_kernel) Cancel(number);
  FreeIfDone(number);
}

void UringOperations::DetachAll() {
  for (Operation& operation : operations_) {
    if (operation.intake != nullptr) Detach(*operation.intake);
  }
}

void UringOperations::AbandonAll() {
  for (Operation& operation : operations_) {
    if (operation.intake != nullptr) operation.intake->Abandon();
    operation.intake = nullptr;
  }
  buffers_ = nullptr;
}

void UringOperations::FreeIfDone(std::size_t number) {
  const Operation& operation = operations_[number];
  if (operation.intake == nullptr && !operation.in_kernel && !operation.queued) {
    free_.push_back(number);
  }
}

void UringOperations::PrepareToEnter(absl::FunctionRef<io_uring_sqe*()> next) {
  // Nobody came for these at once; others need the buffers.
  while (Intake* intake = lent_to_.front()) intake->GiveBuffersBack();
  CancelMissed();
  std::size_t done = 0;
  for (; done < to_start_.size(); ++done) {
    const std::size_t number = to_start_[done];
    if (Operation& operation = operations_[number];
        operation.intake != nullptr && operation.intake->WantsMore()) {
      io_uring_sqe* request = next();
      if (request == nullptr) break;
      request->fd = operation.fd;
      request->user_data = Name(number);
      if (operation.kind == Intake::Kind::kConnections) {
        request->opcode = IORING_OP_ACCEPT;
        request->ioprio = kAcceptRepeatedly;
        request->accept_flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
      } else {
        request->opcode = IORING_OP_RECV;
        request->ioprio = kReceiveRepeatedly;
        request->flags = IOSQE_BUFFER_SELECT;
        request->buf_group = kBufferGroup;
      }
      operation.in_kernel = true;
      ++in_kernel_;
    }
    operations_[number].queued = false;
    FreeIfDone(number);
  }
  ++round_;
  to_start_.erase(to_start_.begin(), to_start_.begin() + static_cast<std::ptrdiff_t>(done));
}

// True if that is something to be taken.
bool UringOperations::Keep(Operation& operation, const Uring::Completion& completion) {
  Intake* intake = operation.intake;
  const bool bytes = operation.kind == Intake::Kind::kBytes;
  if ((completion.flags & IORING_CQE_F_BUFFER) != 0) {
    const auto id = static_cast<std::uint16_t>(completion.flags >> IORING_CQE_BUFFER_SHIFT);
    if (intake != nullptr && completion.result > 0) {
      intake->AddBytes(*buffers_, id, static_cast<std::size_t>(completion.result));
      if (!intake->linked()) lent_to_.PushBack(intake);
      return true;
    }
    buffers_->GiveBack(id);
  }
  if (!bytes && completion.result >= 0) {
    if (intake != nullptr) {
      intake->AddConnection(completion.result);
    } else {
      close(completion.result);
    }
    return intake != nullptr;
  }
  if (intake == nullptr) return false;
  if (completion.result == 0) {
    intake->AddEnd();
    return true;
  }
  // Taken back, or out of buffers, or cut short: it may be begun again.
  if (completion.result == -ECANCELED || completion.result == -EINTR) return false;
  if (bytes && completion.result == -ENOBUFS) return false;
  intake->AddError(-completion.result);
  return true;
}

int UringOperations::Understand(const Uring::Completion& completion) {
  const auto number = static_cast<std::size_t>(completion.user_data & (kMark - 1));
  if ((completion.user_data & kCancels) != 0) {
    if (completion.result == -ENOENT || completion.result == -EALREADY) missed_.push_back(number);
    return -1;
  }
  Operation& operation = operations_[number];
  const bool arrived = Keep(operation, completion);
  Intake* intake = operation.intake;
  if ((completion.flags & IORING_CQE_F_MORE) == 0) {
    operation.in_kernel = false;
    --in_kernel_;
    if (intake != nullptr) {
      if (intake->WantsMore()) {
        Queue(number);
      } else {
        intake->Stall();
      }
    }
    FreeIfDone(number);
  } else if ((intake == nullptr || !intake->WantsMore()) && operation.cancelled != round_) {
    // The kernel does not find one that it is just about to run: then it is cancelled again.
    Cancel(number);
  }
  return arrived ? operation.fd : -1;
}

}  // namespace verdant::internal
