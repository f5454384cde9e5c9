#ifndef VERDANT_HUB_INTERNAL_LEVEL_POLLER_H_
#define VERDANT_HUB_INTERNAL_LEVEL_POLLER_H_

#include <cstdint>
#include <map>
#include <vector>

#include "hub/internal/poller.h"

namespace verdant::internal {

// What poll(2) and select(2) share: the descriptors live here, not in the kernel, and are only ever
// asked for levels. In order of their numbers.
class LevelPoller : public Poller {
 public:
  explicit LevelPoller(const EdgeMemory& memory) : memory_(memory) {}

  absl::Status Watch(int fd, std::uint32_t events, Trigger trigger, std::uint64_t key,
                     bool already_watched) override;
  void Unwatch(int fd) override { watched_.erase(fd); }
  void AbandonAfterFork() override { watched_.clear(); }

 protected:
  struct Wanted {
    int fd;
    std::uint32_t events;
    std::uint64_t key;
  };

  // What is to be asked about this time: not those whose readiness is known already.
  const std::vector<Wanted>& Collect();
  // `fd` is not open any more: its owner finds out by trying, and is not asked again.
  void Drop(const Wanted& closed);
  void Report(std::uint64_t key, std::uint32_t events) { ready_.push_back({key, events}); }
  void BeginReports() { ready_.clear(); }
  std::span<const Ready> reports() const { return ready_; }

 private:
  struct Watched {
    std::uint32_t events;
    Trigger trigger;
    std::uint64_t key;
  };

  const EdgeMemory& memory_;
  std::map<int, Watched> watched_;
  std::vector<Wanted> wanted_;
  std::vector<Ready> ready_;
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_LEVEL_POLLER_H_
