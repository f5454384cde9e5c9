#ifndef VERDANT_HUB_INTERNAL_INTAKE_H_
#define VERDANT_HUB_INTERNAL_INTAKE_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "hub/internal/buffer_ring.h"
#include "hub/internal/list.h"

namespace verdant::internal {

class Intake;

// What a poller may offer beyond readiness: operations of the kernel that repeat themselves and
// take what comes for a descriptor before anybody asks. For the poller's thread.
class Completions {
 public:
  // What comes for `fd`, which is watched for edges, goes to `intake` from now on, and each time is
  // reported as kIoRead with the descriptor's key. It is not watched for anything else until
  // WatchWritable(). Ends with the watching, with `intake`, and with the poller. False if the
  // kernel does not know how.
  virtual bool Begin(int fd, Intake& intake) = 0;
  virtual void WatchWritable(int fd) = 0;
  // Nothing more comes, when this returns; what has come stays. The descriptor is watched for edges
  // in both directions again. False if the kernel does not let go of it in a second: nothing has
  // changed then.
  virtual bool End(Intake& intake) = 0;

  // By `intake`: what had come is taken, and more wanted.
  virtual void Resume(Intake& intake) = 0;
  // By `intake`, which ends.
  virtual void Forget(Intake& intake) = 0;

 protected:
  ~Completions() = default;
};

// What the kernel has taken for one descriptor, until somebody asks for it: bytes or connections in
// the order in which they came, then the error or the end that came after them. It takes no more
// while there is too much, which is bounded by that plus one look at the kernel.
class Intake : public ListNode {
 public:
  enum class Kind { kBytes, kConnections };
  static constexpr std::size_t kMostBytes = 64 << 10;
  static constexpr std::size_t kMostConnections = 256;

  explicit Intake(Kind kind) : kind_(kind) {}
  // Closes the connections that nobody has taken.
  ~Intake();

  Kind kind() const { return kind_; }
  // Whether something would be taken.
  bool ready() const { return holds() || ended_; }
  // Something that the kernel does not have any more.
  bool holds() const { return held_ != 0 || error_ != 0; }
  // Whether more may come.
  bool running() const { return operation_ >= 0 && !stopped_; }
  // By a fork, in the child: what comes is the parent's.
  bool abandoned() const { return abandoned_; }

  // Moves bytes out: how many, 0 at the end of the stream, or the negated errno; -EAGAIN if nothing
  // has come, -EBUSY if it is the parent's.
  ssize_t TakeBytes(std::span<char> buffer);
  // A descriptor or the negated errno, as above.
  int TakeConnection();

  // ---- For the poller ----

  void AddBytes(BufferRing& ring, std::uint16_t id, std::size_t size);
  void AddConnection(int fd);
  void AddError(int error) { error_ = error; }
  void AddEnd() { ended_ = true; }
  // Whether the operation is to go on.
  bool WantsMore() const {
    return !ended_ && error_ == 0 && !stopped_ &&
           held_ < (kind_ == Kind::kBytes ? kMostBytes : kMostConnections);
  }
  // Gives the buffers back, and keeps what is in them elsewhere.
  void GiveBuffersBack();
  void Attach(Completions& completions, int operation);
  // The descriptor is another's business from now on; bytes that nobody has taken are gone.
  void Detach();
  // The same in the child of a fork.
  void Abandon();
  int operation() const { return operation_; }
  void Stop() { stopped_ = true; }
  void Restart() { stopped_ = false; }
  // To be resumed once there is room.
  void Stall() { stalled_ = true; }

 private:
  struct Lent {
    const char* data;
    std::uint32_t size;
    std::uint16_t id;
  };

  std::size_t TakeKept(std::span<char> buffer);
  std::size_t TakeLent(std::span<char> buffer);
  void ResumeIfEmpty();
  void Drop();

  const Kind kind_;
  bool ended_ = false;
  bool stopped_ = false;
  bool stalled_ = false;
  bool abandoned_ = false;
  int error_ = 0;
  int operation_ = -1;  // its number there
  Completions* completions_ = nullptr;
  std::size_t held_ = 0;  // bytes or connections
  // What came first is kept, what came last is still in the kernel's buffers. Linked while any is.
  std::string kept_;
  std::size_t kept_taken_ = 0;
  BufferRing* ring_ = nullptr;
  std::vector<Lent> lent_;
  std::size_t lent_taken_ = 0;
  std::vector<int> connections_;
  std::size_t connections_taken_ = 0;
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_INTAKE_H_
