// Which green thread runs next, and how one begins, parks, is woken, interrupted and ends.

#include <cstdlib>
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

inline Task* Hub::NextReady() {
  if (ready_.empty()) return nullptr;
  if (ready_.taken() == look_at_ && TurnIsOver()) [[unlikely]]
    return nullptr;
  Task* task = ready_.PopFront();
  FetchAhead();
  return task;
}

// The fiber to switch to. What needs the hub's own stack leads there: an empty queue, the end of a
// turn, a green thread that cannot begin for want of a stack.
inline Fiber* Hub::NextFiber() noexcept {
  Task* next = NextReady();
  if (next == nullptr) return &hub_fiber_;
  if (next->state == Task::State::kNew) return BeginOrPutBack(next);
  return next->fiber;
}

Fiber* Hub::BeginOrPutBack(Task* task) noexcept {
  try {
    BeginTask(task);
    return task->fiber;
  } catch (...) {
    ready_.PushFront(task);
    return &hub_fiber_;
  }
}

void Hub::BeginTask(Task* task) {
  internal::BeginFiber(task->own_fiber, stacks_->Acquire(), &TaskMain, task);
}

// From the hub's stack, with something to run.
void Hub::RunFirst() {
  Task* next = NextReady();
  if (next->state == Task::State::kNew) {
    try {
      BeginTask(next);
    } catch (...) {
      FailToBegin(next);
      return;
    }
  }
  internal::SwitchFiber(hub_fiber_, *next->fiber);
}

// ---- Beginning and ending. ----

Task* Hub::Adopt(Fiber* fiber) {
  auto* task = new AdoptedTask(this, fiber);
  task->refs = 1;
  task->own_fiber.id = next_id_++;
  task->own_fiber.site = fiber->site;
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
  all_.PushBack(task);
  ready_.Reserve(++all_count_);
  ready_.PushBack(task);
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

void Hub::Unref(Task* task) noexcept {
  if (--task->refs > 0) return;
  ReportUnobserved(task);
  DropInterrupts(task);
  task->Destroy();
}

void Hub::ReportUnobserved(Task* task) noexcept {
  if (!task->has_handles || !task->error || task->error_observed) return;
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
    RaiseInterrupts(task);
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
  task->DropBody();
  task->finished = true;
  if (task->completion != nullptr) {
    auto& links = task->completion->links;
    // By index: a link may add links.
    for (std::size_t i = 0; i < links.size(); ++i) {
      auto call = std::move(links[i].call);
      links[i].call = nullptr;
      if (call == nullptr) continue;
      try {
        call();
      } catch (const GreenletExit&) {
        // A kill that came too late for the body has nothing left to end.
      } catch (...) {
        ReportUncaught(absl::StrCat("a link of ", Describe(task)), std::current_exception());
      }
    }
    links.clear();
  }
  internal::ReleaseFiberData(*task->fiber);
  while (internal::Waiter* waiter = task->joiners.PopFront()) Wake(waiter->task);
  if (task->refs == 1) {
    // Nobody can ask any more, and only here may a destructor of the result still block.
    ReportUnobserved(task);
    task->error = nullptr;
    task->DropResult();
  }
  DropInterrupts(task);
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
    Task* next = hub->NextReady();
    if (next != nullptr && next->state == Task::State::kNew &&
        (task->own_fiber.flags & Fiber::kKeepsFpControl) == 0) {
      // The next one has not started: it can have this stack as it is, without a switch.
      internal::HandOverStack(task->own_fiber, next->own_fiber);
      Unref(task);
      task = next;
      continue;
    }
    Fiber* to = &hub->hub_fiber_;
    if (next != nullptr) {
      if (next->state == Task::State::kNew) {
        hub->ready_.PushFront(next);
      } else {
        to = next->fiber;
      }
    }
    TaskDeparture departure;
    departure.run = &TaskDeparture::OnFarSide;
    departure.task = task;
    departure.stacks = hub->stacks_;
    internal::SwitchFiber(task->own_fiber, *to, &departure, /*final=*/true);
  }
}

// ---- Parking and waking. ----

WakeReason Hub::Park(Task* self, ParkedOn what, Deadline deadline) {
  RaiseInterrupts(self);
  ParkTimer timer(self);
  if (!deadline.never()) timers_.Arm(timer, deadline.nanos());
  self->parked_on = what;
  do {
    self->state = Task::State::kParked;
    internal::SwitchFiber(*self->fiber, *NextFiber());
    RaiseInterrupts(self);
  } while (self->reason == WakeReason::kInterrupted);
  return self->reason;
}

void Hub::ParkUninterrupted(Task* self, ParkedOn what) {
  self->parked_on = what;
  self->uninterrupted = true;
  self->state = Task::State::kParked;
  internal::SwitchFiber(*self->fiber, *NextFiber());
  self->uninterrupted = false;
}

void Hub::YieldSlowly(Task* self) {
  ready_.PushBack(self);
  Fiber* next = NextFiber();
  if (next != self->fiber) internal::SwitchFiber(*self->fiber, *next);
  RaiseInterrupts(self);
}

void Hub::Wake(Task* task, WakeReason reason) {
  if (internal::current_hub != this) [[unlikely]] {
    if (abandoned_) return;
    throw std::logic_error(Describe(task) +
                           " belongs to another thread's hub and cannot be woken from here");
  }
  if (task->state == Task::State::kParked) {
    task->state = Task::State::kRunning;
    task->reason = reason;
    ready_.PushBack(task);
  } else if (task->state == Task::State::kRunning && task->reason == WakeReason::kInterrupted) {
    // Should the interrupt be taken back before the task runs, this is what it was woken for.
    task->reason = reason;
  }
}

void Hub::Deliver(Task* task, Interrupt* interrupt) {
  task->interrupts.PushBack(interrupt);
  Wake(task, WakeReason::kInterrupted);
}

void Hub::DeliverFirst(Task* task, Interrupt* interrupt) {
  Deliver(task, interrupt);
  ready_.MoveToFront(task);
}

}  // namespace verdant
