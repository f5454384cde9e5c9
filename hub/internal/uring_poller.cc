#include <errno.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "hub/internal/intake.h"
#include "hub/internal/poller.h"
#include "hub/internal/uring.h"
#include "hub/internal/uring_operations.h"

namespace verdant::internal {
namespace {

constexpr std::size_t kBatch = 256;
constexpr std::size_t kKernelsBatch = 16;
// For answers to what is taken back: of milliseconds, when the first few looks have not seen it.
constexpr int kFewLooks = 8;
constexpr int kLooks = 1000;
// Of requests whose answer says nothing.
constexpr std::uint64_t kNobody = ~std::uint64_t{0};
// In io_uring_sqe::len; Linux 5.13.
constexpr std::uint32_t kRepeatedPoll = 1u << 0;

// Refuses what epoll refuses: io_uring would call it ready, and again and again.
absl::Status CheckPollable(int fd) {
  struct stat what;
  if (fstat(fd, &what) == 0) {
    if (S_ISSOCK(what.st_mode) || S_ISFIFO(what.st_mode)) return absl::OkStatus();
    // Of devices and the like only epoll says whether they can be waited for.
    if (S_ISREG(what.st_mode) || S_ISDIR(what.st_mode)) {
      errno = EPERM;
    } else {
      const int epoll = epoll_create1(EPOLL_CLOEXEC);
      epoll_event event = {};
      const int error = epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
      if (epoll >= 0) close(epoll);
      if (error == 0) return absl::OkStatus();
      errno = error;
    }
  }
  return absl::ErrnoToStatus(errno, absl::StrCat("watching file descriptor ", fd));
}

// Each descriptor has one poll request in the kernel: one that repeats itself at every edge, or for
// levels one that is made again after each answer. A request holds its file open, so that it is
// taken back at once when its descriptor is about to be closed; everything else goes to the kernel
// with the next wait. A descriptor with an intake has an operation instead, and a poll request only
// once somebody has waited to write.
class UringPoller final : public Poller, private Completions {
 public:
  explicit UringPoller(std::unique_ptr<Uring> ring)
      : ring_(std::move(ring)), operations_(*ring_, cancels_) {}

  ~UringPoller() override {
    if (ring_ == nullptr) return;
    for (std::size_t fd = 0; fd < watched_.size(); ++fd) Disarm(static_cast<int>(fd));
    operations_.DetachAll();
    while (!cancels_.empty() && SubmitCancels()) {
    }
    // Connections that have come meanwhile are to be closed.
    LookUntil([this] { return operations_.in_kernel() == 0; });
    ring_->Abandon();  // before the buffers go
  }

  std::string_view name() const override { return "io_uring"; }

  void AbandonAfterFork() override {
    operations_.AbandonAll();
    ring_->Abandon();
    ring_ = nullptr;
    watched_.clear();
  }

  absl::Status Watch(int fd, std::uint32_t events, Trigger trigger, std::uint64_t key,
                     bool) override {
    if (ring_ == nullptr) return absl::FailedPreconditionError("the poller is the parent's");
    CountSystemCall();
    if (absl::Status status = CheckPollable(fd); !status.ok()) {
      Unwatch(fd);
      return status;
    }
    const auto index = static_cast<std::size_t>(fd);
    if (index >= watched_.size()) watched_.resize(std::bit_ceil(index + 1));
    Disarm(fd);
    DetachIntake(fd);
    Watched& watched = watched_[index];
    watched.wanted = true;
    watched.events = events;
    watched.trigger = trigger;
    watched.key = key;
    MarkDirty(fd);
    return absl::OkStatus();
  }

  void Unwatch(int fd) override {
    if (static_cast<std::size_t>(fd) >= watched_.size()) return;
    watched_[static_cast<std::size_t>(fd)].wanted = false;
    Disarm(fd);
    const bool had_intake = DetachIntake(fd);
    if (!cancels_.empty()) SubmitCancels();
    // Connections that came too late are closed now.
    if (had_intake) Collect();
  }

  Completions* completions() override {
    if (ring_ == nullptr || !UringOperations::Work() || !operations_.Prepare()) return nullptr;
    return this;
  }

