#ifndef VERDANT_HUB_INTERNAL_URING_H_
#define VERDANT_HUB_INTERNAL_URING_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"

struct io_uring_params;
struct io_uring_sqe;

namespace verdant::internal {

// One io_uring: a queue of requests to the kernel and one of its answers, by system calls alone.
// Used by the thread that made it only.
class Uring {
 public:
  struct Completion {
    std::uint64_t user_data;
    std::int32_t result;
    std::uint32_t flags;
  };

  static constexpr std::size_t kWays = 4;
  // With the best of the ways to set one up that this kernel knows, leaving out the first
  // `left_out`, which must be below kWays. Fails where io_uring is missing, forbidden, or older
  // than Linux 5.13, which brought repeated polls.
  static absl::StatusOr<std::unique_ptr<Uring>> Make(std::size_t left_out);
  Uring(const Uring&) = delete;
  Uring& operator=(const Uring&) = delete;
  ~Uring();

  // The next request, zeroed, to be filled in; null while the queue is full, until Enter().
  io_uring_sqe* NextRequest();
  // Whether Enter() without waiting would do anything.
  bool NeedsEnter() const;
  // Hands over the requests, runs what the kernel has put off, and waits for `completions`, at most
  // `timeout_nanos` (negative: without limit). May take less than all of the requests.
  // False if the ring is of no use any more: its descriptor closed behind it, or the call
  // forbidden.
  bool Enter(unsigned completions, std::int64_t timeout_nanos);
  // The oldest answer, taken off; false if there is none.
  bool Take(Completion& completion);
  // Answers to requests with kSkipSuccess are not given unless they failed.
  bool can_skip_success() const { return can_skip_success_; }
  static constexpr std::uint8_t kSkipSuccess = 1u << 6;

  // Of `count` buffers, as struct io_uring_buf_ring tells of them; Linux 5.19.
  bool RegisterBuffers(const void* ring, std::uint32_t count, std::uint16_t group);

  // In the child of a fork: lets go of what is the parent's; nothing may be called any more.
  void Abandon();

 private:
  Uring() = default;
  absl::Status Map(const io_uring_params& params);

  int fd_ = -1;
  bool can_skip_success_ = false;
  void* rings_ = nullptr;
  std::size_t rings_size_ = 0;
  io_uring_sqe* requests_ = nullptr;
  std::size_t requests_size_ = 0;
  std::uint32_t request_mask_ = 0;
  std::uint32_t request_tail_ = 0;
  std::uint32_t* kernel_request_head_ = nullptr;
  std::uint32_t* kernel_request_tail_ = nullptr;
  const std::uint32_t* kernel_flags_ = nullptr;
  const unsigned char* completions_ = nullptr;
  std::uint32_t completion_mask_ = 0;
  std::uint32_t* kernel_completion_head_ = nullptr;
  std::uint32_t* kernel_completion_tail_ = nullptr;
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_URING_H_
