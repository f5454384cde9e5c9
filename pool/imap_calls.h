#ifndef VERDANT_POOL_IMAP_CALLS_H_
#define VERDANT_POOL_IMAP_CALLS_H_

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include "greenlet/source_location.h"
#include "hub/green_thread.h"
#include "hub/spawn.h"
#include "pool/imap.h"
#include "pool/internal/imap_engine.h"
#include "pool/internal/imap_input.h"
#include "pool/result_range.h"

namespace verdant {

namespace internal {

// What may be called when something is done, as against where the call for it stands.
template <typename Done>
concept Callback = !std::convertible_to<Done, SourceLocation>;

}  // namespace internal

// How an imap works, where it is not to be as usual.
struct ImapOptions {
  // How many inputs at most are taken from the input, and so calls begun, whose results nobody has
  // taken yet: no more work is started beyond that (row B2.4). At least 1; larger than the pool's
  // size to let results gather while the reader does something else. By default the size and one.
  std::optional<std::uint64_t> maxsize = std::nullopt;
  // Where the call is, for reports; by default, where the options are made.
  SourceLocation site = SourceLocation::current();
};

// The maps of GreenPool, Group and ThreadPool: f called for each element of an input, as many calls
// at a time as the pool's size says. Rows A3.9-A3.12, B2.3, B2.4.
//
// Input ranges: several go side by side, f(a[i], b[i]), and end with the shortest. Any input range
// will do, endless ones and those whose iterators wait included. An lvalue range must outlive the
// results, an rvalue is moved into them, a view is copied. f is kept as a copy and called as an
// lvalue, by several green threads in turn. It gets the reference that a forward range yields, or
// else the element as an rvalue. The place of the call is recorded with up to three ranges.
//
// Pool has std::uint64_t ImapSize() const, and ImapCall(f) if something else than f is to be
// called.
template <typename Pool>
class ImapCalls {
 public:
  // The results in the order of the input; see ImapResults. Starts at the hub's next turn. Throws
  // std::logic_error if f is an empty function.
  template <typename F, std::ranges::input_range Range>
  auto Imap(F&& f, Range&& range, SourceLocation site = SourceLocation::current()) {
    return Run<kOfInput>(site, {}, std::forward<F>(f), std::forward<Range>(range));
  }
  template <typename F, std::ranges::input_range A, std::ranges::input_range B>
  auto Imap(F&& f, A&& a, B&& b, SourceLocation site = SourceLocation::current()) {
    return Run<kOfInput>(site, {}, std::forward<F>(f), std::forward<A>(a), std::forward<B>(b));
  }
  template <typename F, std::ranges::input_range A, std::ranges::input_range B,
            std::ranges::input_range C>
  auto Imap(F&& f, A&& a, B&& b, C&& c, SourceLocation site = SourceLocation::current()) {
    return Run<kOfInput>(site, {}, std::forward<F>(f), std::forward<A>(a), std::forward<B>(b),
                         std::forward<C>(c));
  }
  template <typename F, std::ranges::input_range A, std::ranges::input_range B,
            std::ranges::input_range C, std::ranges::input_range D,
            std::ranges::input_range... Rest>
  auto Imap(F&& f, A&& a, B&& b, C&& c, D&& d, Rest&&... rest) {
    return Run<kOfInput>({}, {}, std::forward<F>(f), std::forward<A>(a), std::forward<B>(b),
                         std::forward<C>(c), std::forward<D>(d), std::forward<Rest>(rest)...);
  }
  // Throws std::logic_error if the options make no sense.
  template <typename F, std::ranges::input_range Range, std::ranges::input_range... Rest>
  auto Imap(ImapOptions options, F&& f, Range&& range, Rest&&... rest) {
    return Run<kOfInput>(options.site, options, std::forward<F>(f), std::forward<Range>(range),
                         std::forward<Rest>(rest)...);
  }

  // The same in the order in which the calls end.
  template <typename F, std::ranges::input_range Range>
  auto ImapUnordered(F&& f, Range&& range, SourceLocation site = SourceLocation::current()) {
    return Run<kOfCompletion>(site, {}, std::forward<F>(f), std::forward<Range>(range));
  }
  template <typename F, std::ranges::input_range A, std::ranges::input_range B>
  auto ImapUnordered(F&& f, A&& a, B&& b, SourceLocation site = SourceLocation::current()) {
    return Run<kOfCompletion>(site, {}, std::forward<F>(f), std::forward<A>(a), std::forward<B>(b));
  }
  template <typename F, std::ranges::input_range A, std::ranges::input_range B,
            std::ranges::input_range C>
  auto ImapUnordered(F&& f, A&& a, B&& b, C&& c, SourceLocation site = SourceLocation::current()) {
    return Run<kOfCompletion>(site, {}, std::forward<F>(f), std::forward<A>(a), std::forward<B>(b),
                              std::forward<C>(c));
  }
  template <typename F, std::ranges::input_range A, std::ranges::input_range B,
            std::ranges::input_range C, std::ranges::input_range D,
            std::ranges::input_range... Rest>
  auto ImapUnordered(F&& f, A&& a, B&& b, C&& c, D&& d, Rest&&... rest) {
    return Run<kOfCompletion>({}, {}, std::forward<F>(f), std::forward<A>(a), std::forward<B>(b),
                              std::forward<C>(c), std::forward<D>(d), std::forward<Rest>(rest)...);
  }
  template <typename F, std::ranges::input_range Range, std::ranges::input_range... Rest>
  auto ImapUnordered(ImapOptions options, F&& f, Range&& range, Rest&&... rest) {
    return Run<kOfCompletion>(options.site, options, std::forward<F>(f), std::forward<Range>(range),
                              std::forward<Rest>(rest)...);
  }