  bool Begin(int fd, Intake& intake) override {
    Watched& watched = watched_[static_cast<std::size_t>(fd)];
    Disarm(fd);
    watched.events = kIoNone;
    if (watched.intake == &intake) {
      operations_.Restart(intake);
      return true;
    }
    DetachIntake(fd);
    watched.intake = &intake;
    operations_.Begin(fd, intake, *this);
    return true;
  }

  void WatchWritable(int fd) override {
    watched_[static_cast<std::size_t>(fd)].events = kIoWrite;
    MarkDirty(fd);
  }

  bool End(Intake& intake) override {
    const int fd = operations_.FdOf(intake);
    operations_.Stop(intake);
    if (!LookUntil([&] { return !operations_.InKernel(intake); })) {
      operations_.Restart(intake);
      return false;
    }
    Disarm(fd);
    watched_[static_cast<std::size_t>(fd)].events = kIoRead | kIoWrite;
    MarkDirty(fd);
    return true;
  }

  std::span<const Ready> Wait(std::int64_t timeout_nanos) override {
    reported_.clear();
    if (ring_ == nullptr) return {};
    QueueCancels();
    QueuePolls();
    operations_.PrepareToEnter([this] { return NextRequest(); });
    // What came while something was taken back.
    Collect();
    if (!ready_.empty() || !dirty_.empty() || !cancels_.empty() || operations_.pending()) {
      timeout_nanos = 0;
    }
    while (timeout_nanos != 0 || ring_->NeedsEnter()) {
      const std::size_t before = taken_;
      Enter(timeout_nanos != 0 ? 1 : 0, timeout_nanos);
      timeout_nanos = 0;
      Collect();
      // The kernel makes so few completions at a time, even if more are due.
      if (taken_ - before < kKernelsBatch || ready_.size() >= kBatch) break;
    }
    reported_.swap(ready_);
    return reported_;
  }

 private:
  struct Watched {
    std::uint64_t key = 0;
    std::uint32_t serial = 0;  // of the request
    std::uint32_t events = kIoNone;
    Intake* intake = nullptr;
    Trigger trigger = Trigger::kLevel;
    bool wanted = false;
    bool armed = false;  // the kernel has the request
    bool dirty = false;
  };

  bool Enter(unsigned wanted, std::int64_t timeout_nanos) {
    CountSystemCall();
    return ring_->Enter(wanted, timeout_nanos);
  }

  // Cancels what is to be cancelled, as often as it takes; false if the kernel does not answer.
  bool LookUntil(absl::FunctionRef<bool()> done) {
    for (int looks = 0; looks < kLooks; ++looks) {
      operations_.CancelMissed();
      QueueCancels();
      const bool wait = looks >= kFewLooks;
      const bool usable = Enter(wait ? 1 : 0, wait ? 1000000 : -1);
      Collect();
      if (done()) return true;
      if (!usable) return false;
    }
    return false;
  }

  void Resume(Intake& intake) override { operations_.Resume(intake); }

  void Forget(Intake& intake) override {
    watched_[static_cast<std::size_t>(operations_.FdOf(intake))].intake = nullptr;
    operations_.Detach(intake);
    if (!cancels_.empty()) SubmitCancels();
  }

  // True if it had one.
  bool DetachIntake(int fd) {
    Intake* intake = std::exchange(watched_[static_cast<std::size_t>(fd)].intake, nullptr);
    if (intake != nullptr) operations_.Detach(*intake);
    return intake != nullptr;
  }

  static std::uint64_t RequestName(int fd, std::uint32_t serial) {
    return std::uint64_t{serial} << 32 | static_cast<std::uint32_t>(fd);
  }

  void MarkDirty(int fd) {
    Watched& watched = watched_[static_cast<std::size_t>(fd)];
    if (!std::exchange(watched.dirty, true)) dirty_.push_back(fd);
  }

  // Its answers mean nothing from now on.
  void Disarm(int fd) {
    Watched& watched = watched_[static_cast<std::size_t>(fd)];
    if (std::exchange(watched.armed, false)) cancels_.push_back(RequestName(fd, watched.serial));
  }

  io_uring_sqe* NextRequest() {
    if (io_uring_sqe* request = ring_->NextRequest()) return request;
    Enter(0, 0);
    return ring_->NextRequest();
  }

