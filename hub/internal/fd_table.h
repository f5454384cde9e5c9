#ifndef VERDANT_HUB_INTERNAL_FD_TABLE_H_
#define VERDANT_HUB_INTERNAL_FD_TABLE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "hub/internal/poller.h"

namespace verdant {
class Hub;
namespace internal {

class Intake;
struct Task;

// Told of readiness, level-triggered, instead of a task; see FdListener.
class FdWatcher {
 public:
  // One that does not count is no reason for the hub to believe that something can still happen.
  explicit FdWatcher(bool counts = true) : counts_(counts) {}
  virtual ~FdWatcher() = default;
  bool counts() const { return counts_; }
  // On the hub's stack.
  virtual void OnReady(std::uint32_t events) noexcept = 0;
  // For dumps: what it is, and where it was set up.
  virtual std::string Describe() const { return "a watcher"; }
  // Whether the number has become another file's behind its back.
  virtual bool stale() const { return false; }
  // It watches no more, for that reason or because another of the descriptor says it is closed.
  virtual void OnObsolete() noexcept {}

 private:
  const bool counts_;
};

// Which file a descriptor's number stood for; all of some kinds, such as eventfd(), are the same.
class FileIdentity {
 public:
  explicit FileIdentity(int fd) noexcept;
  // Whether `fd` still stands for it, as far as can be told.
  bool SameAs(int fd) const noexcept;

 private:
  std::uint64_t device_ = 0;
  std::uint64_t number_ = 0;
};

class FdTable;

// What a hub knows of one file descriptor. Readiness is remembered: an edge sets it, an exhausted
// read or write clears it, and a call that would fail with EAGAIN is not made.
struct FdSlot {
  FdTable* table = nullptr;  // null when that is gone
  // Registrations that point here; with the last of them goes what the table has left.
  std::atomic<std::uint32_t> refs{0};
  int fd = -1;
  std::uint32_t generation = 0;  // of the registration that holds it
  bool watched = false;          // the kernel knows of it
  bool read_ready = false;
  bool write_ready = false;
  // Nothing more will come (go), so that no further edge may announce what is left: short calls
  // leave these set.
  bool read_hangup = false;
  bool write_hangup = false;
  bool has_intake = false;
  std::vector<Task*> readers;  // one each, unless several are allowed
  std::vector<Task*> writers;
  FdWatcher* read_watcher = nullptr;
  FdWatcher* write_watcher = nullptr;  // the same, or another
  std::uint32_t applied = kIoNone;     // what the kernel was last told for them
  bool stale = false;                  // let go of since the kernel was last told
  bool dirty = false;                  // wanted() != applied, to be told before the hub sleeps

  bool watched_by(const FdWatcher* watcher) const {
    return read_watcher == watcher || write_watcher == watcher;
  }
  bool has_watcher() const { return read_watcher != nullptr || write_watcher != nullptr; }
  std::uint32_t wanted() const {
    return (read_watcher != nullptr ? kIoRead : kIoNone) |
           (write_watcher != nullptr ? kIoWrite : kIoNone);
  }
};

class FdTable final : private EdgeMemory {
 public:
  explicit FdTable(Hub& hub);
  FdTable(const FdTable&) = delete;
  FdTable& operator=(const FdTable&) = delete;
  ~FdTable();

  // Begins to watch a non-blocking descriptor for tasks, edge-triggered, both directions, once for
  // its whole life. An earlier registration of the number is over: whoever waits for it wakes with
  // WakeReason::kClosed (row A12.4).
  absl::StatusOr<FdSlot*> Register(int fd);
  // Ends that, wakes whoever waits with WakeReason::kClosed, and makes stale what the kernel still
  // reports. Before close().
  void Unregister(FdSlot* slot);
  // In the child of a fork: the kernel's queue is the parent's, and nothing may be changed through
  // it.
  void AbandonAfterFork();
  bool abandoned() const { return abandoned_; }

  // Parks the current task until the slot may be ready; see IoDescriptor. `generation` says whose
  // registration is meant.
  enum class Outcome { kReady, kTimedOut, kClosed };
  Outcome WaitReadable(FdSlot* slot, std::uint32_t generation, std::int64_t deadline_nanos);
  Outcome WaitWritable(FdSlot* slot, std::uint32_t generation, std::int64_t deadline_nanos);

  // Has the kernel put what comes into `intake`, by a registered slot, and takes it that nothing
  // has yet: see hub/internal/intake.h. False where the poller cannot.
  bool BeginIntake(FdSlot* slot, Intake& intake);
  // False if the kernel does not let go of it.
  bool EndIntake(FdSlot* slot, Intake& intake);

  // Watches for a callback. Changes are told to the kernel before the hub next sleeps, so that one
  // taken back meanwhile costs nothing. `events` none pauses. Throws std::logic_error if another
  // watcher has one of the directions, or green threads have the descriptor.
  void SetWatcher(int fd, FdWatcher* watcher, std::uint32_t events);
  // Ends that; without effect if `watcher` is not the one.
  void ClearWatcher(int fd, FdWatcher* watcher);
  // The number is about to be closed: what was registered under it is void, for the watcher of the
  // other direction too, which is told.
  void ForgetWatcher(int fd, const FdWatcher* watcher);

  void ApplyChanges();
  // Waits for events and wakes tasks and watchers, in the kernel's order.
  void Poll(std::int64_t timeout_nanos);

  std::size_t waiting() const { return waiting_tasks_ + active_watchers_; }
  // Something could be reported, though perhaps nothing that counts.
  bool watching() const { return waiting() != 0 || idle_watchers_ != 0; }
  std::string_view poller_name() const { return poller_->name(); }
  std::uint64_t system_calls() const { return poller_->system_calls(); }
  // For reports; as costly as there are descriptors.
  void CountDirections(std::size_t& readers, std::size_t& writers) const;
  std::string Dump() const;
  // The descriptor whose readiness means "posted calls": drained, never handed out.
  absl::Status WatchWakeup(int fd);

 private:
  Outcome Wait(FdSlot* slot, std::uint32_t generation, std::int64_t deadline_nanos, bool read);
  void WakeClosed(FdSlot* slot);
  void SetInterest(FdSlot* slot, FdWatcher* watcher, std::uint32_t events);
  void CheckFree(FdSlot* slot, const FdWatcher* watcher, std::uint32_t events);
  void DropWatchers(FdSlot* slot, const FdWatcher* of);
  void Tell(FdSlot* slot, std::uint32_t events);
  FdSlot* SlotOf(int fd);
  FdSlot* FindSlot(int fd);  // null if nothing is known of it
  void MarkDirty(FdSlot* slot);
  void CountWatchers(const FdSlot* slot, int change);
  std::uint32_t AwaitedEdges(int fd) const override;

  Hub& hub_;
  std::unique_ptr<Poller> poller_;
  std::vector<std::unique_ptr<FdSlot>> slots_;
  std::vector<int> dirty_;
  std::vector<int> applying_;
  std::size_t waiting_tasks_ = 0;
  std::size_t active_watchers_ = 0;
  std::size_t idle_watchers_ = 0;  // those that do not count
  int wakeup_fd_ = -1;
  bool abandoned_ = false;
};

}  // namespace internal
}  // namespace verdant

#endif  // VERDANT_HUB_INTERNAL_FD_TABLE_H_
