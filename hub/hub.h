#ifndef VERDANT_HUB_HUB_H_
#define VERDANT_HUB_HUB_H_

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "greenlet/greenlet.h"
#include "greenlet/source_location.h"
#include "hub/blocking.h"
#include "hub/clock.h"
#include "hub/duration_histogram.h"
#include "hub/errors.h"
#include "hub/hub_counts.h"
#include "hub/hub_options.h"
#include "hub/hub_remote.h"
#include "hub/internal/fd_table.h"
#include "hub/internal/hub_registry.h"
#include "hub/internal/list.h"
#include "hub/internal/mailbox.h"
#include "hub/internal/ready_queue.h"
#include "hub/internal/task.h"
#include "hub/internal/timer_wheel.h"
#include "hub/timer_handle.h"

namespace verdant {

class Trace;

namespace internal {
struct CallNode : ListNode {};
class BlockingDetector;
struct LoopHooks;
class Shuffle;
class TraceLog;
class TraceRecorder;
extern constinit thread_local Hub* current_hub;
}  // namespace internal

// The scheduler of one OS thread: its queue of runnable green threads, its timers, its readiness
// queue. Made when a thread first uses it and gone with the thread; green threads still suspended
// then are abandoned, not unwound, since what they refer to may be gone already.
//
// Order is fixed: runnable green threads run first in, first out; timers by deadline, equal ones in
// the order they were set; waiters of anything in the order they came.
//
// Threading: everything but Post(), Keepalive and Remote is for the hub's own thread. Rows A12, B8.
//
// After fork() the child has no hub: the next use of one makes a fresh hub, and what called fork(),
// green thread or not, is its main greenlet; when the body of such a green thread returns, the
// child exits. The parent's other green threads, its timers and its posted calls do not exist in
// the child; an IoDescriptor registers itself anew when it is first waited on; FdListener and
// SignalWatcher fall silent. A child that forks in a hub callback may only exec or exit. Row
// A12.17.
class Hub {
 public:
  using Options = HubOptions;
  // For other threads that outlive the hub's.
  using Remote = HubRemote;
  using Keepalive = HubKeepalive;
  using Counts = HubCounts;
  using States = HubStates;

  // The calling thread's hub, made on first use.
  static Hub& Current() {
    if (internal::current_hub == nullptr) [[unlikely]]
      return ConfigureByDefault();
    return *internal::current_hub;
  }
  // Sets up the calling thread's hub; throws std::logic_error if it has one already, or an option
  // makes no sense, std::runtime_error or StackExhausted when file descriptors or memory are short.
  static Hub& Configure(Options options);
  // The same without options; apart, so that what uses Current() need not make any.
  static Hub& ConfigureByDefault();

  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;
  ~Hub();

  // Runs `call` on this hub, between green threads, in the order posted. From any thread, as long
  // as the hub exists; wakes a sleeping hub. `call` must not block. What it throws goes to the
  // error handler. Throws std::logic_error if it is empty.
  void Post(absl::AnyInvocable<void()> call) { mailbox_->Post(std::move(call)); }

  // Calls `call` on the hub once `delay` has passed (row A12.7: global timer). It must not block:
  // it may wake, spawn, send. Throws std::logic_error if it is empty.
  TimerHandle ScheduleCall(absl::Duration delay, absl::AnyInvocable<void()> call,
                           SourceLocation site = SourceLocation::current());
  // The same, unless the green thread that schedules it has ended by then (row A12.7: local timer).
  // In a hub callback, which ends with the hub, no different from ScheduleCall().
  TimerHandle ScheduleCallLocal(absl::Duration delay, absl::AnyInvocable<void()> call,
                                SourceLocation site = SourceLocation::current());

  // Who hears of exceptions that nobody catches; the default, also meant by an empty one, writes
  // one line to stderr. It must not throw or block. Rows A10.1, B8.4.
  using ErrorHandler = std::function<void(const UncaughtError&)>;
  void SetErrorHandler(ErrorHandler handler);
  void ReportUncaught(std::string context, const std::exception_ptr& error) noexcept;

