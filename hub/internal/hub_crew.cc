#include "hub/internal/hub_crew.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

#include <algorithm>
#include <stdexcept>
#include <unordered_set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hub/handle.h"
#include "hub/spawn.h"

namespace verdant::internal {
namespace {

// So much is taken from another one's queue at a time, if it has twice as much.
constexpr std::size_t kMostTaken = 16;
// How often those that are spawned while all are being killed are looked for.
constexpr absl::Duration kKillAgain = absl::Milliseconds(10);

constinit thread_local const CrewMember* here = nullptr;

// How many forks lie between the first process and this.
constinit std::uint64_t fork_generation = 0;

std::uint64_t ForkGeneration() {
  static std::once_flag once;
  std::call_once(once, [] { pthread_atfork(nullptr, nullptr, [] { ++fork_generation; }); });
  return fork_generation;
}

void Name(const std::string& name, std::size_t index) {
  constexpr std::size_t kLongest = 15;
  pthread_setname_np(pthread_self(), absl::StrCat(name, "-", index).substr(0, kLongest).c_str());
}

// To the index-th of the processors that this process may run on, over and over.
void Pin(std::size_t index) {
  cpu_set_t all;
  CPU_ZERO(&all);
  int error = pthread_getaffinity_np(pthread_self(), sizeof(all), &all);
  if (error == 0) {
    std::size_t left = index % static_cast<std::size_t>(CPU_COUNT(&all));
    int cpu = 0;
    while (!CPU_ISSET(cpu, &all) || left-- != 0) ++cpu;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    error = pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
  }
  if (error != 0)
    throw std::runtime_error(absl::StrCat("HubGroup: pinning a thread: ", strerror(error)));
}

}  // namespace

// ---- One thread. ----

struct CrewMember::Counted {
  explicit Counted(CrewMember* m) : member(m) { member->live_.fetch_add(1); }
  Counted(Counted&& other) noexcept : member(std::exchange(other.member, nullptr)) {}
  ~Counted() {
    if (member != nullptr) member->live_.fetch_sub(1);
  }
  CrewMember* member;
};

void CrewMember::Main(std::promise<void> started) {
  here = this;
  const HubCrew::Options& options = crew_.options_;
  std::optional<Hub::Keepalive> keepalive;
  try {
    Name(options.name, index_);
    if (options.pin) Pin(index_);
    hub_ = &Hub::Configure(options.hub);
    hub_->SetErrorHandler(options.on_uncaught);
    pump_ = hub_->CurrentTask();
    remote_.emplace(*hub_);
    keepalive.emplace(*hub_);
    started.set_value();
  } catch (...) {
    started.set_exception(std::current_exception());
    crew_.MemberEnded();
    return;
  }
  Pump();
  KillRest();
  crew_.MemberEnded();
}

void CrewMember::Pump() {
  BeforePoll before(*this);
  AfterPoll after(*this);
  hub_->hooks().prepare.PushBack(&before);
  hub_->hooks().check.PushBack(&after);
  while (!TimeIsUp()) {
    CrewWork work;
    if (!Take(work)) {
      pump_waits_.store(true);
      const bool found = Take(work);
      if (!found) {
        Task* other = stopping_ ? hub_->OldestGreenThread() : nullptr;
        if (stopping_ && other == nullptr) return;
        AwaitEnd(other, stop_at_);
      }
      pump_waits_.store(false);
      if (!found) continue;
    }
    BeginHere(std::move(work));
    hub_->Yield();
  }
}

void CrewMember::AwaitEnd(Task* other, Deadline deadline) {
  Waiter waiter(pump_);
  if (other != nullptr) other->joiners.PushBack(&waiter);
  hub_->Park(pump_, {other != nullptr ? "HubGroup: stopping" : "HubGroup: no work"}, deadline);
}

void CrewMember::KillRest() {
  std::deque<CrewWork> dropped;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    dropped.swap(queue_);
    queue_size_.store(0);
    crew_.queued_.fetch_sub(static_cast<std::int64_t>(dropped.size()));
  }
  if (!dropped.empty()) crew_.killed_.store(true);
  dropped.clear();
  std::unordered_set<std::uint64_t> killed;
  const Deadline give_up = crew_.options_.unwind_within;
  while (hub_->OldestGreenThread() != nullptr) {
    crew_.killed_.store(true);
    if (give_up.Passed()) {
      hub_->ReportUncaught(
          "the end of a HubGroup: not ended in time, and left where they wait:\n" + hub_->Dump(),
          std::make_exception_ptr(GreenletExit()));
      return;
    }
    for (Task* task : hub_->GreenThreads()) {
      if (!killed.insert(task->own_fiber.id).second) continue;
      Hub::Ref(task);
      AnyGreenThread(task).KillSoon();
    }
    const Deadline again = std::min(give_up, Deadline(kKillAgain));
    for (Task* task = hub_->OldestGreenThread(); task != nullptr && !again.Passed();
         task = hub_->OldestGreenThread()) {
      AwaitEnd(task, again);
    }
  }
}

