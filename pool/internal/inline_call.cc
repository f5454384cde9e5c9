#include "pool/internal/inline_call.h"

#include <exception>
#include <string>

#include "greenlet/context.h"
#include "hub/errors.h"
#include "hub/green_thread.h"
#include "hub/internal/aimed.h"

namespace verdant::internal {
namespace {

// Ends a task that runs on its caller's stack, and drops the reference that the hub would drop.
class InlineEnd {
 public:
  explicit InlineEnd(Task* task) : task_(task) {
    task->started = true;
    task->state = Task::State::kRunning;
  }
  InlineEnd(const InlineEnd&) = delete;
  InlineEnd& operator=(const InlineEnd&) = delete;
  ~InlineEnd() {
    ReleaseFiberData(task_->own_fiber);
    task_->finished = true;
    task_->state = Task::State::kDone;
    Hub::Unref(task_);
  }

 private:
  Task* const task_;
};

// Throws only what is aimed at the caller.
void RunKeepingError(Task* task) {
  const Aimed aimed(task->hub->CurrentTask()->Extras());
  try {
    // What it sets in its context is its own, as in a green thread of its own.
    verdant::Context::Current().Run([task] { task->Run(); });
  } catch (...) {
    if (std::current_exception() == aimed.error()) throw;
    task->Fail(std::current_exception());
  }
}

}  // namespace

Task* RunInline(Task* task) {
  const AnyGreenThread handle(task);
  const InlineEnd end(task);
  RunKeepingError(task);
  Hub::Ref(task);
  return task;
}

void RunInlineN(Task* task, const char* operation) {
  const InlineEnd end(task);
  RunKeepingError(task);
  if (task->failed() && !IsGreenletExit(task->error())) {
    task->hub->ReportUncaught(std::string("a call made inline by ") + operation, task->error());
  }
}

}  // namespace verdant::internal
