#include "hub/internal/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace verdant::internal {

void TimerNode::Disarm() {
  if (wheel_ != nullptr) wheel_->Remove(*this);
}

TimerWheel::~TimerWheel() {
  for (Level& level : levels_) {
    for (List<TimerNode>& slot : level.slots) {
      while (TimerNode* node = slot.PopFront()) node->wheel_ = nullptr;
    }
  }
  while (TimerNode* node = due_.PopFront()) node->wheel_ = nullptr;
}

void TimerWheel::Arm(TimerNode& node, std::int64_t deadline) {
  node.Disarm();
  node.wheel_ = this;
  node.deadline_ = std::max<std::int64_t>(deadline, 0);
  node.sequence_ = next_sequence_++;
  ++size_;
  Place(node);
}

void TimerWheel::Place(TimerNode& node) {
  const std::int64_t tick = std::max(node.deadline_ >> kTickShift, tick_);
  const auto differing = static_cast<std::uint64_t>(tick ^ tick_);
  const int level = differing == 0 ? 0 : (63 - std::countl_zero(differing)) / kSlotBits;
  const int slot = static_cast<int>(tick >> (level * kSlotBits)) & (kSlots - 1);
  Level& wheel = levels_[static_cast<std::size_t>(level)];
  if (level == 0) {
    std::int64_t& earliest = earliest_in_slot_[static_cast<std::size_t>(slot)];
    const bool first = (wheel.occupied >> slot & 1) == 0;
    earliest = first ? node.deadline_ : std::min(earliest, node.deadline_);
  }
  wheel.occupied |= std::uint64_t{1} << slot;
  wheel.slots[static_cast<std::size_t>(slot)].PushBack(&node);
  node.level_ = static_cast<std::int8_t>(level);
  node.slot_ = static_cast<std::int8_t>(slot);
}

void TimerWheel::Remove(TimerNode& node) {
  node.Unlink();
  node.wheel_ = nullptr;
  --size_;
  if (node.level_ == kDueLevel) return;
  Level& level = levels_[static_cast<std::size_t>(node.level_)];
  if (level.slots[static_cast<std::size_t>(node.slot_)].empty()) {
    level.occupied &= ~(std::uint64_t{1} << node.slot_);
  }
}

bool TimerWheel::NextExpiration(Expiration& expiration) const {
  // Whatever lies in a lower level is due before anything above it: a timer is placed by the
  // highest digit in which its tick differs from the present one.
  for (int i = 0; i < kLevels; ++i) {
    const std::uint64_t occupied = levels_[static_cast<std::size_t>(i)].occupied;
    if (occupied == 0) continue;
    const int shift = i * kSlotBits;
    const int present = static_cast<int>(tick_ >> shift) & (kSlots - 1);
    const int distance = std::countr_zero(std::rotr(occupied, present));
    const int slot = (present + distance) & (kSlots - 1);
    const std::int64_t base = tick_ >> shift >> kSlotBits << kSlotBits << shift;
    expiration = {i, slot, base + (static_cast<std::int64_t>(slot) << shift)};
    return true;
  }
  return false;
}

bool TimerWheel::Earlier(const TimerNode* a, const TimerNode* b) {
  return a->deadline_ != b->deadline_ ? a->deadline_ < b->deadline_ : a->sequence_ < b->sequence_;
}

std::vector<const TimerNode*> TimerWheel::Pending() const {
  std::vector<const TimerNode*> pending;
  const auto add = [&pending](const List<TimerNode>& timers) {
    for (TimerNode* node = timers.front(); node != nullptr; node = timers.next(node))
      pending.push_back(node);
  };
  add(due_);
  for (const Level& level : levels_) {
    for (const List<TimerNode>& slot : level.slots) add(slot);
  }
  std::sort(pending.begin(), pending.end(), Earlier);
  return pending;
}

void TimerWheel::Advance(std::int64_t now) {
  const std::int64_t now_tick = std::max(now >> kTickShift, tick_);
  Expiration next;
  while (NextExpiration(next) && next.tick <= now_tick) {
    tick_ = std::max(tick_, next.tick);
    Level& level = levels_[static_cast<std::size_t>(next.level)];
    List<TimerNode> batch;
    batch.Append(level.slots[static_cast<std::size_t>(next.slot)]);
    level.occupied &= ~(std::uint64_t{1} << next.slot);
    if (next.level > 0) {
      while (TimerNode* node = batch.PopFront()) Place(*node);
      continue;
    }
    scratch_.clear();
    bool rest = false;
    while (TimerNode* node = batch.PopFront()) {
      if (node->deadline_ <= now) {
        scratch_.push_back(node);
      } else {
        Place(*node);
        rest = true;
      }
    }
    if (!std::is_sorted(scratch_.begin(), scratch_.end(), Earlier)) {
      std::sort(scratch_.begin(), scratch_.end(), Earlier);
    }
    for (TimerNode* node : scratch_) {
      node->level_ = kDueLevel;
      due_.PushBack(node);
    }
    if (rest) break;
  }
  tick_ = now_tick;
  if (const TimerNode* first = due_.front(); first != nullptr) lag_.Add(now - first->deadline_);
  while (TimerNode* node = due_.PopFront()) {
    node->wheel_ = nullptr;
    --size_;
    node->fire_(node);
  }
}

std::int64_t TimerWheel::NextDeadline() const {
  Expiration next;
  if (!NextExpiration(next)) return kNever;
  if (next.level == 0) return earliest_in_slot_[static_cast<std::size_t>(next.slot)];
  return next.tick << kTickShift;
}

}  // namespace verdant::internal
