// Which green thread runs next, and how one begins, parks, is woken, interrupted and ends.

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "greenlet/internal/stack_pool.h"
#include "hub/hub.h"
#include "hub/internal/shuffle.h"
#include "hub/internal/stack_meter.h"
#include "hub/internal/task_timers.h"
#include "hub/internal/trace_recorder.h"

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

}  // namespace

void internal::ParkTimer::OnFire(TimerNode* node) {
  Task* task = static_cast<ParkTimer*>(node)->task;
  task->hub->Wake(task, WakeReason::kTimedOut);
}

void internal::TimeoutTimer::OnFire(TimerNode* node) {
  auto* timer = static_cast<TimeoutTimer*>(node);
  timer->fired = true;
  if (!timer->counted) timer->task->hub->DiscountTimers(-1);
  timer->task->hub->Deliver(timer->task, timer->interrupt);
}

// ---- Who runs next. ----

void Hub::BeginTurn(std::int64_t now) {
  turn_began_ = now;
  looks_left_ = kLooksPerTurn;
  look_at_ = ready_.taken() + kSwitchesAtFirst;
  if (shuffle_ != nullptr) [[unlikely]] {
    shuffle_->BeginTurn();
    look_at_ = ready_.taken();
  }
  if (tracer_ != nullptr) [[unlikely]] {
    tracer_->Turn(ready_.size(), all_count_);
    tracer_->look_at = look_at_;
    look_at_ = ready_.taken();
    if (!tracer_->wanted()) StopTrace();
  }
}

Fiber* Hub::NextShuffled() {
  if (!shuffle_->Take()) return nullptr;
  ready_.SwapToFront(shuffle_->Pick(ready_.size()));
  Fiber* next = ready_.PopFront();
  AssertAtHome(next);
  look_at_ = ready_.taken();
  return next;
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
  if (ready_.taken() == look_at_) [[unlikely]]
    return NextAtLook();
  if (ready_.empty()) return nullptr;
  Fiber* next = ready_.PopFront();
  AssertAtHome(next);
  FetchAhead();
  return next;
}

// Where the clock is to be looked at. With a seed, or while it is traced, a hub is here before each
// switch, so that nothing is asked elsewhere.
Fiber* Hub::NextAtLook() {
  if (tracer_ != nullptr) [[unlikely]]
    return NextTraced();
  if (ready_.empty()) return nullptr;
  if (shuffle_ != nullptr) return NextShuffled();
  if (TurnIsOver()) return nullptr;
  Fiber* next = ready_.PopFront();
  FetchAhead();
  return next;
}

Fiber* Hub::NextTraced() {
  Fiber* next = nullptr;
  look_at_ = tracer_->look_at;
  if (!ready_.empty()) {
    if (ready_.taken() != look_at_) {
      next = ready_.PopFront();
    } else if (shuffle_ != nullptr) {
      next = NextShuffled();
    } else if (!TurnIsOver()) {
      next = ready_.PopFront();
    }
  }
  tracer_->look_at = look_at_;
  look_at_ = ready_.taken();
  tracer_->Switch(*fiber_thread.current, next);
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
  task->own_fiber.flags &= static_cast<std::uint16_t>(~Fiber::kUnstarted);
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

void Hub::Start(Task* task) noexcept {
  AssignId(task);
  task->own_fiber.scheduled = task;
  task->own_fiber.flags |= Fiber::kUnstarted;
  if (tells_of_spawns_) [[unlikely]]
    Announce(task);
  all_.PushBack(task);
  ready_.Reserve(++all_count_);
  ready_.PushBack(&task->own_fiber);
}

void Hub::Delete(Task* task) noexcept {
  if (task->failed()) ReportUnobserved(task);
  if (!task->interrupts.empty()) [[unlikely]]
    DropInterrupts(task);
  task->Destroy();
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
    task->Fail(std::current_exception());
  } catch (...) {
    task->Fail(std::current_exception());
  }
  if (internal::current_hub != this) [[unlikely]]
    ExitForkedChild(killed ? nullptr : task->error());
  if (task->failed() && !killed && !task->has_handles)
    ReportUncaught(Describe(task), task->error());
  FinishTask(task);
  task->state = Task::State::kDone;
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
    if (task->failed()) {
      ReportUnobserved(task);
      task->extras->error = nullptr;
    }
    task->DropResult();
  }
  static_cast<internal::AllNode*>(task)->Unlink();
  --all_count_;
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
        to->flags &= static_cast<std::uint16_t>(~Fiber::kUnstarted);
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
  if (TaskOf(self)->interrupts.empty())
    self->flags &= static_cast<std::uint16_t>(~Fiber::kInterrupted);
  internal::TaskExtras* extras = TaskOf(self)->extras.get();
  if (first == nullptr) {
    if (extras != nullptr) internal::BeginStackMeasurement(*TaskOf(self));
    return;
  }
  if (extras == nullptr || extras->inline_call == nullptr) first->Raise();
  const std::uint32_t calls = first->inline_calls;
  try {
    first->Raise();
  } catch (...) {
    extras->NoteAimed(std::current_exception(), calls);
    throw;
  }
}

WakeReason Hub::Park(Task* self, ParkedOn what, Deadline deadline) {
  if (deadline.never()) return Park(self, what);
  RaiseInterrupts(self->fiber);
  internal::ParkTimer timer(self);
  timers_.Arm(timer, deadline.nanos());
  return Park(self, what);
}

WakeReason Hub::ParkOnce(Task* self, ParkedOn what, Deadline deadline) {
  if (deadline.never()) return ParkOnce(self, what);
  RaiseInterrupts(self->fiber);
  internal::ParkTimer timer(self);
  timers_.Arm(timer, deadline.nanos());
  return ParkOnce(self, what);
}

void Hub::ParkUninterrupted(Task* self, ParkedOn what) {
  self->NoteParkedOn(what);
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
  if (task->state == Task::State::kAbandoned) return;  // and this hub is gone
  if (internal::current_hub != this) {
    if (abandoned_) return;
    throw std::logic_error(Describe(task) +
                           " belongs to another thread's hub and cannot be woken from here");
  }
  if (task->state == Task::State::kParkedTraced) {
    if (tracer_ != nullptr) tracer_->Wake(*task, reason);
    task->state = Task::State::kParked;
    return Wake(task, reason);
  }
  if (task->state == Task::State::kRunning && task->reason == WakeReason::kInterrupted) {
    // Should the interrupt be taken back before the task runs, this is what it was woken for.
    task->reason = reason;
  }
}

bool Hub::Deliver(Task* task, Interrupt* interrupt) {
  if (task->extras != nullptr && interrupt->shields < task->extras->shields) [[unlikely]] {
    task->extras->withheld.PushBack(interrupt);
    return false;
  }
  task->interrupts.PushBack(interrupt);
  task->fiber->flags |= Fiber::kInterrupted;
  if (internal::current_hub == this && internal::InterruptSwitch(*task->fiber)) {
    ready_.PushBack(task->fiber);
  } else {
    Wake(task, WakeReason::kInterrupted);
  }
  return true;
}

void Hub::DeliverFirst(Task* task, Interrupt* interrupt) {
  if (!Deliver(task, interrupt)) return;
  ready_.MoveToFront(task->fiber);
  // Whoever is to be first is not drawn for.
  if (shuffle_ != nullptr) [[unlikely]]
    look_at_ = ready_.taken() + 1;
  if (tracer_ != nullptr) [[unlikely]] {
    if (shuffle_ != nullptr) tracer_->look_at = look_at_;
    look_at_ = ready_.taken();
  }
}

}  // namespace verdant
