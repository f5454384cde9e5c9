#ifndef VERDANT_POOL_QUEUE_ORDER_H_
#define VERDANT_POOL_QUEUE_ORDER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "pool/queue.h"

namespace verdant {

// Last in, first out.
template <typename T>
class LifoOrder {
 public:
  std::size_t size() const { return items_.size(); }
  void Push(T&& item) { items_.push_back(std::move(item)); }
  T Pop() {
    T item = std::move(items_.back());
    items_.pop_back();
    return item;
  }
  const T& Next() const { return items_.back(); }
  std::vector<T> Contents() const { return {items_.rbegin(), items_.rend()}; }

 private:
  std::vector<T> items_;
};

// Least first; of equal items, first in, first out.
template <typename T, typename Less = std::less<T>>
class PriorityOrder {
 public:
  std::size_t size() const { return heap_.size(); }
  void Push(T&& item) {
    heap_.push_back({std::move(item), next_number_++});
    std::push_heap(heap_.begin(), heap_.end(), Later());
  }
  T Pop() {
    std::pop_heap(heap_.begin(), heap_.end(), Later());
    T item = std::move(heap_.back().item);
    heap_.pop_back();
    return item;
  }
  const T& Next() const { return heap_.front().item; }
  std::vector<T> Contents() const {
    std::vector<Entry> entries = heap_;
    std::sort(entries.begin(), entries.end(),
              [](const Entry& a, const Entry& b) { return Later()(b, a); });
    std::vector<T> items;
    items.reserve(entries.size());
    for (Entry& entry : entries) items.push_back(std::move(entry.item));
    return items;
  }

 private:
  struct Entry {
    T item;
    std::uint64_t number;
  };
  struct Later {
    bool operator()(const Entry& a, const Entry& b) const {
      const Less less;
      if (less(b.item, a.item)) return true;
      return !less(a.item, b.item) && a.number > b.number;
    }
  };

  std::vector<Entry> heap_;
  std::uint64_t next_number_ = 0;
};

// Queues that give the latest item first, or the least (row A5.1). Everything else is as in Queue.
template <typename T>
using LifoQueue = Queue<T, LifoOrder<T>>;
template <typename T, typename Less = std::less<T>>
using PriorityQueue = Queue<T, PriorityOrder<T, Less>>;

}  // namespace verdant

#endif  // VERDANT_POOL_QUEUE_ORDER_H_
