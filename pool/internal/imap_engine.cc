#include "pool/internal/imap_engine.h"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <utility>

#include "greenlet/exit.h"
#include "greenlet/internal/fiber.h"
#include "hub/timeout.h"

namespace verdant::internal {
namespace {

class CancelInterrupt final : public Interrupt {
 public:
  [[noreturn]] void Raise() override {
    const std::unique_ptr<CancelInterrupt> self(this);
    throw GreenletExit();
  }
};

VariableMapRef SharedVariables() {
  VariableMap* variables = CurrentVariables();
  if (variables != nullptr) VariableMap::Ref(variables);
  return VariableMapRef(variables);
}

template <typename T>
class Increment {
 public:
  explicit Increment(T& count) : count_(count) { ++count_; }
  Increment(const Increment&) = delete;
  Increment& operator=(const Increment&) = delete;
  ~Increment() { --count_; }

 private:
  T& count_;
};

}  // namespace

// The body of a worker's green thread; in the list of workers for as long as that may run.
struct ImapEngine::Worker : ListNode {
  explicit Worker(ImapEngine* e) : engine(*e) {}
  ~Worker() { engine.WorkerIsGone(*this); }
  void operator()() { engine.Work(*this); }
  // It has come to its work.
  void Arrive() {
    if (std::exchange(called_up, false)) --engine.called_up_;
  }

  ImapEngine& engine;
  Task* task = nullptr;
  bool called_up = false;
  bool busy = false;  // in the input's code or in f
};

struct ImapEngine::Idler : Waiter {
  explicit Idler(Worker& w) : Waiter(w.task), worker(w) {}
  Worker& worker;
};

ImapEngine::ImapEngine(Limits limits)
    : hub_(Hub::Current()),
      context_(SharedVariables()),
      size_(limits.size),
      ahead_(limits.ahead),
      worker_limit_(std::min(size_ + 1, ahead_)) {}

void ImapEngine::Start(SourceLocation site) {
  site_ = site;
  Feed();
}

void ImapEngine::FeedSlow() {
  const std::uint64_t work = MayCall() ? 1 : ahead_ - (pulled_ - taken_);
  // As many as there are calls waiting, so that the workers double with each round of the hub's
  // queue while all calls wait; but where calls never wait, one worker makes them all and the
  // others are left alone.
  const std::uint64_t wanted = std::min(std::max<std::uint64_t>(2, running_), work);
  while (called_up_ < wanted) {
    if (auto* idler = static_cast<Idler*>(idle_.PopFront())) {
      idler->worker.called_up = true;
      ++called_up_;
      hub_.Wake(idler->task);
    } else if (worker_count_ < worker_limit_) {
      SpawnWorker();
    } else {
      return;
    }
  }
}

void ImapEngine::SpawnWorker() {
  using WorkerTask = BodyTask<ResultTask<void>, Worker>;
  WorkerTask* task = WorkerTask::Make(&hub_, this);
  task->own_fiber.SetSite(site_);
  if (context_.get() != nullptr) ShareVariables(context_.get(), task->own_fiber);
  task->refs = 1;
  Worker& worker = task->body;
  worker.task = task;
  worker.called_up = true;
  ++called_up_;
  ++worker_count_;
  workers_.PushBack(&worker);
  hub_.Start(task);
}

void ImapEngine::Work(Worker& self) {
  self.Arrive();
  while (!cancelled_) {
    if (MayCall()) {
      CallNext(self);
    } else if (MayPull()) {
      PullNext(self);
    } else if (exhausted_ && !has_input_) {
      return;
    } else {
      Idle(self);
    }
  }
}

void ImapEngine::PullNext(Worker& self) {
  bool more = false;
  pulling_ = true;
  self.busy = true;
  try {
    more = Pull();
  } catch (...) {
    if (cancelled_) throw;
    input_error_ = std::current_exception();
  }
  self.busy = false;
  pulling_ = false;
  if (more) {
    ++pulled_;
    has_input_ = true;
    return;
  }
  exhausted_ = true;
  DismissIdle();
  if (NothingToCome()) NotifyConsumer();
}

void ImapEngine::CallNext(Worker& self) {
  const std::uint64_t ordinal = pulled_ - 1;
  has_input_ = false;
  const Increment running(running_);
  Feed();
  self.busy = true;
  Call(ordinal);
  self.busy = false;
  if (self.task->own_fiber.variables != context_.get()) [[unlikely]]
    ReplaceCurrentVariables(context_);
}

void ImapEngine::Idle(Worker& self) {
  Idler idler(self);
  idle_.PushFront(&idler);
  hub_.Park(self.task, {"imap: the next input"});
  self.Arrive();
}

void ImapEngine::DismissIdle() {
  while (Waiter* idler = idle_.PopFront()) hub_.Wake(idler->task);
}

void ImapEngine::WorkerIsGone(Worker& worker) {
  worker.Unlink();
  --worker_count_;
  const bool never_ran = !worker.task->started;
  worker.Arrive();
  if (cancelled_) {
    if (!workers_.empty()) return;
    if (canceller_ != nullptr) hub_.Wake(canceller_);
    if (destroyed_by_last_) delete this;
    return;
  }
  if (exhausted_ && !has_input_) return;
  if (!never_ran) {
    Feed();
    return;
  }
  // No stack was to be had. Those that have one go on; without any the imap ends here.
  worker_limit_ = worker_count_;
  if (worker_count_ > 0) return;
  if (std::exchange(has_input_, false)) --pulled_;
  input_error_ = worker.task->error();
  exhausted_ = true;
  if (NothingToCome()) NotifyConsumer();
}

bool ImapEngine::AwaitNext(Deadline deadline) {
  if (consumers_.empty()) {
    if (NextIsThere()) return true;
    if (NothingToCome()) return false;
  }
  if (&hub_ != current_hub) [[unlikely]]
    throw std::logic_error("the results of an imap belong to another thread or process");
  const absl::Duration patience = deadline.Remaining();
  struct Reader : Line::Place {
    Reader(ImapEngine& e, Task* reader) : Place(e.consumers_, reader), engine(e) {}
    ~Reader() {
      Leave();
      engine.NotifyConsumer();
    }
    ImapEngine& engine;
  } reader(*this, hub_.CurrentTask());
  for (;;) {
    const WakeReason reason = reader.Wait(deadline);
    if (reader.called()) {
      if (NextIsThere()) return true;
      if (NothingToCome()) return false;
    }
    if (reason == WakeReason::kTimedOut) throw TimeoutExpired(0, patience);
    reader.Return();
  }
}

void ImapEngine::CancelWorkers() {
  DismissIdle();
  for (Worker* worker = workers_.front(); worker != nullptr; worker = workers_.next(worker)) {
    if (worker->busy) hub_.Deliver(worker->task, new CancelInterrupt);
  }
}

void ImapEngine::End(ImapEngine* engine) noexcept {
  engine->cancelled_ = true;
  if (!engine->workers_.empty()) {
    Hub& hub = engine->hub_;
    if (&hub != current_hub) return;
    engine->CancelWorkers();
    if (hub.OnHubStack()) {
      engine->destroyed_by_last_ = true;
      return;
    }
    engine->canceller_ = hub.CurrentTask();
    while (!engine->workers_.empty()) {
      hub.ParkUninterrupted(engine->canceller_, {"imap: the end of its calls"});
    }
  }
  delete engine;
}

}  // namespace verdant::internal
