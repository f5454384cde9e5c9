#include "hub/join.h"

#include <stdexcept>

#include "hub/wait.h"

namespace verdant {

namespace {

// Once the deadline has come nobody waits any more, not even for a turn of the hub.
template <typename Each>
bool JoinEach(const std::vector<AnyGreenThread>& threads, Deadline deadline, Each&& skip) {
  bool all = true;
  for (const AnyGreenThread& thread : threads) {
    if (skip(thread)) continue;
    if (!all && !thread.Ready()) continue;
    if (!thread.Join(deadline)) all = false;
  }
  return all;
}

}  // namespace

bool JoinAll(const std::vector<AnyGreenThread>& threads, Deadline deadline) {
  return JoinEach(threads, deadline, [](const AnyGreenThread&) { return false; });
}

std::vector<std::size_t> internal::JoinInOrder(const std::vector<AnyGreenThread>& threads,
                                               Deadline deadline, JoinOptions options) {
  std::vector<std::size_t> ended;
  for (const std::size_t i : IWait(threads, deadline, options.count)) {
    const std::exception_ptr error = threads[i].Error();
    if (options.raise_error && error && !threads[i].Killed()) std::rethrow_exception(error);
    ended.push_back(i);
  }
  return ended;
}

std::vector<AnyGreenThread> JoinAll(const std::vector<AnyGreenThread>& threads, Deadline deadline,
                                    JoinOptions options) {
  std::vector<AnyGreenThread> ended;
  for (const std::size_t i : internal::JoinInOrder(threads, deadline, options))
    ended.push_back(threads[i]);
  return ended;
}

void KillAllSoon(const std::vector<AnyGreenThread>& threads, std::exception_ptr exception) {
  if (exception == nullptr) throw std::logic_error("KillAll with no exception");
  Hub& hub = Hub::Current();
  const internal::Task* self = hub.OnHubStack() ? nullptr : hub.CurrentTask();
  for (const AnyGreenThread& thread : threads) thread.CheckedHere();
  for (const AnyGreenThread& thread : threads) {
    if (thread.task_ != self) thread.Doom(exception, /*first=*/false);
  }
}

bool KillAll(const std::vector<AnyGreenThread>& threads, std::exception_ptr exception,
             Deadline deadline) {
  const AnyGreenThread self = CurrentGreenThread();
  KillAllSoon(threads, std::move(exception));
  return JoinEach(threads, deadline, [&self](const AnyGreenThread& t) { return t == self; });
}

}  // namespace verdant
