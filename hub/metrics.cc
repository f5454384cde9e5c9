#include "hub/metrics.h"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hub/internal/hub_registry.h"
#include "hub/shared_semaphore.h"

namespace verdant {
namespace {

// What the hubs answer. Outlives who asked: an answer may come too late.
struct Answers {
  std::mutex mutex;
  std::vector<HubMetrics> hubs;  // guarded by mutex
  std::vector<bool> gone;        // guarded by mutex
  SharedSemaphore arrived{0};    // one for each that has answered or is gone
};

// A question on its way to a hub. Dropped unanswered, it says that the hub is gone.
class Question {
 public:
  Question(std::shared_ptr<Answers> answers, std::size_t index)
      : answers_(std::move(answers)), index_(index) {}
  Question(Question&& other) noexcept
      : answers_(std::exchange(other.answers_, nullptr)), index_(other.index_) {}
  Question& operator=(Question&&) = delete;
  ~Question() {
    if (answers_ == nullptr) return;
    {
      const std::lock_guard<std::mutex> lock(answers_->mutex);
      answers_->gone[index_] = true;
    }
    answers_->arrived.Release();
  }

  void Answer() {
    HubMetrics metrics = CollectOwnMetrics();
    const std::shared_ptr<Answers> answers = std::move(answers_);
    {
      const std::lock_guard<std::mutex> lock(answers->mutex);
      answers->hubs[index_] = std::move(metrics);
    }
    answers->arrived.Release();
  }

 private:
  std::shared_ptr<Answers> answers_;
  const std::size_t index_;
};

std::string OwnThreadName() {
  std::array<char, 16> name = {};
  pthread_getname_np(pthread_self(), name.data(), name.size());
  return name.data();
}

// Of one that cannot say it itself.
std::string ThreadName(int thread) {
  std::ifstream file(absl::StrCat("/proc/self/task/", thread, "/comm"));
  std::string name;
  std::getline(file, name);
  return name;
}

}  // namespace

HubMetrics CollectOwnMetrics() {
  const Hub& hub = Hub::Current();
  HubMetrics metrics;
  metrics.hub = hub.number();
  metrics.thread = hub.thread();
  metrics.thread_name = OwnThreadName();
  metrics.answered = true;
  metrics.counts = hub.counts();
  metrics.states = hub.CountStates();
  metrics.turn_times = hub.turn_times();
  metrics.timer_lag = hub.timer_lag();
  return metrics;
}

std::vector<HubMetrics> CollectMetrics(Deadline deadline) {
  const std::vector<internal::ListedHub> listed = internal::ListHubs();
  const auto answers = std::make_shared<Answers>();
  answers->hubs.resize(listed.size());
  answers->gone.resize(listed.size());
  const Hub* own = internal::current_hub;
  if (own != nullptr && own->OnHubStack())
    throw std::logic_error("CollectMetrics waits, which nothing may in a hub callback");
  for (std::size_t i = 0; i < listed.size(); ++i) {
    answers->hubs[i].hub = listed[i].number;
    answers->hubs[i].thread = static_cast<int>(listed[i].thread_id);
    answers->hubs[i].thread_name = ThreadName(answers->hubs[i].thread);
  }
  for (std::size_t i = 0; i < listed.size(); ++i) {
    Question question(answers, i);
    if (listed[i].own) {
      question.Answer();
      continue;
    }
    listed[i].mailbox->Post([question = std::move(question)]() mutable { question.Answer(); });
  }
  for (std::size_t i = 0; i < listed.size(); ++i) {
    if (!answers->arrived.Acquire(deadline)) break;
  }
  std::vector<HubMetrics> hubs;
  const std::lock_guard<std::mutex> lock(answers->mutex);
  for (std::size_t i = 0; i < listed.size(); ++i) {
    if (!answers->gone[i]) hubs.push_back(answers->hubs[i]);
  }
  return hubs;
}

}  // namespace verdant
