#ifndef VERDANT_POOL_FIFO_ORDER_H_
#define VERDANT_POOL_FIFO_ORDER_H_

#include <cstddef>
#include <deque>
#include <utility>
#include <vector>

namespace verdant {

// In which order a queue gives its items: what Queue asks of its Order. This one: first in, first
// out.
template <typename T>
class FifoOrder {
 public:
  std::size_t size() const { return items_.size(); }
  void Push(T&& item) { items_.push_back(std::move(item)); }
  T Pop() {
    T item = std::move(items_.front());
    items_.pop_front();
    return item;
  }
  const T& Next() const { return items_.front(); }
  std::vector<T> Contents() const { return {items_.begin(), items_.end()}; }

 private:
  std::deque<T> items_;
};

}  // namespace verdant

#endif  // VERDANT_POOL_FIFO_ORDER_H_
