#ifndef VERDANT_POOL_INTERNAL_THREAD_CREW_H_
#define VERDANT_POOL_INTERNAL_THREAD_CREW_H_

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "pool/internal/thread_job.h"

namespace verdant::internal {

// The OS threads of a ThreadPool and the calls that wait for one. The threads are detached and
// share this object, so that a call that never returns holds up nobody's end.
class ThreadCrew : public std::enable_shared_from_this<ThreadCrew> {
 public:
  ThreadCrew(std::size_t max_size, absl::Duration idle_timeout)
      : idle_timeout_(idle_timeout), max_size_(max_size) {}
  ThreadCrew(const ThreadCrew&) = delete;
  ThreadCrew& operator=(const ThreadCrew&) = delete;

  // Queues a call, starting a thread for it if none is idle and there may be more. Throws
  // std::runtime_error if there is no thread and none is to be had.
  void Submit(std::shared_ptr<ThreadJob> job);
  // Takes a call back; false if a thread has begun it.
  bool Withdraw(const ThreadJob* job);

  void SetMaxSize(std::size_t max_size);
  // Starts idle threads, or has as many end as soon as they have nothing to do.
  void SetSize(std::size_t size);
  std::size_t size() const;

  // Lets every thread end once nothing is queued; the last one, or the caller if there is none,
  // calls `on_end`. Nothing may be submitted afterwards.
  void Close(absl::AnyInvocable<void()> on_end);

  // The calling thread is one of some crew's.
  static bool OnWorker();

 private:
  void StartThread();  // with the mutex held
  void Work();
  bool MayEnd() const { return to_end_ > 0 && (queue_.empty() || threads_ > 1); }

  const absl::Duration idle_timeout_;
  mutable std::mutex mutex_;
  std::condition_variable something_;
  // All guarded by mutex_.
  std::size_t max_size_;
  std::deque<std::shared_ptr<ThreadJob>> queue_;
  std::size_t threads_ = 0;
  std::size_t idle_ = 0;
  std::size_t to_end_ = 0;  // so many of them are one too many
  bool closed_ = false;
  absl::AnyInvocable<void()> on_end_;
};

}  // namespace verdant::internal

#endif  // VERDANT_POOL_INTERNAL_THREAD_CREW_H_
