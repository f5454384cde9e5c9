#ifndef VERDANT_HUB_INTERNAL_URING_OPERATIONS_H_
#define VERDANT_HUB_INTERNAL_URING_OPERATIONS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "hub/internal/buffer_ring.h"
#include "hub/internal/intake.h"
#include "hub/internal/list.h"
#include "hub/internal/uring.h"

namespace verdant::internal {

// The requests of an io_uring that repeat themselves: to accept, and to receive into a ring of
// buffers. Each has a number, which is its own until the kernel has given its last answer, so that
// what one that was taken back has still brought is not lost: connections are closed, buffers given
// back.
class UringOperations {
 public:
  // Requests to be cancelled are put into `cancels`, by name.
  UringOperations(Uring& ring, std::vector<std::uint64_t>& cancels)
      : ring_(ring), cancels_(cancels) {}
  ~UringOperations();

  // Whether this kernel knows all of it, found out by doing it on a ring of its own; once in a
  // process.
  static bool Work();
  // Registers the buffers; false if that fails.
  bool Prepare();

  // Tells answers to these from those to other requests, and answers to their cancelling from both.
  static bool IsName(std::uint64_t user_data) { return (user_data & kMark) != 0; }
  static std::uint64_t NameOfCancel(std::uint64_t name) { return name | kCancels; }

  void Begin(int fd, Intake& intake, Completions& completions);
  // Has it cancelled, if the kernel has it; to be repeated for as long as it has.
  void Stop(Intake& intake);
  // Undoes that.
  void Restart(Intake& intake);
  bool InKernel(const Intake& intake) const { return OperationOf(intake).in_kernel; }
  void Resume(Intake& intake);
  // Its answers mean nothing from now on.
  void Detach(Intake& intake);
  void DetachAll();
  // In the child of a fork.
  void AbandonAll();
  int FdOf(const Intake& intake) const { return OperationOf(intake).fd; }

  // Whether there is anything that PrepareToEnter() would do.
  bool pending() const { return !to_start_.empty() || !missed_.empty(); }
  // Cancels again what the kernel did not find, as it was just about to run it.
  void CancelMissed();
  // How many the kernel has.
  std::size_t in_kernel() const { return in_kernel_; }
  // Gives all buffers back, and makes what requests are due, as long as `next` is not null.
  void PrepareToEnter(absl::FunctionRef<io_uring_sqe*()> next);
  // Of which descriptor it is an arrival, or -1.
  int Understand(const Uring::Completion& completion);

 private:
  // The second half of a name is its number and this, which no descriptor has.
  static constexpr std::uint64_t kMark = std::uint64_t{1} << 31;
  static constexpr std::uint64_t kCancels = std::uint64_t{1} << 32;

  struct Operation {
    Intake* intake = nullptr;  // null: only what it still brings counts
    int fd = -1;
    Intake::Kind kind = Intake::Kind::kBytes;
    std::uint32_t cancelled = 0;  // in that round the last time
    bool in_kernel = false;
    bool queued = false;  // in to_start_
  };

  static std::uint64_t Name(std::size_t number) { return kMark | number; }
  const Operation& OperationOf(const Intake& intake) const {
    return operations_[static_cast<std::size_t>(intake.operation())];
  }
  void Queue(std::size_t number);
  void Cancel(std::size_t number);
  void FreeIfDone(std::size_t number);
  bool Keep(Operation& operation, const Uring::Completion& completion);

  Uring& ring_;
  std::vector<std::uint64_t>& cancels_;
  std::unique_ptr<BufferRing> buffers_;
  std::vector<Operation> operations_;
  std::vector<std::size_t> free_;
  std::vector<std::size_t> to_start_;
  std::vector<std::size_t> missed_;
  std::size_t in_kernel_ = 0;
  std::uint32_t round_ = 1;
  List<Intake> lent_to_;
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_URING_OPERATIONS_H_
