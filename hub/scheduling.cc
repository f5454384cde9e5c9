// Which green thread runs next, and how one begins, parks, is woken, interrupted and ends.

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "greenlet/internal/stack_pool.h"
#include "hub/hub.h"

namespace verdant {

using internal::Fiber;
using internal::fiber_thread;
using internal::Interrupt;
using internal::ParkedOn;
using internal::SwitchClosure;
using internal::Task;
using internal::WakeReason;

namespace {

// A turn of the hub ends after this many switches, or sooner when it has taken long, so that
// runnable green threads can starve neither timers nor I/O. The clock is looked at rarely, because
// reading it costs more than a switch, and more rarely while they switch quickly.
constexpr std::size_t kSwitchesAtFirst = 16;
constexpr std::size_t kSwitchesWhenQuick = 96;
constexpr int kLooksPerTurn = 6;
constexpr std::int64_t kLongestTurnNanos = 200000;

// The task of a fiber that the hub did not make: a thread's main fiber, or a plain Greenlet that
// blocks.
struct AdoptedTask final : Task {
  AdoptedTask(Hub* h, Fiber* f) : Task(h) {
    fiber = f;
    is_green_thread = false;
    state = State::kRunning;
    started = true;
  }
  void Run() override {}
  void DropBody() noexcept override {}
  void Destroy() noexcept override { delete this; }
};

struct ParkTimer : internal::TimerNode {
  explicit ParkTimer(Task* t) : TimerNode(&ParkTimer::OnFire), task(t) {}
  static void OnFire(TimerNode* node) {
    Task* task = static_cast<ParkTimer*>(node)->task;
    task->hub->Wake(task, WakeReason::kTimedOut);
  }
  Task* task;
};

// Leaves a stack for good: run on whatever stack comes next.
struct TaskDeparture : SwitchClosure {
  Task* task;
  internal::StackPool* stacks;

