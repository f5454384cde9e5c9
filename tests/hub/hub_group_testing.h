#ifndef VERDANT_TESTS_HUB_HUB_GROUP_TESTING_H_
#define VERDANT_TESTS_HUB_HUB_GROUP_TESTING_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "hub/errors.h"
#include "hub/hub.h"
#include "hub/hub_group.h"
#include "tests/hub/shared_testing.h"

namespace verdant {

inline HubGroup::Options Two() {
  HubGroup::Options options;
  options.threads = 2;
  return options;
}

// What the hubs of a group report.
class Heard {
 public:
  Hub::ErrorHandler Handler() {
    return [this](const UncaughtError& error) {
      const std::lock_guard<std::mutex> lock(mutex_);
      texts_.push_back(error.context + ": " + DescribeException(error.error));
    };
  }
  std::vector<std::string> texts() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return texts_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> texts_;
};

// Keeps a hub busy from Begin() to End().
class Hog {
 public:
  ~Hog() { End(); }
  void Begin(HubGroup& group, std::size_t index) {
    group.SpawnNOn(index, [running = running_, end = end_] {
      *running = true;
      while (!*end) std::this_thread::yield();
    });
    Until([&] { return running_->load(); });
  }
  void End() { *end_ = true; }

 private:
  std::shared_ptr<std::atomic<bool>> running_ = std::make_shared<std::atomic<bool>>(false);
  std::shared_ptr<std::atomic<bool>> end_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace verdant

#endif  // VERDANT_TESTS_HUB_HUB_GROUP_TESTING_H_
