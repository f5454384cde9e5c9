#ifndef VERDANT_POOL_INTERNAL_IMAP_INPUT_H_
#define VERDANT_POOL_INTERNAL_IMAP_INPUT_H_

#include <optional>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>

namespace verdant::internal {

// One of an imap's input ranges. An lvalue is referred to, unless it is a view, which is copied; an
// rvalue is moved in.
template <typename Range>
class ImapInput {
 public:
  using Element = std::ranges::range_reference_t<Range>;
  // What one element is kept as until its call, and what the call gets. A forward range's
  // references hold however far its iterators have moved on; anything else may be gone with the
  // next step and becomes a value.
  using Kept =
      std::conditional_t<std::ranges::forward_range<Range> && std::is_lvalue_reference_v<Element>,
                         Element, std::ranges::range_value_t<Range>>;

  explicit ImapInput(Range&& range) : range_(std::forward<Range>(range)) {}

  // Steps to the next element, or the first; false at the end. Only now, not after the element
  // before was read: a step may wait for what has not been produced yet.
  bool Step() {
    if (position_) {
      ++position_->first;
    } else {
      position_.emplace(std::ranges::begin(range_), std::ranges::end(range_));
    }
    return position_->first != position_->second;
  }
  Element Read() { return *position_->first; }

 private:
  using Held = std::conditional_t<std::is_lvalue_reference_v<Range> &&
                                      std::ranges::view<std::remove_cvref_t<Range>>,
                                  std::remove_cvref_t<Range>, Range>;

  Held range_;
  std::optional<std::pair<std::ranges::iterator_t<Range>, std::ranges::sentinel_t<Range>>>
      position_;
};

// Several ranges side by side; ends with the shortest.
template <typename... Ranges>
class ImapInputs {
 public:
  using Kept = std::tuple<typename ImapInput<Ranges>::Kept...>;

  explicit ImapInputs(Ranges&&... ranges) : inputs_(std::forward<Ranges>(ranges)...) {}

  // Keeps the next elements in `kept`; false at the end.
  bool Pull(std::optional<Kept>& kept) {
    return std::apply(
        [&](auto&... input) {
          if (!(input.Step() && ...)) return false;
          kept.emplace(input.Read()...);
          return true;
        },
        inputs_);
  }

 private:
  std::tuple<ImapInput<Ranges>...> inputs_;
};

// f called with what was kept of the elements: references as such, values as rvalues.
template <typename F, typename... Ranges>
using ImapResultOf = std::invoke_result_t<std::decay_t<F>&, typename ImapInput<Ranges>::Kept&&...>;

// f called with the members of one tuple.
template <typename F>
struct Starred {
  F function;
  template <typename Tuple>
  decltype(auto) operator()(Tuple&& tuple) {
    return std::apply(function, std::forward<Tuple>(tuple));
  }
};

}  // namespace verdant::internal

#endif  // VERDANT_POOL_INTERNAL_IMAP_INPUT_H_
