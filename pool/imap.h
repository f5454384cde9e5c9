#ifndef VERDANT_POOL_IMAP_H_
#define VERDANT_POOL_IMAP_H_

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "greenlet/source_location.h"
#include "pool/internal/imap_engine.h"
#include "pool/internal/imap_input.h"
#include "pool/result_range.h"

namespace verdant {

namespace internal {

// In what order an imap's results are given.
enum class ImapOrder : std::uint8_t { kOfInput, kOfCompletion };

// The outcomes of an imap that have not been taken.
template <typename R>
class ImapOutcomes : public ImapEngine {
 public:
  using ImapEngine::ImapEngine;

  bool Take(Outcome<R>& outcome, Deadline deadline) {
    if (!AwaitNext(deadline)) {
      outcome.error = TakeInputError();
      return outcome.error != nullptr;
    }
    Outcome<R>& place = At(taken());
    outcome = std::move(place);
    place.Clear();
    NextWasTaken();
    return true;
  }

 protected:
  bool NextIsThere() const final {
    return !ring_.empty() && ring_[taken() & (ring_.size() - 1)].has();
  }
  Outcome<R>& At(std::uint64_t place) { return ring_[place & (ring_.size() - 1)]; }
  // Makes room for the outcome of one more input.
  void Reserve() {
    if (pulled() - taken() < ring_.size()) return;
    std::vector<Outcome<R>> larger(ring_.empty() ? 8 : 2 * ring_.size());
    for (std::uint64_t place = taken(); place != pulled(); ++place) {
      larger[place & (larger.size() - 1)] = std::move(At(place));
    }
    ring_ = std::move(larger);
  }

 private:
  // Grows to the next power of two above the pool's size as far as results are left waiting, and no
  // further.
  std::vector<Outcome<R>> ring_;
};

template <ImapOrder order, typename F, typename R, typename... Ranges>
class ImapRun final : public ImapOutcomes<ResultValue<R>> {
 public:
  template <typename G>
  ImapRun(ImapEngine::Limits limits, G&& function, Ranges&&... ranges)
      : ImapOutcomes<ResultValue<R>>(limits),
        function_(std::forward<G>(function)),
        inputs_(std::forward<Ranges>(ranges)...) {}

 private:
  using Kept = typename ImapInputs<Ranges...>::Kept;

  bool Pull() override {
    this->Reserve();
    return inputs_.Pull(kept_);
  }

  void Call(std::uint64_t ordinal) override {
    Outcome<ResultValue<R>> outcome;
    try {
      Kept arguments = TakeKept();
      if constexpr (std::is_void_v<R>) {
        std::apply(function_, std::move(arguments));
        outcome.value.emplace();
      } else {
        outcome.value.emplace(std::apply(function_, std::move(arguments)));
      }
    } catch (...) {
      if (this->cancelled()) throw;
      outcome.error = std::current_exception();
    }
    if (this->cancelled()) return;
    const std::uint64_t place = order == ImapOrder::kOfInput ? ordinal : completed_++;
    this->At(place) = std::move(outcome);
    this->OutcomeIsThere(place);
  }

  // Leaves room for the next input, which may be pulled while this one's call waits.
  Kept TakeKept() {
    struct Emptier {
      std::optional<Kept>& kept;
      ~Emptier() { kept.reset(); }
    } const emptier{kept_};
    return Kept(std::move(*kept_));
  }

  F function_;
  ImapInputs<Ranges...> inputs_;
  std::optional<Kept> kept_;
  std::uint64_t completed_ = 0;
};

}  // namespace internal

// The results of an Imap(), ImapUnordered() or Starmap(), see imap_calls.h: a single-pass range of
// R, read as ResultRange says.
//
// It works ahead as far as the pool's size allows, whether or not somebody reads: with size n, n
// calls at a time, and n+1 inputs before the first result is taken, then one more for each result
// taken (row A3.10); so an endless input takes constant memory. ImapOptions changes how far. Its
// calls run in green threads of its own and take none of the pool's slots (row A3.9).
//
// An exception of f stands in the place of its result, and the results go on after it (row A3.11).
// One thrown by the input range stands behind the results of all inputs before it, and ends them
// (decision 11).
//
// Destroying it early kills the calls under way and waits until they have ended; that cannot be
// interrupted, so that f may refer to what lives longer than the range. Not to be done by f itself.
// In a hub callback, which cannot wait, it kills them and they end later: where the range may come
// to be destroyed there, f and the input must own what they use. So with MapAsync(), should there
// be no stack for its green thread.
//
// It is not to be used across a fork: destroyed in the child it does nothing, and while
// calls are under way what it holds is never destroyed; reading on throws std::logic_error if that
// would have to wait.
//
// Threading: for green threads of one hub. Several may read at once; they are served in the order
// they came.
template <typename R>
class [[nodiscard]] ImapResults : public ResultRange<ImapResults<R>, R> {
 public:
  // An empty range.
  ImapResults() = default;
  ImapResults(ImapResults&& other) = default;
  ImapResults& operator=(ImapResults&& other) = default;

 private:
  friend class ResultRange<ImapResults<R>, R>;
  template <typename Pool>
  friend class ImapCalls;

  using Outcomes = internal::ImapOutcomes<R>;
  struct End {
    void operator()(Outcomes* outcomes) const noexcept { internal::ImapEngine::End(outcomes); }
  };

  explicit ImapResults(std::unique_ptr<Outcomes> outcomes) : outcomes_(outcomes.release()) {}

  bool Take(internal::Outcome<R>& outcome, Deadline deadline) {
    return outcomes_ != nullptr && outcomes_->Take(outcome, deadline);
  }

  std::unique_ptr<Outcomes, End> outcomes_;
};

static_assert(std::ranges::input_range<ImapResults<int>>);
static_assert(std::ranges::input_range<ImapResults<std::unique_ptr<int>>>);

}  // namespace verdant

#endif  // VERDANT_POOL_IMAP_H_