  // Parks the caller until nothing is runnable, no timer is pending and nothing watched can wake
  // anything; false if `deadline` came first. Row B8.1.
  bool Join(Deadline deadline = Deadline::Never());

  // One line for every green thread that has not ended, oldest first: name, state, what it waits
  // for, where it was spawned. After `most` lines it says how many more there are.
  std::string Dump(std::size_t most = SIZE_MAX) const;
  // The same with each below the one that spawned it, and further in (row B13.5). Whose spawner has
  // ended, or was no green thread but a hub callback, stands at the left and says so.
  std::string DumpTree(std::size_t most = SIZE_MAX) const;
  // One line for each of counts().timers, soonest first: when, and what for. Of a call to come of
  // ScheduleCall() where it was scheduled, of a deadline who waits in what, of a Timeout whose it
  // is. And one for every descriptor that anybody waits for or listens to, by its
  // number: who, for what, and where that was set up. Rows A10.1, A12.14.
  std::string DumpTimers() const;
  std::string DumpListeners() const;

  Counts counts() const;
  // Who has kept the hub from turning, by where: all since the hub was made, reported or not; empty
  // if the detector is off. Row B13.1.
  std::vector<BlockingSite> BlockingSites() const;
  // All of counts().green_threads by what they do; looks at each.
  States CountStates() const;

  std::int64_t NowNanos() { return clock_->NowNanos(); }
  const Options& options() const { return options_; }
  // Which of the pollers it has: "epoll", "io_uring", "poll" or "select".
  std::string_view poller() const { return fds_.poller_name(); }
  // Options::prevent_multiple_waiters from now on (row A10.1).
  void SetPreventMultipleWaiters(bool prevent) { options_.prevent_multiple_waiters = prevent; }

  // ---- For what parks and wakes: the modules of this project, not applications. ----

  // The task of the running fiber, whose hub this must be. Throws std::logic_error on the hub's own
  // stack, where nothing may block.
  internal::Task* CurrentTask() {
    void* scheduled = internal::fiber_thread.current->scheduled;
    return scheduled != nullptr ? static_cast<internal::Task*>(scheduled) : FirstUseOfFiber();
  }
  bool OnHubStack() const { return internal::fiber_thread.current == &hub_fiber_; }

