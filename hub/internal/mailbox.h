#ifndef VERDANT_HUB_INTERNAL_MAILBOX_H_
#define VERDANT_HUB_INTERNAL_MAILBOX_H_

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "absl/functional/any_invocable.h"

namespace verdant::internal {

// The part of a hub that other threads may touch. Shared between the hub and whoever may post to
// it, so that a post to a hub whose thread has ended finds a closed box instead of freed memory.
class Mailbox {
 public:
  using Call = absl::AnyInvocable<void()>;

  // Throws std::runtime_error when there is no file descriptor to be had.
  Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;
  ~Mailbox();

  // ---- From any thread. ----
  // False, and `call` is dropped, once the hub is gone. Throws std::logic_error if it is empty.
  bool Post(Call call);
  void AddKeepalive() { keepalives_.fetch_add(1); }
  // The last one wakes the hub: it may now find that nothing can happen.
  void DropKeepalive();

  // ---- For the hub. ----
  bool empty() const { return !has_calls_.load(std::memory_order_acquire); }
  bool kept_alive() const { return keepalives_.load() != 0; }
  // Into `calls`, which is empty: its memory is for those to come.
  void TakeAll(std::vector<Call>& calls);
  // Between these a post writes to wake_fd(). BeginSleep() is false if there is something to do
  // instead.
  bool BeginSleep();
  void EndSleep() { sleeping_.store(false, std::memory_order_relaxed); }
  int wake_fd() const { return wake_fd_; }
  // Takes no more; hands back what was not run.
  std::vector<Call> Close();
  // In the child of a fork: lets go of the parent's wake_fd().
  void AbandonAfterFork();

 private:
  void WakeSleeper();

  std::mutex mutex_;
  std::vector<Call> calls_;  // guarded by mutex_
  bool closed_ = false;      // guarded by mutex_
  std::atomic<bool> has_calls_{false};
  std::atomic<bool> sleeping_{false};
  std::atomic<std::int64_t> keepalives_{0};
  int wake_fd_ = -1;
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_MAILBOX_H_
