// What happens around the beginning and the end of a green thread, beside the running of it.

#include <cstdlib>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hub/hub.h"
#include "hub/internal/stack_meter.h"
#include "hub/internal/trace_recorder.h"

namespace verdant {

using internal::Interrupt;
using internal::Task;

void Hub::Announce(Task* task) noexcept {
  if (tracer_ != nullptr && (task->own_fiber.flags & internal::Fiber::kUnstarted) != 0)
    tracer_->Spawn(*task);
  if (spawn_hooks_ == nullptr) return;
  if (task->extras != nullptr && task->extras->announced) return;
  // A copy: the hook may take itself away.
  const std::shared_ptr<internal::SpawnHooks> hooks = spawn_hooks_;
  hooks->OnSpawn(task);
}

// No stack is to be had: the task ends with that as its error, without having run. On the hub's
// stack, where its links cannot block.
void Hub::FailToBegin(Task* task) noexcept {
  task->Fail(std::current_exception());
  if (!task->has_handles) ReportUncaught(Describe(task), task->error());
  FinishTask(task);
  task->state = Task::State::kDone;
  Unref(task);
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
      // Its own, or a Kill() of what has only links left: ends this one.
    } catch (...) {
      ReportUncaught(absl::StrCat("a link of ", Describe(task)), std::current_exception());
    }
  }
  extras.links.Finish();
  // What came too late for the links is not for destructors.
  if (!task->interrupts.empty()) DropInterrupts(task);
  if (extras.ended != nullptr) *extras.ended = true;
  extras.tree = nullptr;
  internal::EndStackMeasurement(*task);
}

void Hub::ReportUnobserved(Task* task) noexcept {
  if (!task->has_handles || task->error_observed) return;
  task->error_observed = true;
  if (internal::current_hub == task->hub && !IsGreenletExit(task->error())) {
    task->hub->ReportUncaught(Describe(task) + ", which nobody waited for", task->error());
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

void Hub::ExitForkedChild(const std::exception_ptr& error) noexcept {
  if (error) Current().ReportUncaught("the main greenlet of a forked child", error);
  std::exit(error ? EXIT_FAILURE : EXIT_SUCCESS);
}

}  // namespace verdant