  // Suspends `self`, which must be CurrentTask(), until Wake() or `deadline`. Throws what was aimed
  // at it: GreenletExit of a Kill(), TimeoutExpired, LoopExit.
  internal::WakeReason Park(internal::Task* self, internal::ParkedOn what, Deadline deadline);
  // The same without a deadline. Inline, as Yield() is and for the same reasons.
  VERDANT_INLINE_SWITCHING internal::WakeReason Park(internal::Task* self,
                                                     internal::ParkedOn what) {
    RaiseInterrupts(self->fiber);
    self->NoteParkedOn(what);
    for (;;) {
      self->state = internal::Task::State::kParked;
      internal::SwitchFiber(*self->fiber, *NextFiber());
      internal::Fiber* fiber = internal::fiber_thread.current;
      RaiseInterrupts(fiber);
      self = static_cast<internal::Task*>(fiber->scheduled);
      if (self->reason != internal::WakeReason::kInterrupted) [[likely]]
        return self->reason;
    }
  }
  // Park() for who stands in a line and was passed over while it was awake: it also returns, with
  // kInterrupted, when what woke it was an interrupt that has been taken back.
  VERDANT_INLINE_SWITCHING internal::WakeReason ParkOnce(internal::Task* self,
                                                         internal::ParkedOn what) {
    RaiseInterrupts(self->fiber);
    self->NoteParkedOn(what);
    self->state = internal::Task::State::kParked;
    internal::SwitchFiber(*self->fiber, *NextFiber());
    internal::Fiber* fiber = internal::fiber_thread.current;
    RaiseInterrupts(fiber);
    return static_cast<internal::Task*>(fiber->scheduled)->reason;
  }
  internal::WakeReason ParkOnce(internal::Task* self, internal::ParkedOn what, Deadline deadline);
  // Park() for what must be seen through, such as a destructor that waits: what is aimed at `self`
  // meanwhile is thrown by its next Park(). May return early, so callers loop. Only for waiting for
  // what ends by itself.
  void ParkUninterrupted(internal::Task* self, internal::ParkedOn what);
  // Makes a parked task runnable; no effect on one that is not parked, so that waking twice is
  // harmless. Throws std::logic_error on another thread than the hub's.
  void Wake(internal::Task* task, internal::WakeReason reason = internal::WakeReason::kNotified) {
    if (internal::current_hub != this || task->state != internal::Task::State::kParked)
        [[unlikely]] {
      return WakeUnparked(task, reason);
    }
    task->state = internal::Task::State::kRunning;
    task->reason = reason;
    ready_.PushBack(task->fiber);
  }
  // Lets everything runnable run, then comes back. Inline, so that what the caller does not need is
  // not saved, and no return-address prediction is wasted on another stack's call.
  VERDANT_INLINE_SWITCHING void Yield() {
    internal::Fiber* self = internal::fiber_thread.current;
    if (self->scheduled == nullptr || ready_.empty() || ready_.taken() == look_at_) [[unlikely]] {
      return YieldSlowly(CurrentTask());
    }
    internal::Fiber* next = ready_.Rotate(self);
    AssertAtHome(next);
    FetchAhead();
    if ((next->flags & internal::Fiber::kUnstarted) != 0) [[unlikely]]
      next = BeginOrPutBack(next);
    internal::SwitchFiber(*self, *next);
    // Found again rather than kept, which would have to be on the stack.
    RaiseInterrupts(internal::fiber_thread.current);
  }
  // Queues a task that has not started. Takes over one reference.
  void Start(internal::Task* task) noexcept;
  // Has `interrupt` thrown in `task`, waking it if it is parked or stands in Greenlet::Switch();
  // false if a Shield keeps it away for now.
  bool Deliver(internal::Task* task, internal::Interrupt* interrupt);
  // Deliver(), and moves the task to the front of what is runnable.
  void DeliverFirst(internal::Task* task, internal::Interrupt* interrupt);
  // The number it goes by in reports; Start() does it otherwise.
  void AssignId(internal::Task* task) {
    if (task->own_fiber.id == 0) task->own_fiber.id = next_id_++;
  }
  // The green thread, main or greenlet of that number that has not ended, or null. Looks at each.
  internal::Task* Find(std::uint64_t id) const;
  // The green threads that were started and have not ended, oldest first.
  std::vector<internal::Task*> GreenThreads() const;
  // The first of these, or null.
  internal::Task* OldestGreenThread() const;
  // Differs if another has run, or could have, since it was last asked.
  std::size_t switches() const { return ready_.taken(); }
  bool AnyRunnable() const { return !ready_.empty(); }
  // What every spawn tells; null while nobody wants to know.
  const std::shared_ptr<internal::SpawnHooks>& spawn_hooks() const { return spawn_hooks_; }
  void SetSpawnHooks(std::shared_ptr<internal::SpawnHooks> hooks) {
    spawn_hooks_ = std::move(hooks);
    tells_of_spawns_ = spawn_hooks_ != nullptr || tracer_ != nullptr;
  }
  // Tells the hooks, unless they have been told, of a task that is made but not to start yet.
  void Announce(internal::Task* task) noexcept;
  const std::shared_ptr<internal::NumberPool>& numbers() { return numbers_; }
  // Who is to run when nothing else is, in that order.
  internal::WaitList& idlers() { return idlers_; }
  // Asked, in that order, before a deadlock becomes somebody's LoopExit.
  internal::List<internal::VainWait>& vain_waits() { return vain_waits_; }
  // A timer set while one of these exists is none that Join() or a LoopExit waits for.
  class UncountedTimer {
   public:
    explicit UncountedTimer(Hub& hub) : hub_(hub) { hub_.DiscountTimers(+1); }
    UncountedTimer(const UncountedTimer&) = delete;
    UncountedTimer& operator=(const UncountedTimer&) = delete;
    ~UncountedTimer() { hub_.DiscountTimers(-1); }

