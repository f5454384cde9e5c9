#include "hub/hub.h"

#include <pthread.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "greenlet/internal/stack_pool.h"
#include "hub/internal/blocking_detector.h"
#include "hub/internal/loop_hooks.h"
#include "hub/internal/shuffle.h"
#include "hub/internal/stack_meter.h"
#include "hub/internal/trace_recorder.h"
#include "hub/trace.h"

namespace verdant {

using internal::Fiber;
using internal::fiber_thread;
using internal::Interrupt;
using internal::Task;

namespace {

// Deep enough for what callbacks of C libraries run on it.
constexpr std::size_t kHubStackSize = 1 << 20;

// Stacks beyond so many keep no memory once nothing has been runnable for so long.
constexpr std::size_t kWarmStacks = 256;
constexpr std::size_t kTrimBatch = 128;
constexpr std::int64_t kQuietNanos = 5000000;

// Room for so many posted calls stays when they have been made.
constexpr std::size_t kMostPostedKept = 4096;

// Enough to see what a deadlock is about.
constexpr std::size_t kLoopExitLines = 100;

class LoopExitInterrupt final : public Interrupt {
 public:
  explicit LoopExitInterrupt(std::string text) : text_(std::move(text)) { shields = UINT32_MAX; }
  [[noreturn]] void Raise() override {
    const std::unique_ptr<LoopExitInterrupt> self(this);
    throw LoopExit(text_);
  }

