#ifndef VERDANT_TESTS_POOL_IMAP_TESTING_H_
#define VERDANT_TESTS_POOL_IMAP_TESTING_H_

#include <cstddef>
#include <iterator>
#include <stdexcept>
#include <utility>
#include <vector>

#include "hub/event.h"
#include "pool/imap.h"
#include "tests/pool/settle.h"

namespace verdant {

inline int Twice(int x) { return 2 * x; }

inline std::vector<int> UpTo(int n) {
  std::vector<int> numbers;
  for (int i = 0; i < n; ++i) numbers.push_back(i);
  return numbers;
}

template <typename R>
auto ToVector(ImapResults<R> results) {
  std::vector<R> all;
  for (auto&& r : results) all.push_back(std::move(r));
  return all;
}

// What lies between two iterators; clang 14 cannot compile gcc 12's std::ranges::subrange.
template <typename I>
class Between {
 public:
  Between(I first, I last) : first_(first), last_(last) {}
  I begin() const { return first_; }
  I end() const { return last_; }

 private:
  I first_;
  I last_;
};

// An input range of which one sees how far it was read, which can wait, throw, and never ends by
// itself.
class Counter {
 public:
  class Iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = int;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    explicit Iterator(Counter* counter) : counter_(counter) {}
    Iterator(Iterator&&) = default;
    Iterator& operator=(Iterator&&) = default;
    int operator*() const {
      ++counter_->read;
      return counter_->next;
    }
    Iterator& operator++() {
      ++counter_->next;
      counter_->Arrive();
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& it, std::default_sentinel_t) {
      return it.counter_->next == it.counter_->end;
    }

   private:
    Counter* counter_ = nullptr;
  };

  Iterator begin() {
    Arrive();
    return Iterator(this);
  }
  friend Iterator begin(Counter& c) { return c.begin(); }
  friend std::default_sentinel_t end(Counter&) { return {}; }

  void Arrive() {
    if (next == throw_at) throw std::runtime_error("the input broke");
    if (next == wait_at) gate.Wait();
  }

  int next = 0;
  int read = 0;
  int end = -1;
  int throw_at = -1;
  int wait_at = -1;
  Event<> gate;
};

}  // namespace verdant

#endif  // VERDANT_TESTS_POOL_IMAP_TESTING_H_
