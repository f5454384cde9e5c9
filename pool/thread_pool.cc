#include "pool/thread_pool.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <vector>

#include "absl/strings/str_cat.h"

namespace verdant {

using internal::ThreadCrew;
using internal::ThreadDesk;

namespace {

// Leaves room for one more.
std::int64_t Checked(std::int64_t size, const char* what) {
  if (size < 0) {
    throw std::logic_error(absl::StrCat("ThreadPool: ", what, " must not be negative: ", size));
  }
  return std::min(size, std::numeric_limits<std::int64_t>::max() - 1);
}

// Besides those that run, one may be queued: a thread that ends a call finds the next at hand.
std::shared_ptr<ThreadDesk> NewDesk(std::int64_t max_size) {
  return std::make_shared<ThreadDesk>(max_size + 1);
}

// Of a parent's pool in its forked child: threads that do not exist here may have held its lock, so
// that it must be neither used nor destroyed.
void LeaveToParent(std::shared_ptr<void> object) {
  static auto& left = *new std::vector<std::shared_ptr<void>>;
  left.push_back(std::move(object));
}

}  // namespace

namespace internal {

ThreadTicket::ThreadTicket(ThreadPool& pool, std::shared_ptr<ThreadJob> job, Deadline deadline)
    : job_(std::move(job)) {
  const std::shared_ptr<ThreadDesk> desk = pool.desk_;
  pool.hub_->CurrentTask();  // throws where nothing may block
  bool room = false;
  try {
    room = desk->slots.Acquire(deadline);
  } catch (...) {
    // Room may have been given to this caller already; it is back now, and nobody else would
    // notice.
    desk->over.WakeAll();
    throw;
  }
  if (!room) throw PoolFull();
  job_->desk_ = desk;
  try {
    pool.Crew().Submit(job_);
  } catch (...) {
    desk->CallEnded();
    throw;
  }
  crew_ = pool.crew_;
}

void ThreadTicket::Leave(ThreadPool& pool, std::shared_ptr<ThreadJob> job) {
  const std::shared_ptr<ThreadDesk> desk = pool.desk_;
  desk->slots.Adjust(-1);
  job->desk_ = desk;
  job->abandoned_ = true;
  try {
    pool.Crew().Submit(std::move(job));
  } catch (...) {
    desk->CallEnded();
    throw;
  }
}

ThreadTicket::~ThreadTicket() {
  if (job_ == nullptr || job_->done_) return;
  job_->abandoned_ = true;
  // Another hub, or none: this thread's has ended, or this is a forked child.
  if (current_hub != job_->hub_ || !crew_->Withdraw(job_.get())) return;
  job_->keepalive_.reset();
  if (const std::shared_ptr<ThreadDesk> desk = job_->desk_.lock()) desk->CallEnded();
}

bool ThreadTicket::Wait(Deadline deadline) {
  if (job_->done_) return true;
  Hub& hub = *job_->hub_;
  struct Waiting {
    ThreadJob& job;
    ~Waiting() { job.waiter_ = nullptr; }
  } const waiting{*job_};
  job_->waiter_ = hub.CurrentTask();
  WakeReason reason = WakeReason::kNotified;
  while (!job_->done_ && reason != WakeReason::kTimedOut) {
    reason = hub.Park(job_->waiter_, {"ThreadPool::Apply"}, deadline);
  }
  return job_->done_;
}

}  // namespace internal

ThreadPool::ThreadPool(std::int64_t max_size, absl::Duration idle_task_timeout)
    : hub_(&Hub::Current()),
      process_(getpid()),
      thread_(pthread_self()),
      idle_timeout_(idle_task_timeout),
      max_size_(Checked(max_size, "the size")),
      desk_(NewDesk(max_size_)) {}

ThreadPool::~ThreadPool() {
  if (InForkedChild()) {
    LeaveToParent(std::move(crew_));
    LeaveToParent(std::move(desk_));
  } else if (crew_ != nullptr) {
    crew_->Close(nullptr);
  }
}

bool ThreadPool::InForkedChild() const {
  return internal::current_hub != hub_ && getpid() != process_;
}

void ThreadPool::OnAnotherHub() {
  if (!InForkedChild() || pthread_equal(thread_, pthread_self()) == 0) {
    throw std::logic_error("a ThreadPool belongs to another thread's hub");
  }
  LeaveToParent(std::move(crew_));
  LeaveToParent(std::move(desk_));
  crew_ = nullptr;
  desk_ = NewDesk(max_size_);
  hub_ = &Hub::Current();
  process_ = getpid();
}

ThreadCrew& ThreadPool::Crew() {
  if (crew_ == nullptr) {
    crew_ = std::make_shared<ThreadCrew>(static_cast<std::size_t>(max_size_), idle_timeout_);
  }
  return *crew_;
}

bool ThreadPool::Join(Deadline deadline) {
  CheckThread();
  const std::shared_ptr<ThreadDesk> desk = desk_;
  while (Pending() != 0 || Waiting() != 0) {
    if (!desk->over.Wait({"ThreadPool::Join"}, deadline)) return false;
  }
  return true;
}

bool ThreadPool::KillAll(Deadline deadline) {
  CheckThread();
  const std::shared_ptr<ThreadDesk> desk = desk_;
  if (const std::shared_ptr<ThreadCrew> crew = std::exchange(crew_, nullptr)) {
    ++desk->ending_crews;
    crew->Close([remote = Hub::Remote(*hub_), keepalive = Hub::Keepalive(*hub_),
                 desk = std::weak_ptr<ThreadDesk>(desk)]() mutable {
      remote.Post([keepalive = std::move(keepalive), desk = std::move(desk)] {
        if (const std::shared_ptr<ThreadDesk> still = desk.lock()) still->CrewEnded();
      });
    });
  }
  while (desk->ending_crews != 0) {
    if (!desk->over.Wait({"ThreadPool::KillAll"}, deadline)) return false;
  }
  return true;
}

std::int64_t ThreadPool::size() const {
  if (crew_ == nullptr || InForkedChild()) return 0;
  return static_cast<std::int64_t>(crew_->size());
}

void ThreadPool::SetSize(std::int64_t size) {
  CheckThread();
  if (Checked(size, "the number of threads") > max_size_) {
    throw std::logic_error(
        absl::StrCat("ThreadPool::SetSize: ", size, " is above the maximum of ", max_size_));
  }
  Crew().SetSize(static_cast<std::size_t>(size));
}

void ThreadPool::SetMaxSize(std::int64_t max_size) {
  CheckThread();
  max_size = Checked(max_size, "the size");
  desk_->slots.Adjust(max_size - max_size_);
  max_size_ = max_size;
  if (crew_ != nullptr) crew_->SetMaxSize(static_cast<std::size_t>(max_size));
}

std::size_t ThreadPool::Pending() const {
  return static_cast<std::size_t>(max_size_ + 1 - desk_->slots.count());
}

}  // namespace verdant