  void QueueCancels() {
    while (!cancels_.empty()) {
      io_uring_sqe* request = NextRequest();
      if (request == nullptr) return;
      // Not IORING_OP_POLL_REMOVE, which fails for a poll that is just about to answer.
      request->opcode = IORING_OP_ASYNC_CANCEL;
      request->fd = -1;
      request->addr = cancels_.back();
      request->user_data = UringOperations::IsName(request->addr)
                               ? UringOperations::NameOfCancel(request->addr)
                               : kNobody;
      if (ring_->can_skip_success()) request->flags = Uring::kSkipSuccess;
      cancels_.pop_back();
    }
  }

  // False if the kernel takes none at the moment: they go with the next wait.
  bool SubmitCancels() {
    const std::size_t before = cancels_.size();
    QueueCancels();
    Enter(0, 0);
    return cancels_.size() < before;
  }

  void QueuePolls() {
    std::size_t done = 0;
    for (; done < dirty_.size(); ++done) {
      const int fd = dirty_[done];
      Watched& watched = watched_[static_cast<std::size_t>(fd)];
      if (watched.wanted && !watched.armed && watched.events != kIoNone) {
        io_uring_sqe* request = NextRequest();
        if (request == nullptr) break;
        std::uint32_t events = 0;
        if ((watched.events & kIoRead) != 0) events |= EPOLLIN | EPOLLRDHUP;
        if ((watched.events & kIoWrite) != 0) events |= EPOLLOUT;
        request->opcode = IORING_OP_POLL_ADD;
        request->fd = fd;
        if (watched.trigger == Trigger::kEdge) {
          events |= EPOLLET;
          request->len = kRepeatedPoll;
        }
        request->poll32_events = events;
        watched.serial = next_serial_++;
        watched.armed = true;
        request->user_data = RequestName(fd, watched.serial);
      }
      watched.dirty = false;
    }
    dirty_.erase(dirty_.begin(), dirty_.begin() + static_cast<std::ptrdiff_t>(done));
  }

  void Collect() {
    Uring::Completion completion;
    while (ring_->Take(completion)) {
      ++taken_;
      Understand(completion);
    }
  }

  void Understand(const Uring::Completion& completion) {
    if (completion.user_data == kNobody) return;
    if (UringOperations::IsName(completion.user_data)) {
      if (const int fd = operations_.Understand(completion); fd >= 0) {
        ready_.push_back({watched_[static_cast<std::size_t>(fd)].key, kIoRead});
      }
      return;
    }
    const std::size_t index = completion.user_data & 0xffffffffu;
    if (index >= watched_.size()) return;
    Watched& watched = watched_[index];
    if (!watched.armed || watched.serial != completion.user_data >> 32) return;
    if ((completion.flags & IORING_CQE_F_MORE) == 0) {
      watched.armed = false;
      if (completion.result == -EBADF) {
        // Closed before the kernel heard of it: its owner finds out by trying.
        watched.wanted = false;
        ready_.push_back({watched.key, kIoRead | kIoWrite | kIoHangup});
        return;
      }
      MarkDirty(static_cast<int>(index));
    }
    if (completion.result <= 0) return;
    const auto got = static_cast<std::uint32_t>(completion.result);
    std::uint32_t events = kIoNone;
    if ((got & EPOLLIN) != 0) events |= kIoRead;
    if ((got & EPOLLOUT) != 0) events |= kIoWrite;
    if ((got & EPOLLRDHUP) != 0) events |= kIoRead | kIoReadHangup;
    if ((got & (EPOLLHUP | EPOLLERR)) != 0) events |= kIoHangup;
    ready_.push_back({watched.key, events});
  }

  std::unique_ptr<Uring> ring_;         // null after a fork
  std::vector<Watched> watched_;        // by descriptor
  std::vector<int> dirty_;              // whose request is to be made
  std::vector<std::uint64_t> cancels_;  // requests to be taken back
  std::uint32_t next_serial_ = 0;
  std::size_t taken_ = 0;
  std::vector<Ready> ready_;  // to be reported
  std::vector<Ready> reported_;
  UringOperations operations_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Poller>> MakeUringPoller(std::size_t left_out) {
  absl::StatusOr<std::unique_ptr<Uring>> ring = Uring::Make(left_out);
  if (!ring.ok()) return ring.status();
  return std::make_unique<UringPoller>(*std::move(ring));
}

std::size_t UringWays() { return Uring::kWays; }

}  // namespace verdant::internal