   private:
    Hub& hub_;
  };
  static void Ref(internal::Task* task) { ++task->refs; }
  static void Unref(internal::Task* task) noexcept {
    if (--task->refs == 0) Delete(task);
  }
  // "green thread 'name' spawned at file:line".
  static std::string Describe(const internal::Task* task);

  const std::shared_ptr<internal::Mailbox>& mailbox() const { return mailbox_; }
  internal::TimerWheel& timers() { return timers_; }
  internal::FdTable& fds() { return fds_; }
  // Where watchers are called at each turn.
  internal::LoopHooks& hooks();
  // The thread that watches this hub, started now if nothing was to be watched yet.
  internal::BlockingDetector& monitor();
  // So many more or fewer of timers() are no reason to believe that something can still happen.
  void DiscountTimers(int change) { uncounted_timers_ += static_cast<std::size_t>(change); }
  // The thread is back from waiting for I/O.
  void WokeUp() {
    if (detector_ != nullptr || tracer_ != nullptr) [[unlikely]]
      SleepIsOver();
  }
  // Has what runs noted in the log's ring from now on: false if it has too many. Throws
  // std::logic_error if another log has it noted.
  bool StartTrace(std::shared_ptr<internal::TraceLog> log);
  void StopTrace();
  const internal::TraceRecorder* tracer() const { return tracer_.get(); }
  void NoteRename(const internal::Task* task);
  // Its number among all hubs there ever were.
  std::uint64_t number() const { return record_.number; }
  // The kernel's number of its thread.
  int thread() const { return static_cast<int>(record_.thread_id); }
  // How long the rounds of green threads between two looks at timers took.
  const DurationHistogram& turn_times() const { return turn_times_; }
  const DurationHistogram& timer_lag() const { return timers_.lag(); }

 private:
  explicit Hub(Options options);

  struct IdleJoin;

  static void HubMain(void* transfer, void* arg);
  [[noreturn]] static void TaskMain(void* transfer, void* arg);
  // Installed in the thread's FiberThread.
  static void LeaveOrphan(internal::Fiber* ending, internal::SwitchClosure* then,
                          std::exception_ptr& error);
  static void EndAdopted(internal::Fiber* ending);
  static void LeaveQueue(internal::Fiber& fiber) noexcept;
  static void AbandonInForkedChild();

  internal::Task* FirstUseOfFiber();
  internal::Task* Adopt(internal::Fiber* fiber);
  static void ReleaseAdopted(internal::Task* task, internal::Fiber* fiber) noexcept;
  void BeginTurn(std::int64_t now);
  void RunFirst();
  internal::Fiber* NextReady();
  internal::Fiber* NextAtLook();
  internal::Fiber* NextTraced();
  internal::Fiber* NextShuffled();
  void YieldSlowly(internal::Task* self);
  void WakeUnparked(internal::Task* task, internal::WakeReason reason);
  // A green thread runs on the thread that it began on and on no other. What a user of the
  // interface may do wrong is refused before it comes to this, by Wake() and by the handles.
  void AssertAtHome([[maybe_unused]] const internal::Fiber* next) const {
    assert(internal::current_hub == this && "a hub runs on its own thread");
    assert(static_cast<const internal::Task*>(next->scheduled)->hub == this &&
           "a green thread is resumed on its own thread");
  }
  // The fiber to switch to. What needs the hub's own stack leads there: an empty queue, the end of
  // a turn, a green thread that cannot begin for want of a stack.
  [[gnu::always_inline]] internal::Fiber* NextFiber() noexcept {
    if (ready_.empty() || ready_.taken() == look_at_) [[unlikely]]
      return NextFiberSlowly();
    internal::Fiber* next = ready_.PopFront();
    AssertAtHome(next);
    FetchAhead();
    if ((next->flags & internal::Fiber::kUnstarted) != 0) [[unlikely]]
      return BeginOrPutBack(next);
    return next;
  }
  internal::Fiber* NextFiberSlowly() noexcept;
  internal::Fiber* BeginOrPutBack(internal::Fiber* fiber) noexcept;
  bool TurnIsOver();
  void BeginTask(internal::Task* task);
  void FailToBegin(internal::Task* task) noexcept;
  void RunTask(internal::Task* task) noexcept;
  void FinishTask(internal::Task* task) noexcept;
  static void Delete(internal::Task* task) noexcept;
  void FinishExtras(internal::Task* task) noexcept;
  static void DropInterrupts(internal::Task* task) noexcept;
  static void ReportUnobserved(internal::Task* task) noexcept;
  [[noreturn]] static void ExitForkedChild(const std::exception_ptr& error) noexcept;
  static void RaiseInterrupts(internal::Fiber* self) {
    if ((self->flags & internal::Fiber::kInterrupted) != 0) [[unlikely]]
      RaiseFirstInterrupt(self);
  }
  static void RaiseFirstInterrupt(internal::Fiber* self);
  // With too many runnable to be in a cache nearby, has the next ones come while this one runs.
  // With fewer the processor looks that far ahead by itself, and asking costs more than it brings.
  // Always inline: a call would be taken for one without effect and dropped.
  [[gnu::always_inline]] void FetchAhead() const {
    constexpr std::size_t kTooMany = 1024;
    if (ready_.size() <= kTooMany) return;
    const auto* sp = static_cast<const char*>(ready_.Ahead(1)->context.sp);
    __builtin_prefetch(sp);
    __builtin_prefetch(sp + 64);
    __builtin_prefetch(sp + 128);
    __builtin_prefetch(ready_.Ahead(2));
  }
  void Loop();
  void Idle();
  void Poll(std::int64_t timeout_nanos);
  bool CallIdleHooks();
  void SleepIsOver();
  void RunPosted();
  bool NothingCanHappen() const;
  bool ReportDeadlock();
  std::string DumpAlike(std::size_t most) const;
  void DropCalls() noexcept;

