#include "hub/handle.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "hub/internal/aimed.h"

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

[[noreturn]] void ThrowForeign(const Task* task) {
  throw std::logic_error(Hub::Describe(task) + " belongs to another thread's hub");
}

[[noreturn]] void ThrowWaitsForItself(const Task* task) {
  throw std::logic_error(Hub::Describe(task) + " waits for itself");
}

// Holds a green thread to be started until its time comes; lets go of it if that is cancelled.
class DelayedStart {
 public:
  DelayedStart(Task* task, std::shared_ptr<const bool> forget) : forget_(std::move(forget)) {
    Hub::Ref(task);
    thread_ = AnyGreenThread(task);
    task_ = task;
  }
  void operator()() {
    // A kill that has not taken effect yet has started it already.
    if (task_->own_fiber.scheduled != nullptr) return;
    if (forget_ != nullptr && *forget_) {
      thread_.Cancel();
    } else {
      Hub::Ref(task_);
      task_->hub->Start(task_);
    }
  }

 private:
  AnyGreenThread thread_;
  Task* task_;
  std::shared_ptr<const bool> forget_;  // its spawner has ended
};

bool LinksRun(const Task* task) { return task->extras != nullptr && task->extras->links.running(); }

[[gnu::always_inline]] inline void ParkUntilEnd(Hub& hub, Task* self, Task* task,
                                                Deadline deadline) {
  internal::Waiter waiter(self);
  task->joiners.PushBack(&waiter);
  constexpr internal::ParkedOn kWhat{"GreenThread::Join"};
  if (deadline.never()) {
    hub.Park(self, kWhat);
  } else {
    hub.Park(self, kWhat, deadline);
  }
}

// Before a handle is copied, which counts without a lock.
void CheckLivesHere(const Task* task) {
  if (!task->finished && task->hub != internal::current_hub) ThrowForeign(task);
}

// A link of one that has ended, on the caller's stack: goes on with what is aimed at the caller.
void CallAtOnce(Task* task, absl::AnyInvocable<void()> link) {
  Hub& hub = *task->hub;
  std::optional<internal::Aimed> aimed;
  if (!hub.OnHubStack()) aimed.emplace(hub.CurrentTask()->Extras());
  try {
    link();
  } catch (...) {
    const std::exception_ptr error = std::current_exception();
    if (aimed && error == aimed->error()) throw;
    if (IsGreenletExit(error)) return;
    hub.ReportUncaught(absl::StrCat("a link of ", Hub::Describe(task)), error);
  }
}

// Into each of its callers, since it is most of what they do.
[[gnu::always_inline]] inline bool AwaitEnd(Task* task, Deadline deadline) {
  if (task->finished) return true;
  if (task->hub != internal::current_hub) ThrowForeign(task);
  Hub& hub = *task->hub;
  Task* self = hub.CurrentTask();
  if (self == task) ThrowWaitsForItself(task);
  ParkUntilEnd(hub, self, task, deadline);
  return task->finished;
}

bool IsUnstarted(const Task* task) {
  return task->state == Task::State::kNew && task->own_fiber.scheduled == nullptr &&
         (task->extras == nullptr || task->extras->stop_timer == nullptr);
}

}  // namespace

Task* AnyGreenThread::CheckedHere() const {
  Task* task = Checked();
  if (task->hub != internal::current_hub) ThrowForeign(task);
  return task;
}

// ---- Starting. ----

bool AnyGreenThread::Start() const {
  Task* task = CheckedHere();
  if (!IsUnstarted(task)) return false;
  Hub::Ref(task);
  task->hub->Start(task);
  return true;
}

bool AnyGreenThread::StartLater(absl::Duration delay) const { return StartLater(delay, nullptr); }

bool AnyGreenThread::StartLater(absl::Duration delay, std::shared_ptr<const bool> forget) const {
  Task* task = CheckedHere();
  if (!IsUnstarted(task)) return false;
  TimerHandle timer =
      task->hub->ScheduleCall(delay, DelayedStart(task, std::move(forget)), task->own_fiber.site());
  task->Extras().stop_timer = [timer]() mutable { timer.Cancel(); };
  return true;
}

// ---- Waiting. ----

void AnyGreenThread::CheckCanWait() const {
  const Task* task = CheckedHere();
  if (!task->finished && task == task->hub->CurrentTask()) ThrowWaitsForItself(task);
}

bool AnyGreenThread::Await(Deadline deadline) const { return AwaitEnd(Checked(), deadline); }

bool AnyGreenThread::Join(Deadline deadline) const {
  CheckLivesHere(Checked());
  const AnyGreenThread keep = *this;
  if (!AwaitEnd(keep.Checked(), deadline)) return false;
  keep.task_->error_observed = true;
  return true;
}

void AnyGreenThread::WaitForResult(Deadline deadline) const {
  CheckLivesHere(Checked());
  const AnyGreenThread keep = *this;
  if (deadline.never()) {
    AwaitEnd(keep.Checked(), deadline);
  } else if (const absl::Duration patience = deadline.Remaining();
             !AwaitEnd(keep.Checked(), deadline)) {
    throw TimeoutExpired(0, patience);
  }
  keep.task_->error_observed = true;
  if (keep.task_->failed()) std::rethrow_exception(keep.task_->error());
}

bool AnyGreenThread::NotReady() const {
  Task* task = Checked();
  if (!task->finished) return true;
  task->error_observed = true;
  if (task->failed()) std::rethrow_exception(task->error());
  return false;
}

// ---- Ending. ----

