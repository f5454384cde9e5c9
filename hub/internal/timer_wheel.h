#ifndef VERDANT_HUB_INTERNAL_TIMER_WHEEL_H_
#define VERDANT_HUB_INTERNAL_TIMER_WHEEL_H_

#include <array>
#include <cstdint>
#include <limits>
#include <vector>

#include "hub/duration_histogram.h"
#include "hub/internal/list.h"

namespace verdant::internal {

class TimerWheel;

// One pending timer, embedded in whatever waits. Disarms itself when destroyed.
class TimerNode : public ListNode {
 public:
  // Called on the hub's stack when the deadline has passed; the node is already disarmed.
  using Fire = void (*)(TimerNode*);
  explicit TimerNode(Fire fire) : fire_(fire) {}
  ~TimerNode() { Disarm(); }

  bool armed() const { return wheel_ != nullptr; }
  void Disarm();
  std::int64_t deadline() const { return deadline_; }
  // By which one kind can be told from others.
  Fire fire() const { return fire_; }

 private:
  friend class TimerWheel;
  const Fire fire_;
  TimerWheel* wheel_ = nullptr;
  std::int64_t deadline_ = 0;
  std::uint64_t sequence_ = 0;
  std::int8_t level_ = 0;
  std::int8_t slot_ = 0;
};

// Timers in a hierarchy of wheels: insertion and cancellation cost the same for one as for a
// million pending, and each timer is moved at most once per level. Expiry is exact: by deadline,
// and in the order of arming where deadlines are equal. Times are nanoseconds on the hub's clock.
class TimerWheel {
 public:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

  explicit TimerWheel(std::int64_t now) : tick_(now >> kTickShift) {}
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;
  ~TimerWheel();

  // A deadline that has passed fires at the next Advance().
  void Arm(TimerNode& node, std::int64_t deadline);

  // Fires everything due at `now`, in order; what that arms with a deadline already passed waits
  // for the next call.
  void Advance(std::int64_t now);

  // No timer is due before this time; kNever if none is armed. Exact for the next 16 microseconds,
  // else a lower bound that a further Advance() sharpens.
  std::int64_t NextDeadline() const;

  std::size_t size() const { return size_; }
  // All that are armed, in the order they will fire. For reports: looks at each.
  std::vector<const TimerNode*> Pending() const;
  // How late the earliest of those that fired together was.
  const DurationHistogram& lag() const { return lag_; }

 private:
  friend class TimerNode;
  static constexpr int kTickShift = 14;
  static constexpr int kSlotBits = 6;
  static constexpr int kSlots = 1 << kSlotBits;
  static constexpr int kLevels = 9;
  static constexpr std::int8_t kDueLevel = -1;

  struct Level {
    std::uint64_t occupied = 0;
    std::array<List<TimerNode>, kSlots> slots;
  };
  struct Expiration {
    int level;
    int slot;
    std::int64_t tick;
  };

  static bool Earlier(const TimerNode* a, const TimerNode* b);
  void Place(TimerNode& node);
  bool NextExpiration(Expiration& expiration) const;
  void Remove(TimerNode& node);

  std::int64_t tick_;
  std::size_t size_ = 0;
  std::uint64_t next_sequence_ = 0;
  std::array<Level, kLevels> levels_;
  std::array<std::int64_t, kSlots> earliest_in_slot_ = {};  // lower bounds, for level 0
  List<TimerNode> due_;
  std::vector<TimerNode*> scratch_;
  DurationHistogram lag_;
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_TIMER_WHEEL_H_
