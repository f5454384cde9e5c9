#include "hub/internal/ready_queue.h"

#include <bit>
#include <utility>

namespace verdant::internal {

void ReadyQueue::Grow(std::size_t fibers) {
  const std::size_t mask = std::bit_ceil(fibers) - 1;
  auto ring = std::make_unique<Fiber*[]>(mask + 1);
  for (std::size_t i = 0; i < size_; ++i) ring[(head_ + i) & mask] = ring_[(head_ + i) & mask_];
  ring_ = std::move(ring);
  mask_ = mask;
}

void ReadyQueue::MoveToFront(Fiber* fiber) noexcept {
  // From the back: whoever is moved in bulk is so in reverse.
  std::size_t place = size_;
  while (place > 0 && Ahead(place - 1) != fiber) --place;
  if (place == 0) return;
  --place;
  if (place <= size_ / 2) {
    for (; place > 0; --place) ring_[(head_ + place) & mask_] = ring_[(head_ + place - 1) & mask_];
    ring_[head_ & mask_] = fiber;
    return;
  }
  for (; place + 1 < size_; ++place)
    ring_[(head_ + place) & mask_] = ring_[(head_ + place + 1) & mask_];
  --size_;
  PushFront(fiber);
}

void ReadyQueue::Remove(Fiber* fiber) noexcept {
  std::size_t place = size_;
  while (place > 0 && Ahead(place - 1) != fiber) --place;
  if (place == 0) return;
  // All behind it move up.
  for (; place < size_; ++place)
    ring_[(head_ + place - 1) & mask_] = ring_[(head_ + place) & mask_];
  --size_;
}

}  // namespace verdant::internal
