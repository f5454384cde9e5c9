#ifndef VERDANT_HUB_IO_H_
#define VERDANT_HUB_IO_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "greenlet/source_location.h"
#include "hub/hub.h"
#include "hub/internal/home_thread.h"

namespace verdant {

// What listeners and watchers of descriptors ask for and are told: a mask of these. kIoHangup,
// closed both ways or an error, is told whether asked for or not.
using internal::IoEvents;
using internal::kIoHangup;
using internal::kIoNone;
using internal::kIoRead;
using internal::kIoWrite;

// How a wait for readiness ended.
enum class IoWait {
  kReady,     // try the call now
  kTimedOut,  // the deadline came first
  kClosed,    // the descriptor was closed by another green thread (decision 5)
};

// A non-blocking file descriptor that green threads wait on: registered with the kernel once,
// edge-triggered, for its whole life. Readiness is remembered, so that the pattern below makes no
// call that fails with EAGAIN while data keeps flowing:
//
//   while (descriptor.WaitReadable(deadline) == IoWait::kReady) {
//     n = read(descriptor.fd(), ...);
//     if (n < 0 && errno == EAGAIN) { descriptor.ReadWouldBlock(); continue; }
//     if (n > 0 && n < wanted) descriptor.ReadExhausted();   // TCP and pipes only: short means
//     drained
//     ...
//   }
//
// Does not own the descriptor's number: whoever does calls Unregister() before close(). Belongs to
// one hub's thread, after whose end it is as if closed. One green thread may wait to read and one
// to write; a second in the same direction throws std::logic_error naming both (decision 15). Rows
// A12.3, A12.8.
class IoDescriptor {
 public:
  IoDescriptor() = default;
  // Fails if the kernel cannot watch `fd` (a regular file), which must be non-blocking. Throws
  // std::logic_error for what is no open descriptor, and if a listener has it.
  static absl::StatusOr<IoDescriptor> Register(int fd);
  IoDescriptor(IoDescriptor&& other) noexcept
      : slot_(std::exchange(other.slot_, nullptr)), generation_(other.generation_) {}
  IoDescriptor& operator=(IoDescriptor&& other) noexcept {
    if (this != &other) {
      Unregister();
      slot_ = std::exchange(other.slot_, nullptr);
      generation_ = other.generation_;
    }
    return *this;
  }
  ~IoDescriptor() { Unregister(); }

  // Parks until the descriptor may be ready; comes straight back if it is believed to be.
  IoWait WaitReadable(Deadline deadline = Deadline::Never());
  IoWait WaitWritable(Deadline deadline = Deadline::Never());

  // Whether a wait would come straight back.
  bool MaybeReadable() const { return !registered() || slot_->read_ready; }
  bool MaybeWritable() const { return !registered() || slot_->write_ready; }

  // What the caller has learned from a short call: the kernel has no more to give, or to take,
  // until the next edge; unless it has hung up, when the end or the error is still to be fetched
  // and no edge will say so.
  void ReadExhausted() {
    if (registered()) slot_->read_ready = slot_->read_hangup;
  }
  void WriteExhausted() {
    if (registered()) slot_->write_ready = slot_->write_hangup;
  }
  // The same from EAGAIN, which no hangup contradicts: an error once fetched (ICMP's on UDP) is
  // over.
  void ReadWouldBlock() {
    if (registered()) slot_->read_ready = slot_->read_hangup = false;
  }
  void WriteWouldBlock() {
    if (registered()) slot_->write_ready = slot_->write_hangup = false;
  }

  // For green::Socket: has the kernel put what comes into `intake`, which must outlive the
  // registration or end before it, and whose readiness WaitReadable() then tells of; false where
  // the hub's poller cannot. Until the end of that, which leaves in it what has come, or is false
  // if the kernel does not let go of it.
  bool BeginIntake(internal::Intake& intake);
  bool EndIntake(internal::Intake& intake);

  // Wakes whoever waits with IoWait::kClosed and forgets the descriptor. Idempotent.
  void Unregister();

  // False also when the number was registered again since, then it was closed without Unregister(),
  // and when the hub has ended.
  bool registered() const { return slot_ != nullptr && slot_->generation == generation_; }
  int fd() const { return registered() ? slot_->fd : -1; }

 private:
  explicit IoDescriptor(internal::FdSlot* slot) : slot_(slot), generation_(slot->generation) {
    slot->refs.fetch_add(1, std::memory_order_relaxed);
  }
  // The current hub's table; in a forked child, after registering there.
  internal::FdTable& Table();

  internal::FdSlot* slot_ = nullptr;
  std::uint32_t generation_ = 0;
};

// Readiness of a descriptor that some other library reads and writes (libcurl, c-ares), as a
// callback. Level-triggered; changes of interest are gathered and told to the kernel only before
// the hub sleeps. For the hub's thread; SetInterest() throws std::logic_error on another. One
// listener may read and another write. Rows A12.4, A12.8; IoWatcher of hub/watcher/io.h is the same
// with what watchers have.
class FdListener final : private internal::FdWatcher {
 public:
  // `on_ready` runs on the hub's stack with a mask of IoEvents, and must not block; it may destroy
  // the listener. kIoHangup may come unasked.
  FdListener(int fd, absl::AnyInvocable<void(std::uint32_t)> on_ready,
             SourceLocation site = SourceLocation::current());
  FdListener(const FdListener&) = delete;
  FdListener& operator=(const FdListener&) = delete;
  ~FdListener() override;

  // kIoRead, kIoWrite, both, or kIoNone to pause. Throws std::logic_error naming both if another
  // listener has one of the directions, or if an IoDescriptor has the number.
  void SetInterest(std::uint32_t events);
  // To be called when the number is about to be closed, by whoever closes it; ends the listening,
  // of another listener of the number too. Without it the number's next owner, if the descriptor is
  // a socket, pipe or file, ends it.
  void DescriptorClosing();
  int fd() const { return fd_; }

 private:
  void OnReady(std::uint32_t events) noexcept override;
  std::string Describe() const override;
  bool stale() const override { return !identity_.SameAs(fd_); }
  void OnObsolete() noexcept override { closed_ = true; }

  Hub& hub_;
  const internal::HomeThread home_;
  const int fd_;
  const internal::FileIdentity identity_;
  const SourceLocation site_;
  bool closed_ = false;
  std::shared_ptr<absl::AnyInvocable<void(std::uint32_t)>> on_ready_;
};

}  // namespace verdant

#endif  // VERDANT_HUB_IO_H_
