#ifndef VERDANT_POOL_INTERNAL_ITEM_ITERATOR_H_
#define VERDANT_POOL_INTERNAL_ITEM_ITERATOR_H_

#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>

#include "hub/clock.h"

namespace verdant::internal {

// Gets a queue's items one by one until there will be no more: an input iterator that keeps the
// item it is at. When a wait is interrupted it is as it was.
template <typename Queue, typename T>
class ItemIterator {
 public:
  using iterator_concept = std::input_iterator_tag;
  using value_type = T;
  using difference_type = std::ptrdiff_t;

  ItemIterator() = default;
  explicit ItemIterator(Queue* queue) : queue_(queue), item_(queue->Get(Deadline::Never())) {}
  ItemIterator(ItemIterator&&) = default;
  ItemIterator& operator=(ItemIterator&&) = default;
  T& operator*() const { return *item_; }
  T* operator->() const { return &*item_; }
  ItemIterator& operator++() {
    // Not assigned: T need not be assignable.
    std::optional<T> next = queue_->Get(Deadline::Never());
    item_.reset();
    if (next) item_.emplace(*std::move(next));
    return *this;
  }
  void operator++(int) { ++*this; }
  bool operator==(std::default_sentinel_t) const { return !item_; }

 private:
  Queue* queue_ = nullptr;
  mutable std::optional<T> item_;
};

}  // namespace verdant::internal

#endif  // VERDANT_POOL_INTERNAL_ITEM_ITERATOR_H_
