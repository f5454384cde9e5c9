#include "hub/green_thread.h"

#include <algorithm>
#include <memory>

namespace verdant {

using internal::Task;

namespace {

class KillInterrupt final : public internal::Interrupt {
 public:
  explicit KillInterrupt(std::exception_ptr exception) : exception_(std::move(exception)) {}
  [[noreturn]] void Raise() override {
    const std::unique_ptr<KillInterrupt> self(this);
    std::rethrow_exception(exception_);
  }

 private:
  std::exception_ptr exception_;
};

internal::Completion& CompletionOf(Task* task) {
  if (task->completion == nullptr) task->completion = std::make_unique<internal::Completion>();
  return *task->completion;
}

}  // namespace

namespace internal {

void StartAfter(Task* task, absl::Duration delay) {
  DelayedStart start(task);
  task->hub->AssignId(task);
  auto& links = CompletionOf(task).links;
  links.push_back({});
  links.back().call = [timer = task->hub->ScheduleCall(delay, std::move(start))]() mutable {
    timer.Cancel();
  };
}

}  // namespace internal

bool AnyGreenThread::Join(Deadline deadline) const {
  Task* task = Checked();
  if (task->finished) {
    task->error_observed = true;
    return true;
  }
  Hub& hub = Hub::Current();
  Task* self = hub.CurrentTask();
  if (self == task) throw std::logic_error(Hub::Describe(task) + " waits for itself");
  if (task->hub != &hub)
    throw std::logic_error(Hub::Describe(task) + " belongs to another thread's hub");
  const AnyGreenThread keep = *this;
  internal::Waiter waiter(self);
  task->joiners.PushBack(&waiter);
  hub.Park(self, {"GreenThread::Join"}, deadline);
  if (task->finished) task->error_observed = true;
  return task->finished;
}

void AnyGreenThread::WaitForResult(Deadline deadline) const {
  if (deadline.never()) {
    Join(deadline);
    if (task_->error) std::rethrow_exception(task_->error);
    return;
  }
  const absl::Duration patience = deadline.Remaining();
  if (!Join(deadline)) throw TimeoutExpired(0, patience);
  if (task_->error) std::rethrow_exception(task_->error);
}

bool AnyGreenThread::Doom(std::exception_ptr exception) const {
  Task* task = Checked();
  if (exception == nullptr) throw std::logic_error("GreenThread::Kill with no exception");
  if (task->finished) return false;
  Hub& hub = *task->hub;
  if (&hub != &Hub::Current()) {
    throw std::logic_error(Hub::Describe(task) + " belongs to another thread's hub");
  }
  if (!hub.OnHubStack() && hub.CurrentTask() == task) std::rethrow_exception(exception);
  if (task->state == Task::State::kNew && task->own_fiber.scheduled == nullptr) {
    // Spawned for later: it comes now, only to end.
    Hub::Ref(task);
    hub.Start(task);
  }
  hub.DeliverFirst(task, new KillInterrupt(std::move(exception)));
  return !hub.OnHubStack();
}

void AnyGreenThread::Kill(std::exception_ptr exception) const {
  const AnyGreenThread keep = *this;
  if (Doom(std::move(exception))) task_->hub->Yield();
}

bool AnyGreenThread::Cancel(std::exception_ptr exception) const {
  if (Checked()->started || task_->finished) return false;
  Kill(std::move(exception));
  return true;
}

std::uint64_t AnyGreenThread::Link(absl::AnyInvocable<void()> link) const {
  Task* task = Checked();
  task->error_observed = true;
  if (task->finished && (task->completion == nullptr || task->completion->links.empty())) {
    link();
    return 0;
  }
  internal::Completion& completion = CompletionOf(task);
  const std::uint64_t id = completion.next_link++;
  completion.links.push_back({id, std::move(link)});
  return id;
}

bool AnyGreenThread::Unlink(std::uint64_t link) const {
  Task* task = Checked();
  if (task->completion == nullptr || link == 0) return false;
  for (internal::Link& candidate : task->completion->links) {
    if (candidate.id != link || candidate.call == nullptr) continue;
    // Emptied rather than erased: links may be running.
    candidate.call = nullptr;
    return true;
  }
  return false;
}

std::exception_ptr AnyGreenThread::Error() const {
  Checked()->error_observed = true;
  return task_->error;
}

const AnyGreenThread& AnyGreenThread::SetName(std::string_view name) const {
  Task* task = Checked();
  auto copy = std::make_unique<std::string>(name);
  task->own_fiber.name = copy->c_str();
  task->name = std::move(copy);
  return *this;
}

void Sleep(absl::Duration duration) {
  Hub& hub = Hub::Current();
  if (duration <= absl::ZeroDuration()) {
    hub.Yield();
  } else {
    hub.Park(hub.CurrentTask(), {"Sleep"}, Deadline(duration));
  }
}

AnyGreenThread CurrentGreenThread() {
  Task* task = Hub::Current().CurrentTask();
  Hub::Ref(task);
  return AnyGreenThread(task);
}

bool JoinAll(const std::vector<AnyGreenThread>& threads, Deadline deadline) {
  bool all = true;
  for (const AnyGreenThread& thread : threads) all = thread.Join(deadline) && all;
  return all;
}

bool KillAll(const std::vector<AnyGreenThread>& threads, Deadline deadline) {
  const AnyGreenThread self = CurrentGreenThread();
  // Backwards, since each is moved to the front.
  for (auto thread = threads.rbegin(); thread != threads.rend(); ++thread) {
    if (*thread != self) thread->Doom(std::make_exception_ptr(GreenletExit()));
  }
  bool all = true;
  for (const AnyGreenThread& thread : threads) {
    if (thread != self) all = thread.Join(deadline) && all;
  }
  return all;
}

}  // namespace verdant