 private:
  std::string text_;
};

}  // namespace

namespace internal {

constinit thread_local Hub* current_hub = nullptr;

// There if the program is linked with //hub:mutex_check.
[[gnu::weak]] void WatchMutexes(Hub& hub);

namespace {

struct HubOwner {
  std::unique_ptr<Hub> hub;
};
thread_local HubOwner hub_owner;

// The parent's hub in a forked child: never used again, and never destroyed, since what it would
// give back is the parent's.
Hub* abandoned_hub = nullptr;

}  // namespace

}  // namespace internal

struct Hub::IdleJoin {
  Task* task;
  bool idle = false;
};

Hub& Hub::Configure(Options options) {
  if (internal::current_hub != nullptr) {
    throw std::logic_error("Hub::Configure: this thread has a hub already");
  }
  internal::CurrentFiber();
  // Thread-local objects go in the reverse order of their making: whatever the hub gives memory
  // back to must be there first.
  internal::BlockPool::Free(internal::BlockPool::Allocate(1), 1);
  internal::hub_owner.hub = std::unique_ptr<Hub>(new Hub(std::move(options)));
  return *internal::hub_owner.hub;
}

Hub& Hub::ConfigureByDefault() { return Configure({}); }

Hub::Hub(Options options)
    : options_(std::move(options)),
      clock_(options_.clock != nullptr ? options_.clock : &Clock::Monotonic()),
      mailbox_(std::make_shared<internal::Mailbox>()),
      timers_(clock_->NowNanos()),
      fds_(*this),
      stacks_(&internal::ThreadStackPool(options_.stack_size)) {
  if (options_.report_stack_overflow) InstallStackOverflowReporter();
  if (options_.measure_stacks != 0) {
    SetSpawnHooks(internal::MakeStackMeter(options_.measure_stacks));
  }
  if (options_.order_seed) shuffle_ = std::make_unique<internal::Shuffle>(*options_.order_seed);
  if (const absl::Status status = fds_.WatchWakeup(mailbox_->wake_fd()); !status.ok()) {
    throw std::runtime_error(status.ToString());
  }
  static std::once_flag once;
  std::call_once(once, [] { pthread_atfork(nullptr, nullptr, &Hub::AbandonInForkedChild); });
  internal::StackPool& stacks = internal::ThreadStackPool(kHubStackSize);
  const internal::Stack stack = stacks.Acquire();
  try {
    if (options_.blocking_threshold < absl::InfiniteDuration()) monitor();
    main_ = Adopt(fiber_thread.main);
    main_->is_main = true;
    record_.hub_fiber = &hub_fiber_;
    record_.tasks = &all_;
    record_.ready = &ready_;
    record_.mailbox = mailbox_;
    internal::RegisterHub(record_, *main_);
    if (Trace* trace = std::exchange(options_.trace, nullptr)) StartTrace(trace->log_);
    if (internal::WatchMutexes != nullptr) internal::WatchMutexes(*this);
  } catch (...) {
    internal::UnregisterHub(record_);
    StopTrace();
    if (main_ != nullptr) ReleaseAdopted(main_, fiber_thread.main);
    stacks.Release(stack);
    throw;
  }
  hub_fiber_.name = "hub";
  spare_.name = "spare";
  internal::BeginFiber(hub_fiber_, stack, &HubMain, this);
  fiber_thread.orphan_exit = &Hub::LeaveOrphan;
  fiber_thread.release_scheduled = &Hub::EndAdopted;
  fiber_thread.leave_queue = &Hub::LeaveQueue;
  fiber_thread.raise_interrupts = [](Fiber& self) {
    if (self.scheduled != nullptr) RaiseFirstInterrupt(&self);
  };
  fiber_thread.stand_aside = [](Fiber& self) noexcept {
    internal::SwitchFiber(self, *Current().NextFiber());
  };
  fiber_thread.report_uncaught = [](const char* context, const std::exception_ptr& error) {
    Current().ReportUncaught(context, error);
  };
  internal::current_hub = this;
}

Hub::~Hub() {
  internal::UnregisterHub(record_);
  detector_ = nullptr;
  StopTrace();
  // Unstarted green threads and calls are closures in a queue and end like one; each may add
  // others. Suspended green threads are abandoned.
  for (;;) {
    if (!ready_.empty()) {
      auto* task = static_cast<Task*>(ready_.PopFront()->scheduled);
      if (task->state == Task::State::kNew) Unref(task);
    } else if (!calls_.empty()) {
      DropCalls();
    } else if (mailbox_->Close().empty()) {
      break;
    }
  }
  if (Fiber* main_fiber = main_->fiber; main_fiber->scheduled != nullptr) {
    ReleaseAdopted(main_, main_fiber);
  }
  // What outlives this thread may still list them as waiting.
  for (auto* node = all_.front(); node != nullptr; node = all_.next(node)) {
    static_cast<Task*>(node)->state = Task::State::kAbandoned;
  }
  internal::ReleaseFiberData(hub_fiber_);
  fiber_thread.report_uncaught = nullptr;
  internal::current_hub = nullptr;
  if (spare_.stack) stacks_->Release(internal::EndFiber(spare_));
  internal::ThreadStackPool(kHubStackSize).Release(internal::EndFiber(hub_fiber_));
}

// In the child, on the thread that forked. The kernel's readiness queue is the parent's still: a
// change made through it would be a change to the parent's.
void Hub::AbandonInForkedChild() {
  Hub* hub = internal::current_hub;
  if (hub == nullptr) return;
  hub->abandoned_ = true;
  hub->fds_.AbandonAfterFork();
  hub->mailbox_->AbandonAfterFork();
  internal::abandoned_hub = internal::hub_owner.hub.release();
  internal::current_hub = nullptr;
  Fiber* fiber = fiber_thread.current;
  const auto* task = static_cast<const Task*>(fiber->scheduled);
  if (fiber == &hub->hub_fiber_ || (task != nullptr && task->is_green_thread))
    fiber_thread.main = fiber;
  fiber->scheduled = fiber_thread.main->scheduled = nullptr;
  // Greenlets that have blocked are scheduled by the child's own hub when they block again.
  for (auto* node = hub->all_.front(); node != nullptr; node = hub->all_.next(node)) {
    auto* other = static_cast<Task*>(node);
    if (!other->is_green_thread) other->fiber->scheduled = nullptr;
  }
}

void Hub::HubMain(void* transfer, void* arg) {
  auto* hub = static_cast<Hub*>(arg);
  internal::FiberEntered(hub->hub_fiber_, transfer);
  hub->Loop();
}

void Hub::Loop() {
  bool ran = false;
  for (;;) {
    if (internal::current_hub != this) [[unlikely]]
      ExitForkedChild(nullptr);
    ++turns_;
    if (detector_ != nullptr) [[unlikely]]
      detector_->BeginTurn();
    if (!mailbox_->empty()) RunPosted();
    if (internal::HasDroppedGreenlets()) [[unlikely]] {
      // On a stack of its own, since what is unwound may block.
      using Unwinding = internal::BodyTask<internal::ResultTask<void>, void (*)() noexcept>;
      Task* task = Unwinding::Make(this, &internal::UnwindDroppedGreenlets);
      task->refs = 1;
      Start(task);
    }
    std::int64_t now = clock_->NowNanos();
    if (ran) turn_times_.Add(now - turn_began_);
    timers_.Advance(now);
    if (hooks_ != nullptr) [[unlikely]]
      internal::LoopHooks::CallAll(hooks_->prepare);
    fds_.ApplyChanges();
    if (ready_.empty()) {
      Idle();
      now = clock_->NowNanos();
    } else if (fds_.watching()) {
      Poll(0);
    }
    if (hooks_ != nullptr) [[unlikely]]
      internal::LoopHooks::CallAll(hooks_->check);
    ran = !ready_.empty();
    if (!ran) continue;
    quiet_ = false;
    BeginTurn(now);
    RunFirst();
  }
}

// Nothing is runnable: sleeps until something may be.
void Hub::Idle() {
  if (!idlers_.empty()) {
    if (fds_.watching()) Poll(0);
    if (ready_.empty() && mailbox_->empty()) {
      if (internal::Waiter* idler = idlers_.PopFront()) Wake(idler->task);
    }
    return;
  }
  if (NothingCanHappen()) {
    if (ReportDeadlock()) internal::SwitchFiber(hub_fiber_, *main_->fiber);
    return;
  }
  std::int64_t timeout = -1;
  if (hooks_ != nullptr && CallIdleHooks()) [[unlikely]] {
    if (!ready_.empty() || !mailbox_->empty()) return;
    timeout = 0;
  }
  if (timers_.size() != 0) {
    const std::int64_t due = timers_.NextDeadline();
    const std::int64_t left = std::max<std::int64_t>(0, due - clock_->NowNanos());
    if (timeout != 0) timeout = left;
    if (left > 0 && options_.clock != nullptr) {
      Poll(0);
      if (!ready_.empty() || !mailbox_->empty() || clock_->AdvanceTo(due)) return;
    }
  }
  if (internal::ThreadStacksExceed(kWarmStacks)) {
    if (quiet_) {
      internal::TrimThreadStacks(kWarmStacks, kTrimBatch);
      timeout = 0;
    } else if (timeout < 0 || timeout > kQuietNanos) {
      timeout = kQuietNanos;
      quiet_ = true;  // unless something turns up
    }
  }
  // Looked at once more now that whoever changes it would wake us.
  if (!mailbox_->BeginSleep() || NothingCanHappen()) timeout = 0;
  if (detector_ != nullptr) [[unlikely]]
    detector_->BeginSleep();
  if (timeout != 0) ++sleeps_;
  Poll(timeout);
  mailbox_->EndSleep();
}

void Hub::Poll(std::int64_t timeout_nanos) {
  if (tracer_ != nullptr) [[unlikely]]
    tracer_->BeginPoll(timeout_nanos);
  fds_.Poll(timeout_nanos);
}

// Instead of sleeping; true if there were any.
bool Hub::CallIdleHooks() {
  if (hooks_->idle.empty()) return false;
  Poll(0);
  if (ready_.empty() && mailbox_->empty()) internal::LoopHooks::CallAll(hooks_->idle);
  return true;
}

internal::BlockingDetector& Hub::monitor() {
  if (detector_ == nullptr) {
    detector_ = std::make_unique<internal::BlockingDetector>(
        options_.blocking_threshold, all_count_, ready_.taken(), options_.on_blocking);
  }
  return *detector_;
}

internal::LoopHooks& Hub::hooks() {
  if (hooks_ == nullptr) hooks_ = std::make_unique<internal::LoopHooks>();
  return *hooks_;
}

void Hub::SleepIsOver() {
  if (detector_ != nullptr) detector_->EndSleep();
  if (tracer_ != nullptr) tracer_->EndPoll();
}

void Hub::RunPosted() {
  mailbox_->TakeAll(posted_);
  posted_calls_ += posted_.size();
  if (tracer_ != nullptr) [[unlikely]]
    tracer_->BeginPosts(posted_.size());
  for (auto& call : posted_) {
    try {
      std::move(call)();
    } catch (...) {
      ReportUncaught("a posted call", std::current_exception());
    }
    call = nullptr;
  }
  if (tracer_ != nullptr) [[unlikely]]
    tracer_->EndPosts();
  if (posted_.capacity() > kMostPostedKept) {
    std::vector<internal::Mailbox::Call>().swap(posted_);
  } else {
    posted_.clear();
  }
}

bool Hub::NothingCanHappen() const {
  return timers_.size() <= uncounted_timers_ && fds_.waiting() == 0 && !mailbox_->kept_alive() &&
         mailbox_->empty();
}

// True if main is to be resumed where it stands aside: by the caller, since what is on the hub's
// stack when its thread ends is never destroyed.
bool Hub::ReportDeadlock() {
  for (auto* wait = vain_waits_.front(); wait != nullptr; wait = vain_waits_.next(wait)) {
    if (wait->GiveUp()) return false;
  }
  if (idle_join_ != nullptr) {
    idle_join_->idle = true;
    Wake(idle_join_->task);
    return false;
  }
  std::string text =
      "this operation would block forever: nothing is runnable and nothing can wake anything\n" +
      DumpAlike(kLoopExitLines);
  // Main, unless it stands aside in a plain greenlet's Switch(): then a greenlet that blocks in its
  // place, or whoever there is, and failing all of them main where it stands.
  Task* victim = nullptr;
  for (auto* node = all_.front(); node != nullptr; node = all_.next(node)) {
    auto* task = static_cast<Task*>(node);
    if (!task->parked() || task->uninterrupted) continue;
    if (victim == nullptr || (victim->is_green_thread && !task->is_green_thread)) victim = task;
    if (!victim->is_green_thread) break;
  }
  if (victim != nullptr) {
    Deliver(victim, new LoopExitInterrupt(std::move(text)));
    return false;
  }
  const std::exception_ptr error = std::make_exception_ptr(LoopExit(text));
  if (!internal::RaiseInSwitch(*main_->fiber, error)) {
    ReportUncaught("the hub, with nobody to throw it in", error);
    std::abort();
  }
  BeginTurn(clock_->NowNanos());
  return true;
}

bool Hub::Join(Deadline deadline) {
  Task* self = CurrentTask();
  if (idle_join_ != nullptr) throw std::logic_error("Hub::Join: somebody joins this hub already");
  IdleJoin join{self};
  idle_join_ = &join;
  std::optional<UncountedTimer> uncounted;
  if (!deadline.never()) uncounted.emplace(*this);
  struct Reset {
    Hub& hub;
    ~Reset() { hub.idle_join_ = nullptr; }
  } const reset{*this};
  Park(self, {"Hub::Join"}, deadline);
  return join.idle;
}

}  // namespace verdant
