#ifndef VERDANT_HUB_INTERNAL_READY_QUEUE_H_
#define VERDANT_HUB_INTERNAL_READY_QUEUE_H_

#include <cstddef>
#include <memory>
#include <utility>

namespace verdant::internal {

struct Fiber;

// What is runnable, in order. A ring rather than a list through the fibers: the next ones can be
// foreseen and fetched, and queueing one touches no other. A fiber is in it at most once.
class ReadyQueue {
 public:
  // Room for `fibers` at once, without which they must not be pushed. Amortised constant.
  void Reserve(std::size_t fibers) {
    if (fibers > mask_ + 1) [[unlikely]]
      Grow(fibers);
  }

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  void PushBack(Fiber* fiber) noexcept { ring_[(head_ + size_++) & mask_] = fiber; }
  void PushFront(Fiber* fiber) noexcept {
    ring_[--head_ & mask_] = fiber;
    ++size_;
  }
  Fiber* PopFront() noexcept {
    --size_;
    return ring_[head_++ & mask_];
  }
  // PushBack() and then PopFront(), of a queue that is not empty.
  Fiber* Rotate(Fiber* fiber) noexcept {
    Fiber* front = ring_[head_ & mask_];
    ring_[(head_ + size_) & mask_] = fiber;
    ++head_;
    return front;
  }
  // The one that comes after `ahead` others, which there must be.
  const Fiber* Ahead(std::size_t ahead) const noexcept { return ring_[(head_ + ahead) & mask_]; }
  // Exchanges the front and the one that comes after `place` others.
  void SwapToFront(std::size_t place) noexcept {
    std::swap(ring_[head_ & mask_], ring_[(head_ + place) & mask_]);
  }
  // Moves a fiber before all others if it is queued. Cheap near either end.
  void MoveToFront(Fiber* fiber) noexcept;

  // Takes a fiber out wherever it is queued. Cheap near the back.
  void Remove(Fiber* fiber) noexcept;

  // How many have been taken from the front, less what was put back there.
  const std::size_t& taken() const { return head_; }

 private:
  void Grow(std::size_t fibers);

  // Runs on and is masked when used. That there is no index of the back leaves Rotate() one store
  // less: at this rate the processor is busy with stores.
  std::size_t head_ = 0;
  std::size_t size_ = 0;
  std::size_t mask_ = 15;
  std::unique_ptr<Fiber*[]> ring_ = std::make_unique<Fiber*[]>(16);
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_READY_QUEUE_H_
