#ifndef VERDANT_HUB_INTERNAL_BLOCKING_DETECTOR_H_
#define VERDANT_HUB_INTERNAL_BLOCKING_DETECTOR_H_

#include <sys/types.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "hub/internal/stack_walk.h"
#include "hub/internal/stall_log.h"
#include "hub/internal/thread_scene.h"

namespace verdant::internal {

struct FiberThread;

// Tells when a hub's thread has been in one turn for too long while somebody waits, and who runs in
// it (rows A10.2, B13.1). A thread of its own looks at a counter that the hub moves at each turn.
// When that has stood still for the threshold, it asks the kernel whether the hub's thread waits in
// a system call. Then all is copied from outside and the culprit is not disturbed: sleeping and
// polling would end early by a signal. If it computes, a ThreadProbe copies what runs and its
// stack. Everything else happens on the detector's thread, that calls monitoring functions as well
// (rows B13.2, B13.3).
class BlockingDetector {
 public:
  using Report = std::function<void(const std::string&)>;

  // On the thread to be watched; an infinite threshold watches nothing. `living` counts its green
  // threads and main, `switches` changes whenever another one runs. `report` is called on the
  // detector's thread; an empty one writes to stderr.
  BlockingDetector(absl::Duration threshold, const std::size_t& living, const std::size_t& switches,
                   Report report);
  BlockingDetector(const BlockingDetector&) = delete;
  BlockingDetector& operator=(const BlockingDetector&) = delete;
  ~BlockingDetector();

  // For the hub. A turn begins; the hub is about to sleep; it sleeps no longer (without effect if
  // it did not).
  void BeginTurn() { Move(2); }
  void BeginSleep() { Move(1); }
  void EndSleep() {
    if ((beat_.load(std::memory_order_relaxed) & 1) == 0) return;
    // In one order with what the detector does before it rests.
    beat_.fetch_add(1);
    if (resting_.load()) [[unlikely]]
      Rouse();
  }

  // Calls `call` on the detector's thread every `period`, until it is removed by the number that is
  // returned, which waits for a call that is under way on another thread. Any thread.
  std::uint64_t AddFunction(absl::Duration period, std::function<void()> call);
  void RemoveFunction(std::uint64_t number);

  // Any thread.
  std::vector<BlockingSite> Sites() const { return log_.Sites(); }

 private:
  struct Function {
    std::uint64_t number;
    absl::Duration period;
    absl::Time next;
    std::shared_ptr<std::function<void()>> call;
  };

  // Odd while the hub sleeps. Only the hub's thread writes.
  void Move(std::uint64_t by) {
    beat_.store(beat_.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
  void Watch();
  void Look(absl::Duration passed);
  // With mutex_ held, which is released meanwhile.
  void CallFunctions(std::unique_lock<std::mutex>& lock);
  void Rest(std::unique_lock<std::mutex>& lock, std::uint64_t beat);
  void Rouse();

  enum class Answered { kYes, kItHasGoneOn, kNo };
  Answered LookFromOutside(std::uint64_t beat, std::string& system_call);
  Answered Interrogate(std::uint64_t beat, std::optional<std::size_t> switches);
  bool NobodyMinds(std::size_t living) const;
  void Tell(Answered answered, const std::string& system_call, absl::Duration lasted);
  void Write(const std::string& text);

  const absl::Duration threshold_;
  const absl::Duration period_;
  const std::size_t& living_;
  const std::size_t& switches_;
  const Report report_;
  const pid_t watched_id_;
  FiberThread& watched_fibers_;
  const Fiber* const main_fiber_;

  std::atomic<std::uint64_t> beat_{0};
  std::atomic<bool> resting_{false};  // until the hub wakes
  ThreadScene scene_;
  bool nobody_minds_ = false;  // what the scene shows

  StallWatch turn_watch_;
  StallWatch switch_watch_;
  StallLog log_;
  CodeMap code_;
  std::uint64_t last_delay_ = 0;
  bool in_stall_ = false;  // of one green thread, that is in the log

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;                // guarded by mutex_
  std::vector<Function> functions_;  // guarded by mutex_
  std::uint64_t last_function_ = 0;  // guarded by mutex_
  std::uint64_t calling_ = 0;        // guarded by mutex_; the number of the one that is called
  std::thread thread_;
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_BLOCKING_DETECTOR_H_
