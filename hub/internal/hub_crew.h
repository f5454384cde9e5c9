#ifndef VERDANT_HUB_INTERNAL_HUB_CREW_H_
#define VERDANT_HUB_INTERNAL_HUB_CREW_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "greenlet/context.h"
#include "greenlet/source_location.h"
#include "hub/clock.h"
#include "hub/hub.h"
#include "hub/internal/loop_hooks.h"
#include "hub/internal/shared_waiter.h"

namespace verdant::internal {

// A green thread to be. Dropped unrun it says so itself to whoever waits.
struct CrewWork {
  absl::AnyInvocable<void()> run;
  SourceLocation site;
  verdant::Context context;  // of whoever gave it
};

class HubCrew;

// One OS thread of a HubGroup, its hub, and the work that waits to begin there unless another one
// takes it first.
class CrewMember {
 public:
  CrewMember(HubCrew& crew, std::size_t index) : crew_(crew), index_(index) {}
  CrewMember(const CrewMember&) = delete;
  CrewMember& operator=(const CrewMember&) = delete;

  // The thread's.
  void Main(std::promise<void> started);

  // ---- On any thread. ----
  // Queues work that may begin elsewhere; false if no more is taken.
  bool Push(CrewWork& work);
  // Has work begun here; false if no more is taken.
  bool Begin(CrewWork work);
  void Close();
  // Has it end what is left when so much time has passed, unless it was told an earlier time.
  void StopAfter(absl::Duration patience);
  const Hub::Remote& remote() const { return *remote_; }
  // Has nothing to do, and would see at once that there is something.
  bool drained() const { return drained_.load(); }
  void Nudge();
  const HubCrew& crew() const { return crew_; }
  std::size_t index() const { return index_; }
  // Of what it was given: what runs, and what waits to begin.
  std::size_t live() const { return live_.load(std::memory_order_relaxed); }
  std::size_t queued() const { return queue_size_.load(std::memory_order_relaxed); }

 private:
  // At the hub's every turn: not to sleep while there is work anywhere.
  struct BeforePoll final : LoopHook {
    explicit BeforePoll(CrewMember& m) : member(m) {}
    void OnTurn() noexcept override { member.LookBeforeSleep(); }
    CrewMember& member;
  };
  struct AfterPoll final : LoopHook {
    explicit AfterPoll(CrewMember& m) : member(m) {}
    void OnTurn() noexcept override {
      if (member.drained_.load(std::memory_order_relaxed)) member.drained_.store(false);
    }
    CrewMember& member;
  };
  struct Counted;

  void Pump();
  void KillRest();
  bool TimeIsUp() const { return stopping_ && stop_at_.Passed(); }
  // Waits until the oldest green thread has ended, or something else calls for a look.
  void AwaitEnd(Task* other, Deadline deadline);
  void WakePump() { hub_->Wake(pump_); }
  void LookBeforeSleep();
  void BeginHere(CrewWork work);
  // From the queue of this one, else of another.
  bool Take(CrewWork& work);
  bool Pop(CrewWork& work);

  HubCrew& crew_;
  const std::size_t index_;
  std::optional<Hub::Remote> remote_;
  std::atomic<bool> drained_{false};
  std::atomic<bool> pump_waits_{false};
  std::atomic<std::size_t> live_{0};
  std::atomic<std::size_t> queue_size_{0};
  std::mutex mutex_;
  std::deque<CrewWork> queue_;  // guarded by mutex_
  bool closed_ = false;         // guarded by mutex_
  // The thread's alone.
  Hub* hub_ = nullptr;
  Task* pump_ = nullptr;
  bool stopping_ = false;
  Deadline stop_at_;
};

// The threads of a HubGroup.
//
// Who has nothing to do must hear of work that waits for somebody busy. A pusher counts the work
// first and then looks for somebody drained; whoever drains says so first and then looks at the
// count. In the one order of all these, one of the two sees the other.
class HubCrew {
 public:
  struct Options {
    std::size_t threads;
    Hub::Options hub;
    std::string name;
    bool pin;
    Hub::ErrorHandler on_uncaught;
    absl::Duration unwind_within;
  };

  // Throws what keeps a thread or its hub from starting.
  explicit HubCrew(Options options);
  HubCrew(const HubCrew&) = delete;
  HubCrew& operator=(const HubCrew&) = delete;
  ~HubCrew();

  std::size_t size() const { return members_.size(); }
  // Throws std::logic_error if there is none of that number.
  CrewMember& member(std::size_t index);
  // Which one the calling thread is.
  std::optional<std::size_t> Here() const;
  bool closed() const { return closed_.load(std::memory_order_acquire); }

  // Has it begun wherever there is least to do; false if no more is taken.
  bool Push(CrewWork work);

  // Takes no more work, has what there is end by then, ends the threads. False if something had to
  // be killed. One that is not interruptible blocks the thread where nothing can park.
  bool Stop(absl::Duration patience, bool interruptible);

  // This is the child of a fork, where none of it exists.
  bool InForkedChild() const;

 private:
  friend class CrewMember;
  struct Ending final : SharedState {
    std::size_t running = 0;
    SharedLine line;
  };

  void StartThreads();
  void JoinThreads();
  void MemberEnded();

  const Options options_;
  const std::uint64_t fork_generation_;
  std::vector<std::unique_ptr<CrewMember>> members_;
  std::atomic<std::int64_t> queued_{0};  // in all queues
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> closed_{false};
  std::atomic<bool> killed_{false};
  const std::shared_ptr<Ending> ending_ = std::make_shared<Ending>();
  std::mutex join_mutex_;
  std::vector<std::thread> threads_;  // guarded by join_mutex_ once made
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_HUB_CREW_H_
