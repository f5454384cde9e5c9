#ifndef VERDANT_HUB_INTERNAL_TRACE_RECORDER_H_
#define VERDANT_HUB_INTERNAL_TRACE_RECORDER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "hub/internal/task.h"
#include "hub/internal/trace_ring.h"

namespace verdant::internal {

// What a traced hub notes, on its own thread. Who runs is noted by number; a number's name and site
// are described in the ring as well, again and again, so that they are among its last half whenever
// the number is.
class TraceRecorder {
 public:
  // `ring` is one of the log's.
  TraceRecorder(std::shared_ptr<TraceLog> log, TraceRing& ring, const Fiber& hub_fiber);

  // Begins, or ends, with `running`.
  void Start(const Fiber& running);
  void Stop();
  // Whether it is still to go on.
  bool wanted() const { return ring_.wanted.load(std::memory_order_relaxed); }
  const TraceLog* log() const { return log_.get(); }

  // `from` runs no longer, `to` does; null: the hub. Has `from`, if it parked, report who wakes it.
  void Switch(const Fiber& from, const Fiber* to) {
    if (&from == to) return;
    const std::uint64_t now = Now();
    TraceStop stop = TraceStop::kYielded;
    const char* operation = nullptr;
    std::uint32_t detail = 0;
    auto* task = static_cast<Task*>(from.scheduled);
    if (&from == &hub_fiber_) {
      stop = TraceStop::kHub;
    } else if (task == nullptr) {
      stop = TraceStop::kEnded;
    } else if (task->parked()) {
      stop = TraceStop::kParked;
      operation = task->operation;
      detail = static_cast<std::uint32_t>(task->detail);
      task->state = Task::State::kParkedTraced;
    }
    std::uint64_t id = 0;
    bool begins = false;
    if (to != nullptr) {
      id = to->id;
      begins = (to->flags & Fiber::kUnstarted) != 0;
      DescribeIfNeeded(*to);
    }
    ring_.Push(now, id, reinterpret_cast<std::uintptr_t>(operation),
               TraceRecord::Pack(TraceKind::kSwitch, static_cast<std::uint8_t>(stop),
                                 begins ? 1 : 0, 0, detail));
  }
  void Wake(const Task& task, WakeReason reason) {
    ring_.Push(Now(), task.fiber->id, fiber_thread.current->id,
               TraceRecord::Pack(TraceKind::kWake, static_cast<std::uint8_t>(reason)));
  }
  void Spawn(const Task& task) {
    ring_.Push(Now(), task.own_fiber.id, fiber_thread.current->id,
               TraceRecord::Pack(TraceKind::kSpawn));
  }
  // It has another name now.
  void Rename(const Task& task) { Describe(*task.fiber); }

  // ---- What the hub itself does. ----
  void Turn(std::size_t runnable, std::size_t green_threads) {
    ring_.Push(Now(), runnable, green_threads, TraceRecord::Pack(TraceKind::kTurn));
  }
  void BeginPoll(std::int64_t timeout_nanos) {
    ring_.Push(Now(), static_cast<std::uint64_t>(timeout_nanos), 0,
               TraceRecord::Pack(TraceKind::kPollBegin));
  }
  void EndPoll() { ring_.Push(Now(), 0, 0, TraceRecord::Pack(TraceKind::kPollEnd)); }
  void BeginPosts(std::size_t count) {
    ring_.Push(Now(), count, 0, TraceRecord::Pack(TraceKind::kPostsBegin));
  }
  void EndPosts() { ring_.Push(Now(), 0, 0, TraceRecord::Pack(TraceKind::kPostsEnd)); }

  // Where the hub would look at its clock, which it does not look for itself while traced.
  std::size_t look_at = 0;

 private:
  // When a number was described last.
  struct Described {
    std::uint64_t id = 0;
    std::uint64_t position = 0;
  };

  std::uint64_t Now() const noexcept { return clock_.Ticks(); }
  void DescribeIfNeeded(const Fiber& fiber) {
    const Described& last = described_[fiber.id & (described_.size() - 1)];
    if (last.id != fiber.id || ring_.position() - last.position > described_.size()) [[unlikely]]
      Describe(fiber);
  }
  void Describe(const Fiber& fiber);

  const std::shared_ptr<TraceLog> log_;
  TraceRing& ring_;
  const TraceClock clock_;
  const Fiber& hub_fiber_;
  std::vector<Described> described_;  // half as many as the ring has records
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_TRACE_RECORDER_H_
