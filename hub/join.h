#ifndef VERDANT_HUB_JOIN_H_
#define VERDANT_HUB_JOIN_H_

#include <cstddef>
#include <cstdint>
#include <exception>
#include <utility>
#include <vector>

#include "hub/handle.h"
#include "hub/hub.h"

namespace verdant {

// Waits for all of them to end, however they do; false if `deadline` came first. Throws
// std::logic_error if the caller is among them.
bool JoinAll(const std::vector<AnyGreenThread>& threads, Deadline deadline = Deadline::Never());
template <typename R>
bool JoinAll(const std::vector<GreenThread<R>>& threads, Deadline deadline = Deadline::Never()) {
  return JoinAll(std::vector<AnyGreenThread>(threads.begin(), threads.end()), deadline);
}

struct JoinOptions {
  // So many ends are enough.
  std::size_t count = SIZE_MAX;
  // The first error that ends one of them is thrown at once; to be killed is no error.
  bool raise_error = false;
};

namespace internal {
std::vector<std::size_t> JoinInOrder(const std::vector<AnyGreenThread>& threads, Deadline deadline,
                                     JoinOptions options);
}  // namespace internal

// The same with more to choose: those that have ended before `deadline`, in the order they did
// (those that had before the call: in the order given). Row B1.14.
std::vector<AnyGreenThread> JoinAll(const std::vector<AnyGreenThread>& threads, Deadline deadline,
                                    JoinOptions options);
template <typename R>
std::vector<GreenThread<R>> JoinAll(const std::vector<GreenThread<R>>& threads, Deadline deadline,
                                    JoinOptions options) {
  std::vector<GreenThread<R>> ended;
  for (const std::size_t i :
       internal::JoinInOrder({threads.begin(), threads.end()}, deadline, options)) {
    ended.push_back(threads[i]);
  }
  return ended;
}

// Kills all of them but the caller: first has `exception` on its way to each, in the order given,
// then waits for each to end; false if `deadline` came first. Those that are runnable keep their
// turn. Nobody is killed if one handle is bad (std::logic_error). Row B1.16.
bool KillAll(const std::vector<AnyGreenThread>& threads, std::exception_ptr exception,
             Deadline deadline = Deadline::Never());
inline bool KillAll(const std::vector<AnyGreenThread>& threads,
                    Deadline deadline = Deadline::Never()) {
  return KillAll(threads, std::make_exception_ptr(GreenletExit()), deadline);
}
// KillAll() that does not wait.
void KillAllSoon(const std::vector<AnyGreenThread>& threads,
                 std::exception_ptr exception = std::make_exception_ptr(GreenletExit()));

template <typename R>
bool KillAll(const std::vector<GreenThread<R>>& threads, std::exception_ptr exception,
             Deadline deadline = Deadline::Never()) {
  return KillAll(std::vector<AnyGreenThread>(threads.begin(), threads.end()), std::move(exception),
                 deadline);
}
template <typename R>
bool KillAll(const std::vector<GreenThread<R>>& threads, Deadline deadline = Deadline::Never()) {
  return KillAll(std::vector<AnyGreenThread>(threads.begin(), threads.end()), deadline);
}
template <typename R>
void KillAllSoon(const std::vector<GreenThread<R>>& threads,
                 std::exception_ptr exception = std::make_exception_ptr(GreenletExit())) {
  KillAllSoon(std::vector<AnyGreenThread>(threads.begin(), threads.end()), std::move(exception));
}

}  // namespace verdant

#endif  // VERDANT_HUB_JOIN_H_
