#include "pool/green_pool.h"

#include <stdexcept>

namespace verdant {

using internal::Task;

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

GreenPool::GreenPool(std::int64_t size) : slots_(new internal::PoolSlots(size)) {}

Task* GreenPool::RunInline(Task* task) {
  const AnyGreenThread handle(task);
  const InlineEnd end(task);
  RunKeepingError(task);
  Hub::Ref(task);
  return task;
}

void GreenPool::RunInlineN(Task* task) {
  const InlineEnd end(task);
  RunKeepingError(task);
  if (task->error) {
    task->hub->ReportUncaught("a call made inline by GreenPool::SpawnN", task->error);
  }
}

}  // namespace verdant
