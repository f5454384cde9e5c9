#ifndef VERDANT_TESTS_CONFORMANCE_CORES_WORLD_H_
#define VERDANT_TESTS_CONFORMANCE_CORES_WORLD_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "hub/clock.h"
#include "hub/hub_group.h"
#include "hub/shared_event.h"
#include "hub/shared_semaphore.h"
#include "pool/shared_queue.h"

namespace verdant {

// The seeds to try, from `first`: as many as VERDANT_STRESS_ROUNDS in the environment says, else
// `usual` of them; or the one of VERDANT_STRESS_SEED.
std::vector<std::uint64_t> StressSeeds(std::uint64_t first, std::uint64_t usual);

class Chance {
 public:
  explicit Chance(std::uint64_t seed) : random_(seed) {}
  int Below(int n) { return static_cast<int>(random_() % static_cast<std::uint64_t>(n)); }
  bool OneIn(int n) { return Below(n) == 0; }
  Deadline Soon() { return absl::Microseconds(Below(300)); }
  Deadline SoonOrNever() { return OneIn(3) ? Deadline::Never() : Soon(); }

 private:
  std::mt19937_64 random_;
};

// Lets others run, green thread or not.
void Pause(Chance& chance);

// What was seen that must not be, each kind once.
class Violations {
 public:
  void Note(const std::string& what);
  std::string text() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> texts_;
};

struct Tally {
  std::atomic<int> made{0};
  std::atomic<int> consumed{0};
  std::atomic<int> kept{0};  // by who could not put it
  std::atomic<int> lost{0};
};

// Something that must not vanish on its way.
class Item {
 public:
  explicit Item(Tally& tally) : tally_(tally) { ++tally.made; }
  Item(const Item&) = delete;
  Item& operator=(const Item&) = delete;
  ~Item() { ++(consumed_ ? tally_.consumed : kept_ ? tally_.kept : tally_.lost); }
  void Consume() { consumed_ = true; }
  void Keep() { kept_ = true; }

 private:
  Tally& tally_;
  bool consumed_ = false;
  bool kept_ = false;
};

// Hubs and plain threads that put, get, lock, send, post, call, spawn and kill, and what must hold
// whatever they do. Outlives the group.
class CoresWorld {
 public:
  static constexpr int kPermits = 2;
  static constexpr std::size_t kRoom = 4;

  explicit CoresWorld(HubGroup& group) : group_(&group) {}
  CoresWorld(const CoresWorld&) = delete;
  CoresWorld& operator=(const CoresWorld&) = delete;

  // What everybody does, green thread or not, until it is killed or has done enough: `steps` things
  // by chance, after each of which what must hold is looked at.
  void Work(std::uint64_t seed, int steps, bool may_spawn = true);
  // The same in a green thread of the group that the others may kill.
  void SpawnWorker(std::uint64_t seed, int steps, Chance& chance);
  // Gives and takes, so that whoever waits without a deadline goes on.
  void Feed(Chance& chance);

  void KillAny(Chance& chance);
  std::vector<RemoteGreenThread<void>> workers() const;
  // All who wait for items give up.
  void Close();

  // What must hold when all have ended and nobody waits: "" if it does. What is in the queues is
  // consumed for it.
  std::string Conclude();

 private:
  using ItemPtr = std::unique_ptr<Item>;
  // Events that are replaced when they are sent, each with its number for a value.
  struct Place {
    std::mutex mutex;
    int number = 0;
    std::shared_ptr<SharedEvent<int>> event = std::make_shared<SharedEvent<int>>();
  };

  // A call that is made once, or destroyed.
  struct Posted {
    explicit Posted(CoresWorld& w) : world(&w) { ++w.posts_asked_; }
    Posted(Posted&& other) noexcept : world(std::exchange(other.world, nullptr)) {}
    Posted& operator=(Posted&&) = delete;
    ~Posted() {
      if (world != nullptr) ++world->posts_dropped_;
    }
    void operator()() { ++std::exchange(world, nullptr)->posts_run_; }
    CoresWorld* world;
  };

  void Step(Chance& chance, bool may_spawn);
  void Check(std::thread::id home);
  void PutOne(SharedQueue<ItemPtr>& queue, Chance& chance);
  void GetOne(SharedQueue<ItemPtr>& queue, Chance& chance);
  void HoldPermit(Chance& chance);
  void SendOne(Chance& chance);
  void AwaitOne(Chance& chance);
  void PostOne(Chance& chance);
  void CallOver(Chance& chance);
  void SpawnOne(Chance& chance);
  std::size_t AnyHub(Chance& chance) {
    return static_cast<std::size_t>(chance.Below(static_cast<int>(hubs_)));
  }

  HubGroup* const group_;
  const std::size_t hubs_ = group_->size();
  Violations violations_;
  Tally tally_;
  SharedQueue<ItemPtr> queue_{kRoom};
  SharedChannel<ItemPtr> channel_;
  SharedSemaphore permits_{kPermits};
  std::array<Place, 4> places_;
  std::atomic<int> inside_{0};
  std::atomic<int> posts_asked_{0};
  std::atomic<int> posts_run_{0};
  std::atomic<int> posts_dropped_{0};
  mutable std::mutex workers_mutex_;
  std::vector<RemoteGreenThread<void>> workers_;
};

}  // namespace verdant

#endif  // VERDANT_TESTS_CONFORMANCE_CORES_WORLD_H_
