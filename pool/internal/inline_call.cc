#include "pool/internal/inline_call.h"

#include <exception>
#include <string>

#include "greenlet/exit.h"
#include "hub/green_thread.h"
#include "hub/timeout.h"

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
    task_->finished = true;
    task_->state = Task::State::kDone;
    Hub::Unref(task_);
  }

 private:
  Task* const task_;
};

// Throws only what is aimed at the caller.
void RunKeepingError(Task* task) {
  try {
    task->Run();
  } catch (const GreenletExit&) {
    throw;
  } catch (const TimeoutExpired&) {
    throw;
  } catch (...) {
    task->error = std::current_exception();
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
  if (task->error) {
    task->hub->ReportUncaught(std::string("a call made inline by ") + operation, task->error);
  }
}

}  // namespace verdant::internal