void CrewMember::LookBeforeSleep() {
  if (hub_->AnyRunnable()) return;
  if (crew_.queued_.load() <= 0) {
    drained_.store(true);
    if (crew_.queued_.load() <= 0) return;
    drained_.store(false);
  }
  WakePump();
}

void CrewMember::BeginHere(CrewWork work) {
  SpawnNWith(work.context, work.site,
             [counted = Counted(this), run = std::move(work.run)]() mutable { run(); });
}

bool CrewMember::Begin(CrewWork work) {
  if (here == this) {
    BeginHere(std::move(work));
    return true;
  }
  // What is taken is posted before the word to stop is.
  const std::lock_guard<std::mutex> lock(mutex_);
  if (closed_) return false;
  return remote_->Post([this, work = std::move(work)]() mutable { BeginHere(std::move(work)); });
}

bool CrewMember::Push(CrewWork& work) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (closed_) return false;
  queue_.push_back(std::move(work));
  queue_size_.store(queue_.size(), std::memory_order_relaxed);
  crew_.queued_.fetch_add(1);
  return true;
}

void CrewMember::Nudge() {
  if (pump_waits_.exchange(false)) remote_->Post([this] { WakePump(); });
}

void CrewMember::Close() {
  const std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
}

void CrewMember::StopAfter(absl::Duration patience) {
  if (!remote_) return;  // it did not even start
  remote_->Post([this, patience] {
    stopping_ = true;
    stop_at_ = std::min(stop_at_, Deadline(patience));
    WakePump();
  });
}

bool CrewMember::Pop(CrewWork& work) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (queue_.empty()) return false;
  work = std::move(queue_.front());
  queue_.pop_front();
  queue_size_.store(queue_.size(), std::memory_order_relaxed);
  crew_.queued_.fetch_sub(1);
  return true;
}

bool CrewMember::Take(CrewWork& work) {
  if (queued() != 0 && Pop(work)) return true;
  const std::size_t size = crew_.size();
  for (std::size_t i = 1; i < size && crew_.queued_.load() > 0; ++i) {
    CrewMember& other = *crew_.members_[(index_ + i) % size];
    if (other.queued() == 0) continue;
    std::deque<CrewWork> taken;
    {
      const std::lock_guard<std::mutex> lock(other.mutex_);
      const std::size_t half = std::min(kMostTaken, (other.queue_.size() + 1) / 2);
      for (; taken.size() < half; other.queue_.pop_front())
        taken.push_back(std::move(other.queue_.front()));
      other.queue_size_.store(other.queue_.size(), std::memory_order_relaxed);
    }
    if (taken.empty()) continue;
    work = std::move(taken.front());
    taken.pop_front();
    crew_.queued_.fetch_sub(1);
    const std::lock_guard<std::mutex> lock(mutex_);
    for (CrewWork& rest : taken) queue_.push_back(std::move(rest));
    queue_size_.store(queue_.size(), std::memory_order_relaxed);
    return true;
  }
  // What was counted between the look at one's own queue and at the count.
  return Pop(work);
}

