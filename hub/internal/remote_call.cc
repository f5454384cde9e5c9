#include "hub/internal/remote_call.h"

#include <mutex>
#include <stdexcept>
#include <string>

#include "absl/strings/str_cat.h"
#include "hub/handle.h"

namespace verdant::internal {

// While the call runs, on its green thread's stack.
struct RemoteCall::Running final : DeskResident {
  explicit Running(std::shared_ptr<RemoteCall>& c) : call(c) {
    WakeDesk::Current().Enter(*this);
    call->task_.store(Hub::Current().CurrentTask(), std::memory_order_relaxed);
  }
  ~Running() override { call->task_.store(nullptr, std::memory_order_relaxed); }
  // The green thread is left where it waits, and what its body captured with it.
  void OnHubGone() noexcept override {
    const std::shared_ptr<RemoteCall> gone = std::move(call);
    gone->task_.store(nullptr, std::memory_order_relaxed);
    gone->Finish(
        std::make_exception_ptr(std::runtime_error("the hub that made the call has ended")));
  }
  std::shared_ptr<RemoteCall>& call;
};

void RemoteCall::Run(std::shared_ptr<RemoteCall> call) noexcept {
  {
    const std::lock_guard<std::mutex> lock(call->mutex);
    if (call->stage_.load(std::memory_order_relaxed) != Stage::kUnbegun) return;
    call->stage_.store(Stage::kBegun, std::memory_order_release);
    call->home_.emplace(Hub::Current());
  }
  // Also while what the body captured ends, which may block.
  Running running(call);
  std::exception_ptr error;
  try {
    call->Invoke();
  } catch (...) {
    error = std::current_exception();
  }
  call->task_.store(nullptr, std::memory_order_relaxed);  // a destructor is not to be killed
  call->DropBody();
  call->Finish(std::move(error));
}

bool RemoteCall::Cancel(const std::exception_ptr& error) noexcept {
  const std::shared_ptr<SharedState> self = shared_from_this();
  {
    const std::lock_guard<std::mutex> lock(mutex);
    if (stage_.load(std::memory_order_relaxed) != Stage::kUnbegun) return false;
    stage_.store(Stage::kBegun, std::memory_order_relaxed);
  }
  DropBody();
  Finish(error);
  return true;
}

void RemoteCall::Finish(std::exception_ptr error) noexcept {
  bool unseen = false;
  {
    WakeUps wake_ups;
    const std::lock_guard<std::mutex> lock(mutex);
    error_ = std::move(error);
    stage_.store(Stage::kDone, std::memory_order_release);
    while (SharedWaiter* waiter = line_.front()) {
      waiter->Resume(SharedWaiter::Outcome::kServed, wake_ups);
    }
    if (handles_.load(std::memory_order_acquire) == 0) unseen = TakeUnseen();
  }
  if (unseen) Report();
}

void RemoteCall::Kill(const std::exception_ptr& error) {
  if (error == nullptr) throw std::logic_error("RemoteGreenThread::Kill with no exception");
  if (Cancel(error)) return;
  std::optional<Hub::Remote> home;
  {
    const std::lock_guard<std::mutex> lock(mutex);
    if (stage_.load(std::memory_order_relaxed) == Stage::kBegun) home = home_;
  }
  if (!home) return;
  home->Post([self = shared_from_this(), this, error] {
    Task* task = task_.load(std::memory_order_relaxed);
    if (task == nullptr) return;
    Hub::Ref(task);
    AnyGreenThread(task).KillSoon(error);
  });
}

bool RemoteCall::Await(Deadline deadline) {
  if (!done()) {
    Task* running = task_.load(std::memory_order_relaxed);
    if (running != nullptr && current_hub != nullptr &&
        running == fiber_thread.current->scheduled) {
      throw std::logic_error("a green thread waits for itself");
    }
    SharedWaiter waiter(*this, "RemoteGreenThread::Join");
    std::unique_lock<std::mutex> lock(mutex);
    if (!done()) {
      line_.PushBack(waiter);
      if (waiter.Wait(lock, deadline) != SharedWaiter::Outcome::kServed) return false;
    }
  }
  ErrorSeen();
  return true;
}

void RemoteCall::ErrorSeen() {
  if (error_ == nullptr) return;
  const std::lock_guard<std::mutex> lock(mutex);
  error_seen_ = true;
}

void RemoteCall::DropHandle() noexcept {
  if (handles_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  bool unseen = false;
  {
    const std::lock_guard<std::mutex> lock(mutex);
    if (stage_.load(std::memory_order_relaxed) == Stage::kDone) unseen = TakeUnseen();
  }
  if (unseen) Report();
}

bool RemoteCall::TakeUnseen() noexcept {
  if (error_ == nullptr || error_seen_ || IsGreenletExit(error_)) return false;
  error_seen_ = true;
  return true;
}

void RemoteCall::Report() noexcept {
  std::string context = "a call from another thread";
  if (site_.line() != 0) {
    absl::StrAppend(&context, ", spawned at ", site_.file_name(), ":", site_.line());
  }
  absl::StrAppend(&context, ", which nobody waited for");
  // By way of the call, not a copy of the error: how often an exception is referred to is counted
  // inside the C++ runtime, where no sanitizer sees that the last reader came before its end.
  const auto report = [context = std::move(context), self = shared_from_this(), this] {
    Hub::Current().ReportUncaught(context, error_);
  };
  // Its own hub, if that still is; else the one here, if there is one. At once if they are the
  // same: what is posted by its last green thread comes too late for a hub that ends.
  const bool away = home_ && !(current_hub != nullptr && home_->LeadsTo(*current_hub));
  if (!(away && home_->Post(report)) && current_hub != nullptr) report();
}

}  // namespace verdant::internal
