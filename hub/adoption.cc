// How a fiber that the hub did not make, a thread's main or a plain Greenlet, comes to be
// scheduled.

#include <stdexcept>
#include <utility>

#include "hub/hub.h"

namespace verdant {

using internal::Fiber;
using internal::fiber_thread;
using internal::SwitchClosure;
using internal::Task;

namespace {

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

}  // namespace

Task* Hub::Adopt(Fiber* fiber) {
  auto* task = new AdoptedTask(this, fiber);
  task->refs = 1;
  task->own_fiber.id = next_id_++;
  task->own_fiber.SetSite(fiber->site());
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

// Of one that was to be interrupted in its Switch() and is switched to before that. Not of one that
// a fork has left behind in the child: its queue does not exist there.
void Hub::LeaveQueue(Fiber& fiber) noexcept {
  auto* task = static_cast<Task*>(fiber.scheduled);
  if (task != nullptr && task->hub == internal::current_hub) task->hub->ready_.Remove(&fiber);
}

Task* Hub::FirstUseOfFiber() {
  Fiber* fiber = fiber_thread.current;
  if (fiber == &hub_fiber_) {
    throw std::logic_error(
        "a call that blocks was made in a hub callback, where nothing may block");
  }
  return Adopt(fiber);
}

}  // namespace verdant
