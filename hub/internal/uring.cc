#include "hub/internal/uring.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace verdant::internal {
namespace {

constexpr std::uint32_t kRequests = 256;
constexpr std::uint32_t kCompletions = 4096;

// Newer than some headers that this is compiled with.
constexpr std::uint32_t kSetupSubmitAll = 1u << 7;      // Linux 5.18
constexpr std::uint32_t kSetupCoopTaskrun = 1u << 8;    // 5.19
constexpr std::uint32_t kSetupTaskrunFlag = 1u << 9;    // 5.19
constexpr std::uint32_t kSetupSingleIssuer = 1u << 12;  // 6.0
constexpr std::uint32_t kSetupDeferTaskrun = 1u << 13;  // 6.1
constexpr std::uint32_t kFlagOverflow = 1u << 1;        // 5.8
constexpr std::uint32_t kFlagTaskrun = 1u << 2;         // 5.19
constexpr std::uint32_t kEnterExtArg = 1u << 3;         // 5.11
constexpr std::uint32_t kFeatureExtArg = 1u << 8;       // 5.11
constexpr std::uint32_t kFeatureRsrcTags = 1u << 10;    // 5.13, as are repeated polls
constexpr std::uint32_t kFeatureCqeSkip = 1u << 11;     // 5.17

constexpr unsigned kRegisterBufferRing = 22;  // 5.19

constexpr std::uint32_t kNeeded = IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP |
                                  IORING_FEAT_SUBMIT_STABLE | IORING_FEAT_POLL_32BITS |
                                  kFeatureExtArg | kFeatureRsrcTags;

// The best first: completions are made only when this thread asks for them; at its next system
// call; whenever the kernel likes, by interrupting it.
constexpr std::array<std::uint32_t, Uring::kWays> kSetups = {
    kSetupSubmitAll | kSetupCoopTaskrun | kSetupTaskrunFlag | kSetupSingleIssuer |
        kSetupDeferTaskrun,
    kSetupSubmitAll | kSetupCoopTaskrun | kSetupTaskrunFlag,
    kSetupSubmitAll,
    0,
};

struct Timespec {
  std::int64_t seconds;
  std::int64_t nanos;
};

struct EnterArgument {
  std::uint64_t signal_mask;
  std::uint32_t signal_mask_size;
  std::uint32_t min_wait_micros;
  std::uint64_t timeout;
};

struct BufferRingArgument {
  std::uint64_t address;
  std::uint32_t entries;
  std::uint16_t group;
  std::uint16_t flags;
  std::uint64_t reserved[3];
};

std::uint32_t Load(const std::uint32_t* shared) {
  return __atomic_load_n(shared, __ATOMIC_ACQUIRE);
}
void Store(std::uint32_t* shared, std::uint32_t value) {
  __atomic_store_n(shared, value, __ATOMIC_RELEASE);
}

int SetUp(std::size_t left_out, io_uring_params& params) {
  for (std::size_t i = left_out; i < kSetups.size(); ++i) {
    params = {};
    params.flags = kSetups[i] | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
    params.cq_entries = kCompletions;
    const long fd = syscall(SYS_io_uring_setup, kRequests, &params);
    if (fd >= 0) return static_cast<int>(fd);
    if (errno != EINVAL) break;
  }
  return -1;
}

bool Usable(long result) {
  return result >= 0 || errno == EINTR || errno == EAGAIN || errno == EBUSY || errno == ETIME ||
         errno == ENOMEM;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Uring>> Uring::Make(std::size_t left_out) {
  io_uring_params params;
  std::unique_ptr<Uring> ring(new Uring);
  ring->fd_ = SetUp(left_out, params);
  if (ring->fd_ < 0) return absl::ErrnoToStatus(errno, "io_uring_setup");
  if ((params.features & kNeeded) != kNeeded) {
    return absl::UnimplementedError("the kernel's io_uring is older than Linux 5.13");
  }
  ring->can_skip_success_ = (params.features & kFeatureCqeSkip) != 0;
  if (absl::Status status = ring->Map(params); !status.ok()) return status;
  return ring;
}

absl::Status Uring::Map(const io_uring_params& params) {
  const auto map = [this](std::size_t size, off_t what) -> void* {
    void* at = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd_, what);
    return at == MAP_FAILED ? nullptr : at;
  };
  const auto& sq = params.sq_off;
  const auto& cq = params.cq_off;
  rings_size_ = std::max<std::size_t>(sq.array + params.sq_entries * sizeof(std::uint32_t),
                                      cq.cqes + params.cq_entries * sizeof(io_uring_cqe));
  rings_ = map(rings_size_, IORING_OFF_SQ_RING);
  requests_size_ = params.sq_entries * sizeof(io_uring_sqe);
  requests_ = static_cast<io_uring_sqe*>(map(requests_size_, IORING_OFF_SQES));
  if (rings_ == nullptr || requests_ == nullptr) {
    return absl::ErrnoToStatus(errno, "mapping an io_uring");
  }
  auto* const base = static_cast<unsigned char*>(rings_);
  const auto word = [base](std::uint32_t offset) {
    return reinterpret_cast<std::uint32_t*>(base + offset);
  };
  kernel_request_head_ = word(sq.head);
  kernel_request_tail_ = word(sq.tail);
  kernel_flags_ = word(sq.flags);
  request_mask_ = *word(sq.ring_mask);
  request_tail_ = *kernel_request_tail_;
  for (std::uint32_t i = 0; i < params.sq_entries; ++i) word(sq.array)[i] = i;
  kernel_completion_head_ = word(cq.head);
  kernel_completion_tail_ = word(cq.tail);
  completion_mask_ = *word(cq.ring_mask);
  completions_ = base + cq.cqes;
  return absl::OkStatus();
}

Uring::~Uring() { Abandon(); }

void Uring::Abandon() {
  if (rings_ != nullptr) munmap(rings_, rings_size_);
  if (requests_ != nullptr) munmap(requests_, requests_size_);
  if (fd_ >= 0) close(fd_);
  rings_ = nullptr;
  requests_ = nullptr;
  fd_ = -1;
}

io_uring_sqe* Uring::NextRequest() {
  if (request_tail_ - Load(kernel_request_head_) > request_mask_) return nullptr;
  io_uring_sqe* request = &requests_[request_tail_++ & request_mask_];
  std::memset(request, 0, sizeof(*request));
  return request;
}

bool Uring::NeedsEnter() const {
  return request_tail_ != Load(kernel_request_head_) ||
         (Load(kernel_flags_) & (kFlagTaskrun | kFlagOverflow)) != 0;
}

bool Uring::Enter(unsigned completions, std::int64_t timeout_nanos) {
  Store(kernel_request_tail_, request_tail_);
  const std::uint32_t requests = request_tail_ - Load(kernel_request_head_);
  if (completions == 0 || timeout_nanos < 0) {
    return Usable(syscall(SYS_io_uring_enter, fd_, requests, completions, IORING_ENTER_GETEVENTS,
                          nullptr, 0));
  }
  const Timespec timeout = {timeout_nanos / 1000000000, timeout_nanos % 1000000000};
  EnterArgument argument = {};
  argument.timeout = reinterpret_cast<std::uintptr_t>(&timeout);
  return Usable(syscall(SYS_io_uring_enter, fd_, requests, completions,
                        IORING_ENTER_GETEVENTS | kEnterExtArg, &argument, sizeof(argument)));
}

bool Uring::RegisterBuffers(const void* ring, std::uint32_t count, std::uint16_t group) {
  BufferRingArgument argument = {};
  argument.address = reinterpret_cast<std::uintptr_t>(ring);
  argument.entries = count;
  argument.group = group;
  return syscall(SYS_io_uring_register, fd_, kRegisterBufferRing, &argument, 1) == 0;
}

bool Uring::Take(Completion& completion) {
  const std::uint32_t head = *kernel_completion_head_;
  if (head == Load(kernel_completion_tail_)) return false;
  // Not as an array: newer headers end the struct with a member of no fixed size.
  const unsigned char* at = completions_ + (head & completion_mask_) * sizeof(Completion);
  std::memcpy(&completion, at, sizeof(completion));
  Store(kernel_completion_head_, head + 1);
  return true;
}

}  // namespace verdant::internal
