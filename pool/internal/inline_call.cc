#include "pool/internal/inline_call.h"

#include <exception>
#include <string>

#include "greenlet/context.h"
#include "greenlet/exit.h"
#include "hub/green_thread.h"

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

// Notes what is thrown in the caller from outside, for calls within calls as well.
class Aimed {
 public:
  explicit Aimed(TaskExtras& caller) : caller_(caller), outer_(caller.aimed) {
    caller.aimed = &error_;
  }
  Aimed(const Aimed&) = delete;
  Aimed& operator=(const Aimed&) = delete;
  ~Aimed() {
    caller_.aimed = outer_;
    if (outer_ != nullptr && error_ != nullptr) *outer_ = error_;
  }
  const std::exception_ptr& error() const { return error_; }

 private:
  TaskExtras& caller_;
  std::exception_ptr* const outer_;
  std::exception_ptr error_;
};

// Throws only what is aimed at the caller.
void RunKeepingError(Task* task) {
  const Aimed aimed(task->hub->CurrentTask()->Extras());
  try {
    // What it sets in its context is its own, as in a green thread of its own.
    verdant::Context::Current().Run([task] { task->Run(); });
  } catch (const GreenletExit&) {
    throw;
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
  if (task->failed()) {
    task->hub->ReportUncaught(std::string("a call made inline by ") + operation, task->error());
  }
}

}  // namespace verdant::internal