  // Imap() over tuples (or pairs, or arrays), the members of each of which are f's arguments.
  template <typename F, std::ranges::input_range Range>
  auto Starmap(F&& f, Range&& tuples, SourceLocation site = SourceLocation::current()) {
    internal::CheckCallable<std::decay_t<F>>(f);
    return Run<kOfInput>(site, {}, internal::Starred<std::decay_t<F>>{std::forward<F>(f)},
                         std::forward<Range>(tuples));
  }

  // Waits for all results and returns them as a std::vector in the order of the input. Throws the
  // first exception in that order, and kills the calls under way then (row B2.3).
  template <typename F, std::ranges::input_range Range>
  auto Map(F&& f, Range&& range, SourceLocation site = SourceLocation::current()) {
    return Collect(Imap(std::forward<F>(f), std::forward<Range>(range), site));
  }
  template <typename F, std::ranges::input_range A, std::ranges::input_range B>
  auto Map(F&& f, A&& a, B&& b, SourceLocation site = SourceLocation::current()) {
    return Collect(Imap(std::forward<F>(f), std::forward<A>(a), std::forward<B>(b), site));
  }
  template <typename F, std::ranges::input_range A, std::ranges::input_range B,
            std::ranges::input_range C>
  auto Map(F&& f, A&& a, B&& b, C&& c, SourceLocation site = SourceLocation::current()) {
    return Collect(
        Imap(std::forward<F>(f), std::forward<A>(a), std::forward<B>(b), std::forward<C>(c), site));
  }
  template <typename F, std::ranges::input_range A, std::ranges::input_range B,
            std::ranges::input_range C, std::ranges::input_range D,
            std::ranges::input_range... Rest>
  auto Map(F&& f, A&& a, B&& b, C&& c, D&& d, Rest&&... rest) {
    return Collect(Imap(std::forward<F>(f), std::forward<A>(a), std::forward<B>(b),
                        std::forward<C>(c), std::forward<D>(d), std::forward<Rest>(rest)...));
  }
  // A handle on a green thread that does this; killing it kills the calls. Never waits.
  template <typename F, std::ranges::input_range Range>
  auto MapAsync(F&& f, Range&& range, SourceLocation site = SourceLocation::current()) {
    return Spawn([results = Imap(std::forward<F>(f), std::forward<Range>(range),
                                 site)]() mutable { return Collect(std::move(results)); },
                 site);
  }
  // The same; when all results are there, and before others learn of them, that green thread calls
  // done(results). What `done` throws is the outcome then.
  template <typename F, std::ranges::input_range Range, internal::Callback Done>
  auto MapAsync(F&& f, Range&& range, Done&& done,
                SourceLocation site = SourceLocation::current()) {
    return Spawn(
        [results = Imap(std::forward<F>(f), std::forward<Range>(range), site),
         done = std::decay_t<Done>(std::forward<Done>(done))]() mutable {
          auto all = Collect(std::move(results));
          done(std::as_const(all));
          return all;
        },
        site);
  }

 protected:
  ImapCalls() = default;
  ~ImapCalls() = default;

  template <typename F>
  F&& ImapCall(F&& f) {
    return std::forward<F>(f);
  }

 private:
  static constexpr internal::ImapOrder kOfInput = internal::ImapOrder::kOfInput;
  static constexpr internal::ImapOrder kOfCompletion = internal::ImapOrder::kOfCompletion;

  template <internal::ImapOrder order, typename F, typename... Ranges>
  auto Run(SourceLocation site, ImapOptions options, F&& f, Ranges&&... ranges) {
    using Call = std::decay_t<decltype(pool().ImapCall(std::forward<F>(f)))>;
    using R = internal::ImapResultOf<Call, Ranges...>;
    using Run = internal::ImapRun<order, Call, R, Ranges...>;
    internal::CheckCallable<std::decay_t<F>>(f);
    const std::uint64_t size = pool().ImapSize();
    const std::uint64_t ahead = options.maxsize.value_or(size + 1);
    if (ahead == 0) throw std::logic_error("Imap: with a maxsize of 0 no call could ever be made");
    auto run =
        std::make_unique<Run>(internal::ImapEngine::Limits{size, ahead},
                              pool().ImapCall(std::forward<F>(f)), std::forward<Ranges>(ranges)...);
    run->Start(site);
    return ImapResults<ResultValue<R>>(std::move(run));
  }

  Pool& pool() { return static_cast<Pool&>(*this); }

  template <typename R>
  static std::vector<R> Collect(ImapResults<R> results) {
    std::vector<R> all;
    while (std::optional<R> result = results.Next()) all.push_back(*std::move(result));
    return all;
  }
};

}  // namespace verdant

#endif  // VERDANT_POOL_IMAP_CALLS_H_
