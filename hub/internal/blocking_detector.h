#ifndef VERDANT_HUB_INTERNAL_BLOCKING_DETECTOR_H_
#define VERDANT_HUB_INTERNAL_BLOCKING_DETECTOR_H_

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "absl/time/time.h"
#include "greenlet/source_location.h"

namespace verdant::internal {

struct Fiber;

// Judges by looks at a counter, at equal intervals, whether what moves it is stuck.
class StallWatch {
 public:
  // It must have been seen standing still so often in a row: time during which this process did not
  // run at all counts once.
  static constexpr int kLooks = 4;

  // True once for each value that it has stood still at for so long. Odd ones may stand for ever.
  bool IsStuckAt(std::uint64_t value) {
    if (value != last_) {
      last_ = value;
      looks_ = 0;
    }
    if ((value & 1) != 0 || looks_ > kLooks) return false;
    return ++looks_ > kLooks;
  }

 private:
  std::uint64_t last_ = 0;
  int looks_ = 0;
};

// Tells when a hub's thread has been in one turn for too long, and who runs in it (row A10.2). A
// thread of its own looks at a counter that the hub moves at each turn. When that has stood still
// for the threshold it sends SIGURG, which does nothing to who does not know of it, to the hub's
// thread, whose handler notes what runs and where: only there can that be read without a race.
class BlockingDetector {
 public:
  using Report = std::function<void(const std::string&)>;

  // On the thread to be watched. `report` is called on the detector's thread, once for each turn
  // that takes too long; an empty one writes to stderr.
  BlockingDetector(absl::Duration threshold, const Fiber& hub_fiber, Report report);
  BlockingDetector(const BlockingDetector&) = delete;
  BlockingDetector& operator=(const BlockingDetector&) = delete;
  ~BlockingDetector();

  // For the hub. A turn begins; the hub is about to sleep; it sleeps no longer (without effect if
  // it did not).
  void BeginTurn() { Move(2); }
  void BeginSleep() { Move(1); }
  void EndSleep() {
    if ((beat_.load(std::memory_order_relaxed) & 1) != 0) Move(1);
  }

 private:
  struct Culprit {
    std::array<char, 128> name;
    std::uint64_t id;
    SourceLocation site;
    bool is_hub;
    bool is_main;
    bool has_gone_on;  // another turn had begun before the signal came
    std::array<void*, 32> frames;
    int frame_count;
  };

  static void OnSignal(int number, siginfo_t* info, void* context);
  void Answer();
  // Odd while the hub sleeps. Only the hub's thread writes.
  void Move(std::uint64_t by) {
    beat_.store(beat_.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
  void Watch();
  std::string Interrogate(std::uint64_t beat);

  const absl::Duration threshold_;
  const Fiber& hub_fiber_;
  const Report report_;
  const pthread_t watched_;
  std::atomic<std::uint64_t> beat_{0};
  std::atomic<bool> asked_{false};
  std::uint64_t asked_beat_ = 0;
  Culprit culprit_ = {};
  sem_t answered_;
  std::mutex mutex_;
  std::condition_variable stopping_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_BLOCKING_DETECTOR_H_
