#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "hub/internal/intake.h"
#include "hub/internal/uring.h"
#include "hub/internal/uring_operations.h"

namespace verdant::internal {
namespace {

constexpr std::int64_t kPatienceNanos = 1000000000;

class Trial final : private Completions {
 public:
  explicit Trial(std::unique_ptr<Uring> ring)
      : ring_(std::move(ring)), operations_(*ring_, cancels_) {}
  ~Trial() {
    ring_->Abandon();
    for (const int fd : fds_) close(fd);
  }

  // One after the other, if the kernel has the buffers at all.
  bool Succeeds() { return operations_.Prepare() && Receives() && Accepts(); }

 private:
  static constexpr int kType = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

  bool Receives() {
    std::array<int, 2> pair;
    if (socketpair(AF_UNIX, kType, 0, pair.data()) != 0) return false;
    fds_.insert(fds_.end(), pair.begin(), pair.end());
    Intake intake(Intake::Kind::kBytes);
    Begin(pair[0], intake);
    std::array<char, 2> got;
    return write(pair[1], "x", 1) == 1 && Arrives(intake) && intake.TakeBytes(got) == 1 &&
           got[0] == 'x';
  }

  bool Accepts() {
    const int listener = NewSocket();
    const int client = NewSocket();
    // Named by the kernel.
    sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = {}};
    socklen_t size = sizeof(name);
    auto* const address = reinterpret_cast<sockaddr*>(&name);
    if (bind(listener, address, sizeof(name.sun_family)) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, address, &size) != 0) {
      return false;
    }
    Intake intake(Intake::Kind::kConnections);
    Begin(listener, intake);
    return connect(client, address, size) == 0 && Arrives(intake) && Keep(intake.TakeConnection());
  }

  bool Keep(int fd) {
    if (fd >= 0) fds_.push_back(fd);
    return fd >= 0;
  }
  int NewSocket() {
    const int fd = socket(AF_UNIX, kType, 0);
    Keep(fd);
    return fd;
  }

  bool Begin(int fd, Intake& intake) override {
    operations_.Begin(fd, intake, *this);
    operations_.PrepareToEnter([&] { return ring_->NextRequest(); });
    ring_->Enter(0, 0);
    return true;
  }
  void WatchWritable(int) override {}
  bool End(Intake&) override { return true; }
  void Resume(Intake&) override {}
  void Forget(Intake& intake) override { operations_.Detach(intake); }

  // Something comes, and the operation goes on.
  bool Arrives(Intake& intake) {
    ring_->Enter(1, kPatienceNanos);
    Uring::Completion completion;
    while (ring_->Take(completion)) operations_.Understand(completion);
    return intake.holds() && operations_.InKernel(intake);
  }

  std::unique_ptr<Uring> ring_;
  std::vector<std::uint64_t> cancels_;
  UringOperations operations_;
  std::vector<int> fds_;
};

}  // namespace

bool UringOperations::Work() {
  static const bool work = [] {
    absl::StatusOr<std::unique_ptr<Uring>> ring = Uring::Make(0);
    if (!ring.ok()) return false;
    Trial trial(*std::move(ring));
    return trial.Succeeds();
  }();
  return work;
}

}  // namespace verdant::internal