  static void OnFarSide(SwitchClosure* closure) noexcept {
    auto* self = static_cast<TaskDeparture*>(closure);
    Task* task = self->task;
    self->stacks->Release(internal::EndFiber(task->own_fiber));
    Hub::Unref(task);
  }
};

Task* TaskOf(Fiber* fiber) { return static_cast<Task*>(fiber->scheduled); }

bool IsGreenletExit(const std::exception_ptr& error) noexcept {
  try {
    std::rethrow_exception(error);
  } catch (const GreenletExit&) {
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace

// ---- Who runs next. ----

void Hub::BeginTurn(std::int64_t now) {
  turn_began_ = now;
  looks_left_ = kLooksPerTurn;
  look_at_ = ready_.taken() + kSwitchesAtFirst;
}

bool Hub::TurnIsOver() {
  if (--looks_left_ <= 0) return true;
  const std::int64_t took = clock_->NowNanos() - turn_began_;
  if (took > kLongestTurnNanos) return true;
  look_at_ =
      ready_.taken() + (took < kLongestTurnNanos / 8 ? kSwitchesWhenQuick : kSwitchesAtFirst);
  return false;
}

inline Fiber* Hub::NextReady() {
  if (ready_.empty()) return nullptr;
  if (ready_.taken() == look_at_ && TurnIsOver()) [[unlikely]]
    return nullptr;
  Fiber* next = ready_.PopFront();
  FetchAhead();
  return next;
}

Fiber* Hub::NextFiberSlowly() noexcept {
  Fiber* next = NextReady();
  if (next == nullptr) return &hub_fiber_;
  return (next->flags & Fiber::kUnstarted) != 0 ? BeginOrPutBack(next) : next;
}

Fiber* Hub::BeginOrPutBack(Fiber* fiber) noexcept {
  try {
    BeginTask(TaskOf(fiber));
    return fiber;
  } catch (...) {
    ready_.PushFront(fiber);
    return &hub_fiber_;
  }
}

void Hub::BeginTask(Task* task) {
  if (spare_.stack) {
    internal::MoveStack(spare_, task->own_fiber);
  } else {
    internal::BeginFiber(task->own_fiber, stacks_->Acquire(), &TaskMain, task);
  }
  task->own_fiber.flags &= ~std::uint32_t{Fiber::kUnstarted};
}

// From the hub's stack, with something to run.
void Hub::RunFirst() {
  Fiber* next = NextReady();
  if ((next->flags & Fiber::kUnstarted) != 0) {
    try {
      BeginTask(TaskOf(next));
    } catch (...) {
      FailToBegin(TaskOf(next));
      return;
    }
  }
  internal::SwitchFiber(hub_fiber_, *next);
}

// ---- Beginning and ending. ----

Task* Hub::Adopt(Fiber* fiber) {
  auto* task = new AdoptedTask(this, fiber);
  task->refs = 1;
  task->own_fiber.id = next_id_++;
  task->own_fiber.site = fiber->site;
  fiber->id = task->own_fiber.id;
  fiber->scheduled = task;
  all_.PushBack(task);
  ready_.Reserve(++all_count_);
  return task;
}

void Hub::EndAdopted(Fiber* ending) {
  auto* task = static_cast<Task*>(ending->scheduled);
  Hub* hub = task->hub;
  if (hub == internal::current_hub) hub->FinishTask(task);
  ReleaseAdopted(task, ending);
}

void Hub::ReleaseAdopted(Task* task, Fiber* fiber) noexcept {
  fiber->scheduled = nullptr;
  task->fiber = &task->own_fiber;
  task->finished = true;
  task->state = Task::State::kDone;
  Unref(task);
}

void Hub::LeaveOrphan(Fiber* ending, SwitchClosure* then, std::exception_ptr& error) {
  Hub& hub = Current();
  if (error) hub.ReportUncaught("a greenlet whose parent has ended", error);
  error = nullptr;
  internal::SwitchFiber(*ending, *hub.NextFiber(), then, /*final=*/true);
}

Task* Hub::FirstUseOfFiber() {
  Fiber* fiber = fiber_thread.current;
  if (fiber == &hub_fiber_) {
    throw std::logic_error(
        "a call that blocks was made in a hub callback, where nothing may block");
  }
  return Adopt(fiber);
}

void Hub::Start(Task* task) noexcept {
  AssignId(task);
  task->own_fiber.scheduled = task;
  task->own_fiber.flags |= Fiber::kUnstarted;
  if (spawn_hooks_ != nullptr) [[unlikely]]
    Announce(task);
  all_.PushBack(task);
  ready_.Reserve(++all_count_);
  ready_.PushBack(&task->own_fiber);
}

void Hub::Announce(Task* task) noexcept {
  if (task->extras != nullptr && task->extras->announced) return;
  // A copy: the hook may take itself away.
  const std::shared_ptr<internal::SpawnHooks> hooks = spawn_hooks_;
  hooks->OnSpawn(task);
}

// No stack is to be had: the task ends with that as its error, without having run. On the hub's
// stack, where its links cannot block.
void Hub::FailToBegin(Task* task) noexcept {
  task->error = std::current_exception();
  if (!task->has_handles) ReportUncaught(Describe(task), task->error);
  FinishTask(task);
  task->state = Task::State::kDone;
  Unref(task);
}

void Hub::Delete(Task* task) noexcept {
  if (task->error) ReportUnobserved(task);
  if (!task->interrupts.empty()) [[unlikely]]
    DropInterrupts(task);
  task->Destroy();
}

void Hub::ReportUnobserved(Task* task) noexcept {
  if (!task->has_handles || task->error_observed) return;
  task->error_observed = true;
  if (internal::current_hub == task->hub && !IsGreenletExit(task->error)) {
    task->hub->ReportUncaught(Describe(task) + ", which nobody waited for", task->error);
  }
}

void Hub::DropInterrupts(Task* task) noexcept {
  // One on the heap is the task's to free, and Raise() is its only way to go.
  while (Interrupt* late = task->interrupts.PopFront()) {
    try {
      late->Raise();
    } catch (...) {
    }
  }
}

void Hub::RunTask(Task* task) noexcept {
  task->state = Task::State::kRunning;
  bool killed = false;
  try {
    RaiseInterrupts(&task->own_fiber);
    task->started = true;
    task->Run();
  } catch (const GreenletExit&) {
    killed = true;
    task->error = std::current_exception();
  } catch (...) {
    task->error = std::current_exception();
  }
  if (internal::current_hub != this) [[unlikely]]
    ExitForkedChild(killed ? nullptr : task->error);
  if (task->error && !killed && !task->has_handles) ReportUncaught(Describe(task), task->error);
  FinishTask(task);
  task->state = Task::State::kDone;
}

void Hub::ExitForkedChild(const std::exception_ptr& error) noexcept {
  if (error) Current().ReportUncaught("the main greenlet of a forked child", error);
  std::exit(error ? EXIT_FAILURE : EXIT_SUCCESS);
}

void Hub::FinishTask(Task* task) noexcept {
  if (!task->started) task->DropBody();
  task->finished = true;
  // What comes too late for the body is not for the links.
  if (!task->interrupts.empty()) [[unlikely]]
    DropInterrupts(task);
  if (task->extras != nullptr) FinishExtras(task);
  internal::ReleaseFiberData(*task->fiber);
  while (internal::Waiter* waiter = task->joiners.PopFront()) Wake(waiter->task);
  if (task->refs == 1) {
    // Nobody can ask any more, and only here may a destructor of the result still block.
    if (task->error) {
      ReportUnobserved(task);
      task->error = nullptr;
    }
    task->DropResult();
  }
  static_cast<internal::AllNode*>(task)->Unlink();
  --all_count_;
}

void Hub::FinishExtras(Task* task) noexcept {
  internal::TaskExtras& extras = *task->extras;
  if (extras.stop_timer != nullptr) extras.stop_timer();
  for (internal::EndLink link = extras.links.Next(); link.call != nullptr;
       link = extras.links.Next()) {
    if (link.sees_error) task->error_observed = true;
    try {
      link.call();
    } catch (const GreenletExit&) {
      // A kill that came too late for the body has nothing left to end.
    } catch (...) {
      ReportUncaught(absl::StrCat("a link of ", Describe(task)), std::current_exception());
    }
  }
  extras.links.Finish();
  if (extras.ended != nullptr) *extras.ended = true;
  extras.tree = nullptr;
}

void Hub::TaskMain(void* transfer, void* arg) {
  auto* task = static_cast<Task*>(arg);
  internal::FiberEntered(task->own_fiber, transfer);
  for (;;) {
    Hub* hub = task->hub;
    hub->RunTask(task);
    internal::ForgetGreenlet(task->own_fiber);
    task->own_fiber.scheduled = nullptr;
    const bool reusable = (task->own_fiber.flags & Fiber::kKeepsFpControl) == 0;
    Fiber* to = hub->NextReady();
    if (to == nullptr) {
      to = &hub->hub_fiber_;
    } else if ((to->flags & Fiber::kUnstarted) != 0) {
      if (reusable) {
        // It can have this stack as it is, without a switch.
        internal::HandOverStack(task->own_fiber, *to);
        to->flags &= ~std::uint32_t{Fiber::kUnstarted};
        Unref(task);
        task = TaskOf(to);
        continue;
      }
      hub->ready_.PushFront(to);
      to = &hub->hub_fiber_;
    }
    if (reusable && !hub->spare_.stack) {
      internal::HandOverStack(task->own_fiber, hub->spare_);
      Unref(task);
      internal::SwitchFiber(hub->spare_, *to);
      task = TaskOf(fiber_thread.current);
      continue;
    }
    TaskDeparture departure;
    departure.run = &TaskDeparture::OnFarSide;
    departure.task = task;
    departure.stacks = hub->stacks_;
    internal::SwitchFiber(task->own_fiber, *to, &departure, /*final=*/true);
  }
}

// ---- Parking and waking. ----

void Hub::RaiseFirstInterrupt(Fiber* self) {
  Interrupt* first = TaskOf(self)->interrupts.PopFront();
  // The flag outlives an interrupt that was taken back.
  if (TaskOf(self)->interrupts.empty()) self->flags &= ~std::uint32_t{Fiber::kInterrupted};
  if (first == nullptr) return;
  const internal::TaskExtras* extras = TaskOf(self)->extras.get();
  if (extras == nullptr || extras->aimed == nullptr) first->Raise();
  std::exception_ptr& aimed = *extras->aimed;
  try {
    first->Raise();
  } catch (...) {
    aimed = std::current_exception();
    throw;
  }
}

WakeReason Hub::Park(Task* self, ParkedOn what, Deadline deadline) {
  if (deadline.never()) return Park(self, what);
  RaiseInterrupts(self->fiber);
  ParkTimer timer(self);
  timers_.Arm(timer, deadline.nanos());
  return Park(self, what);
}

void Hub::ParkUninterrupted(Task* self, ParkedOn what) {
  self->parked_on = what;
  self->uninterrupted = true;
  self->state = Task::State::kParked;
  internal::SwitchFiber(*self->fiber, *NextFiber());
  self->uninterrupted = false;
}

void Hub::YieldSlowly(Task* self) {
  ready_.PushBack(self->fiber);
  Fiber* next = NextFiber();
  if (next != self->fiber) internal::SwitchFiber(*self->fiber, *next);
  RaiseInterrupts(internal::fiber_thread.current);
}

void Hub::WakeUnparked(Task* task, WakeReason reason) {
  if (internal::current_hub != this) {
    if (abandoned_) return;
    throw std::logic_error(Describe(task) +
                           " belongs to another thread's hub and cannot be woken from here");
  }
  if (task->state == Task::State::kRunning && task->reason == WakeReason::kInterrupted) {
    // Should the interrupt be taken back before the task runs, this is what it was woken for.
    task->reason = reason;
  }
}

void Hub::Deliver(Task* task, Interrupt* interrupt) {
  task->interrupts.PushBack(interrupt);
  task->fiber->flags |= Fiber::kInterrupted;
  Wake(task, WakeReason::kInterrupted);
}

void Hub::DeliverFirst(Task* task, Interrupt* interrupt) {
  Deliver(task, interrupt);
  ready_.MoveToFront(task->fiber);
}

}  // namespace verdant