// ---- All of them. ----

HubCrew::HubCrew(Options options)
    : options_(std::move(options)), fork_generation_(ForkGeneration()) {
  for (std::size_t i = 0; i < options_.threads; ++i)
    members_.push_back(std::make_unique<CrewMember>(*this, i));
  try {
    StartThreads();
  } catch (...) {
    Stop(absl::ZeroDuration(), /*interruptible=*/false);
    throw;
  }
}

void HubCrew::StartThreads() {
  std::vector<std::future<void>> started;
  for (const auto& member : members_) {
    std::promise<void> promise;
    started.push_back(promise.get_future());
    {
      // One that fails to start has ended already.
      const std::lock_guard<std::mutex> lock(ending_->mutex);
      ++ending_->running;
    }
    try {
      threads_.emplace_back([&crew_member = *member, p = std::move(promise)]() mutable {
        crew_member.Main(std::move(p));
      });
    } catch (...) {
      MemberEnded();
      for (std::future<void>& future : started) {
        if (future.valid()) future.wait();
      }
      throw;
    }
  }
  for (std::future<void>& future : started) future.wait();
  for (std::future<void>& future : started) future.get();
}

HubCrew::~HubCrew() { JoinThreads(); }

CrewMember& HubCrew::member(std::size_t index) {
  if (index >= members_.size()) {
    throw std::logic_error(
        absl::StrCat("HubGroup: there is no thread ", index, " of ", members_.size()));
  }
  return *members_[index];
}

std::optional<std::size_t> HubCrew::Here() const {
  if (here == nullptr || &here->crew() != this) return std::nullopt;
  return here->index();
}

bool HubCrew::Push(CrewWork work) {
  const std::size_t size = members_.size();
  const std::size_t start = next_.fetch_add(1, std::memory_order_relaxed);
  CrewMember* target = nullptr;
  std::pair<bool, std::size_t> least;  // busy, and with how much
  for (std::size_t i = 0; i < size; ++i) {
    CrewMember& member = *members_[(start + i) % size];
    const std::size_t queued = member.queued();
    const std::pair<bool, std::size_t> load{!member.drained() || queued != 0,
                                            member.live() + queued};
    if (target != nullptr && load >= least) continue;
    target = &member;
    least = load;
  }
  if (!target->Push(work)) return false;
  target->Nudge();
  if (least.first) {
    for (std::size_t i = 0; i < size; ++i) {
      CrewMember& member = *members_[(start + i) % size];
      if (&member == target || !member.drained()) continue;
      member.Nudge();
      break;
    }
  }
  return true;
}

bool HubCrew::Stop(absl::Duration patience, bool interruptible) {
  closed_.store(true, std::memory_order_release);
  for (const auto& member : members_) member->Close();
  for (const auto& member : members_) member->StopAfter(patience);
  const bool blocks = !interruptible && current_hub != nullptr && current_hub->OnHubStack();
  {
    SharedWaiter waiter(
        *ending_, "HubGroup::Stop",
        blocks ? SharedWaiter::How::kBlocksThread : SharedWaiter::How::kParksIfGreen);
    std::unique_lock<std::mutex> lock(ending_->mutex);
    if (ending_->running != 0) {
      ending_->line.PushBack(waiter);
      if (interruptible) {
        waiter.Wait(lock, Deadline::Never());
      } else {
        waiter.WaitUninterrupted(lock);
      }
    }
  }
  JoinThreads();
  return !killed_.load();
}

void HubCrew::MemberEnded() {
  WakeUps wake_ups;
  const std::lock_guard<std::mutex> lock(ending_->mutex);
  if (--ending_->running != 0) return;
  while (SharedWaiter* waiter = ending_->line.front())
    waiter->Resume(SharedWaiter::Outcome::kServed, wake_ups);
}

void HubCrew::JoinThreads() {
  const std::lock_guard<std::mutex> lock(join_mutex_);
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

bool HubCrew::InForkedChild() const { return fork_generation != fork_generation_; }

}  // namespace verdant::internal
