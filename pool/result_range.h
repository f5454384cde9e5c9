#ifndef VERDANT_POOL_RESULT_RANGE_H_
#define VERDANT_POOL_RESULT_RANGE_H_

#include <cstddef>
#include <exception>
#include <iterator>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "hub/clock.h"

namespace verdant {

// What a call of R leaves in a range of results: its decayed value; std::monostate if it returns
// nothing.
template <typename R>
using ResultValue = std::conditional_t<std::is_void_v<R>, std::monostate, std::remove_cvref_t<R>>;

namespace internal {

// A value, or an exception in its place, or neither yet.
template <typename R>
struct Outcome {
  bool has() const { return value.has_value() || error != nullptr; }
  void Clear() {
    value.reset();
    error = nullptr;
  }
  std::optional<R> value;
  std::exception_ptr error;
};

}  // namespace internal

// How results that arrive one after the other are read: the base of ImapResults and GreenPile. A
// single-pass input range that knows two ways.
//
// Next(), when one failure must not end the rest:
//
//   for (;;) {
//     try {
//       std::optional<Page> page = results.Next();
//       if (!page) break;
//       Use(*page);
//     } catch (const FetchError& e) {  // of this one item; the next Next() goes on after it
//       Complain(e);
//     }
//   }
//
// and iterators, so that range-for and the algorithms of std::ranges work. Moving an iterator on
// waits for the next result; looking at it, `*it`, gives that result, to be moved from at will, or
// throws the exception that came in its place. So a range-for ends at the first exception, while a
// loop over iterators may catch what `*it` throws and go on with `++it`. Every call of begin() goes
// on to the next result, so a loop after one that was left continues where that stopped.
//
// When a wait is interrupted (Timeout, Kill) nothing is lost: the interrupted ++it or Next() can be
// called again and gives the result that was being waited for (decision 13 of the reference).
//
// Derived has bool Take(Outcome<R>&, Deadline): waits for the next outcome; false at the end.
template <typename Derived, typename R>
class ResultRange {
 public:
  // The next result, or nothing at the end. Throws the exception that stands in its place, having
  // moved on past it; TimeoutExpired if `deadline` comes first.
  std::optional<R> Next(Deadline deadline = Deadline::Never()) {
    internal::Outcome<R> outcome;
    if (!derived().Take(outcome, deadline)) return std::nullopt;
    if (outcome.error) std::rethrow_exception(outcome.error);
    return std::move(outcome.value);
  }

  // Refers to its range, which must stay where it is.
  class Iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = R;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    explicit Iterator(ResultRange* range) : range_(range) {}
    R& operator*() const {
      if (range_->current_.error) std::rethrow_exception(range_->current_.error);
      return *range_->current_.value;
    }
    R* operator->() const { return &**this; }
    Iterator& operator++() {
      range_->Advance();
      return *this;
    }
    void operator++(int) { range_->Advance(); }
    bool operator==(std::default_sentinel_t) const { return range_->at_end_; }

   private:
    ResultRange* range_ = nullptr;
  };

  Iterator begin() {
    Advance();
    return Iterator(this);
  }
  std::default_sentinel_t end() const { return {}; }

 protected:
  ResultRange() = default;
  ResultRange(ResultRange&&) = default;
  ResultRange& operator=(ResultRange&&) = default;
  ~ResultRange() = default;

 private:
  Derived& derived() { return static_cast<Derived&>(*this); }

  void Advance() {
    internal::Outcome<R> next;
    at_end_ = !derived().Take(next, Deadline::Never());
    current_ = std::move(next);
  }

  internal::Outcome<R> current_;
  bool at_end_ = false;
};

}  // namespace verdant

#endif  // VERDANT_POOL_RESULT_RANGE_H_