bool AnyGreenThread::Doom(std::exception_ptr exception, bool first) const {
  Task* task = Checked();
  if (exception == nullptr) throw std::logic_error("GreenThread::Kill with no exception");
  // Links that still run can be ended.
  if (task->finished && !LinksRun(task)) return false;
  if (task->hub != internal::current_hub) ThrowForeign(task);
  Hub& hub = *task->hub;
  if (first && !hub.OnHubStack() && hub.CurrentTask() == task) {
    if (task->extras != nullptr) task->extras->NoteAimed(exception, 0);
    std::rethrow_exception(exception);
  }
  if (task->state == Task::State::kNew && task->own_fiber.scheduled == nullptr) {
    // It comes now, only to end.
    Hub::Ref(task);
    hub.Start(task);
  }
  auto* interrupt = new KillInterrupt(std::move(exception));
  if (first) {
    hub.DeliverFirst(task, interrupt);
  } else {
    hub.Deliver(task, interrupt);
  }
  return true;
}

void AnyGreenThread::Kill(std::exception_ptr exception) const {
  CheckLivesHere(Checked());
  const AnyGreenThread keep = *this;
  if (!Doom(std::move(exception), true)) return;
  Hub& hub = *keep.task_->hub;
  if (!hub.OnHubStack()) hub.Yield();
}

void AnyGreenThread::KillSoon(std::exception_ptr exception) const {
  Doom(std::move(exception), false);
}

bool AnyGreenThread::KillAndJoin(std::exception_ptr exception, Deadline deadline) const {
  CheckLivesHere(Checked());
  const AnyGreenThread keep = *this;
  // Throws where nobody can wait before anything is done.
  if (!Ready() || LinksRun(task_)) CheckedHere()->hub->CurrentTask();
  Doom(std::move(exception), true);
  if (!keep.Join(deadline)) return false;
  Task* task = keep.task_;
  if (LinksRun(task)) {
    // Those who joined it before they began are woken after them.
    ParkUntilEnd(*task->hub, task->hub->CurrentTask(), task, deadline);
  }
  return !LinksRun(task);
}

bool AnyGreenThread::Cancel(std::exception_ptr exception) const {
  if (CheckedHere()->started || task_->finished) return false;
  Kill(std::move(exception));
  return true;
}

// ---- Links. ----

std::uint64_t AnyGreenThread::AddLink(absl::AnyInvocable<void()> link, bool sees_error) const {
  Task* task = CheckedHere();
  if (link == nullptr) throw std::logic_error("GreenThread::Link of an empty function");
  if (task->finished && !LinksRun(task)) {
    const AnyGreenThread keep = *this;
    if (sees_error) task->error_observed = true;
    CallAtOnce(task, std::move(link));
    return 0;
  }
  return task->Extras().links.Add(std::move(link), sees_error);
}

bool AnyGreenThread::Unlink(std::uint64_t link) const {
  Task* task = CheckedHere();
  return task->extras != nullptr && task->extras->links.Remove(link);
}

void AnyGreenThread::UnlinkAll() const {
  Task* task = CheckedHere();
  if (task->extras != nullptr) task->extras->links.RemoveAll();
}

bool AnyGreenThread::HasLinks() const {
  const Task* task = CheckedHere();
  return task->extras != nullptr && !task->extras->links.empty();
}

// ---- How it is doing. ----

GreenThreadState AnyGreenThread::State() const {
  const Task* task = Checked();
  if (task->finished) {
    if (!task->failed()) return GreenThreadState::kSucceeded;
    if (!task->started) return GreenThreadState::kCancelled;
    return Killed() ? GreenThreadState::kKilled : GreenThreadState::kFailed;
  }
  if (task->started) return GreenThreadState::kRunning;
  return IsUnstarted(task) ? GreenThreadState::kUnstarted : GreenThreadState::kPending;
}

bool AnyGreenThread::Alive() const {
  const GreenThreadState state = State();
  return state == GreenThreadState::kPending || state == GreenThreadState::kRunning;
}

bool AnyGreenThread::Killed() const { return IsGreenletExit(Checked()->error()); }

std::exception_ptr AnyGreenThread::Error() const {
  Checked()->error_observed = true;
  return task_->error();
}

// ---- Names and origin. ----

const AnyGreenThread& AnyGreenThread::SetName(std::string_view name) const {
  Task* task = Checked();
  task->SetName(name);
  task->hub->NoteRename(task);
  return *this;
}

std::string AnyGreenThread::Name() const {
  const Task* task = Checked();
  if (task->named()) return std::string(task->name());
  if (task->is_main) return "main";
  return absl::StrCat(task->is_green_thread ? "GreenThread-" : "Greenlet-", MinimalIdent());
}

std::uint64_t AnyGreenThread::MinimalIdent() const {
  Task* task = CheckedHere();
  internal::TaskExtras& extras = task->Extras();
  if (extras.numbers == nullptr) {
    extras.number = task->hub->numbers()->Take();
    extras.numbers = task->hub->numbers();
  }
  return extras.number;
}

AnyGreenThread AnyGreenThread::Spawner() const {
  const Task* task = CheckedHere();
  Task* spawner = task->spawner != 0 ? task->hub->Find(task->spawner) : nullptr;
  if (spawner != nullptr) Hub::Ref(spawner);
  return AnyGreenThread(spawner);
}

AnyGreenThread CurrentGreenThread() {
  Task* task = Hub::Current().CurrentTask();
  Hub::Ref(task);
  return AnyGreenThread(task);
}

}  // namespace verdant