  Options options_;
  Clock* const clock_;
  const std::shared_ptr<internal::Mailbox> mailbox_;
  alignas(internal::Fiber::kLine) internal::Fiber hub_fiber_;
  // If it has a stack: what the last green thread to end stood on, suspended where the next to
  // begin can go on, which costs less than to begin anew.
  alignas(internal::Fiber::kLine) internal::Fiber spare_;
  bool abandoned_ = false;  // by a fork, in the child
  bool quiet_ = false;      // long enough to give memory back
  internal::ReadyQueue ready_;
  internal::List<internal::AllNode> all_;
  std::size_t all_count_ = 0;
  internal::Task* main_ = nullptr;
  std::shared_ptr<internal::SpawnHooks> spawn_hooks_;
  bool tells_of_spawns_ = false;  // to spawn_hooks_ or tracer_
  std::size_t look_at_ = 0;       // the clock, when ready_ has had so many taken
  int looks_left_ = 0;            // until the end of this turn
  std::int64_t turn_began_ = 0;
  std::uint64_t next_id_ = 1;
  std::uint64_t turns_ = 0;
  std::uint64_t posted_calls_ = 0;
  std::uint64_t sleeps_ = 0;
  DurationHistogram turn_times_;
  internal::TimerWheel timers_;
  internal::List<internal::CallNode> calls_;
  internal::FdTable fds_;
  internal::StackPool* stacks_;
  IdleJoin* idle_join_ = nullptr;
  std::vector<internal::Mailbox::Call> posted_;  // being made
  std::size_t uncounted_timers_ = 0;  // of Join(), watchers and the like: they make nothing happen
  internal::WaitList idlers_;
  internal::List<internal::VainWait> vain_waits_;
  std::shared_ptr<internal::NumberPool> numbers_ = std::make_shared<internal::NumberPool>();
  ErrorHandler error_handler_;
  std::unique_ptr<internal::LoopHooks> hooks_;            // null until needed
  std::unique_ptr<internal::Shuffle> shuffle_;            // null without a seed
  std::unique_ptr<internal::BlockingDetector> detector_;  // null if it is off
  internal::HubRecord record_;
  std::unique_ptr<internal::TraceRecorder> tracer_;  // null while it is not traced
};

}  // namespace verdant

#endif  // VERDANT_HUB_HUB_H_
