#include "hub/internal/ready_queue.h"

#include <bit>
#include <utility>

namespace verdant::internal {

void ReadyQueue::Grow(std::size_t tasks) {
  const std::size_t mask = std::bit_ceil(tasks) - 1;
  auto ring = std::make_unique<Task*[]>(mask + 1);
  for (std::size_t i = 0; i < size_; ++i) ring[(head_ + i) & mask] = ring_[(head_ + i) & mask_];
  ring_ = std::move(ring);
  mask_ = mask;
}

void ReadyQueue::MoveToFront(Task* task) noexcept {
  // From the back: whoever is moved in bulk is so in reverse.
  std::size_t place = size_;
  while (place > 0 && Ahead(place - 1) != task) --place;
  if (place == 0) return;
  --place;
  if (place <= size_ / 2) {
    for (; place > 0; --place) ring_[(head_ + place) & mask_] = ring_[(head_ + place - 1) & mask_];
    ring_[head_ & mask_] = task;
    return;
  }
  for (; place + 1 < size_; ++place)
    ring_[(head_ + place) & mask_] = ring_[(head_ + place + 1) & mask_];
  --size_;
  PushFront(task);
}

}  // namespace verdant::internal
