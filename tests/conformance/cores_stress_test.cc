// Queues, semaphores, posts, kills, deadlines and shutdown between hubs and plain threads, by
// seeded chance: whatever happens, each item comes out once and each permit comes back.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "hub/hub_group.h"
#include "hub/shared_event.h"
#include "hub/shared_semaphore.h"
#include "pool/shared_queue.h"
#include "tests/hub/shared_testing.h"

namespace verdant {
namespace {

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
using ItemPtr = std::unique_ptr<Item>;

class Chance {
 public:
  explicit Chance(std::uint64_t seed) : random_(seed) {}
  int Below(int n) { return static_cast<int>(random_() % static_cast<std::uint64_t>(n)); }
  Deadline Soon() {
    return Below(3) == 0 ? Deadline::Never() : Deadline(absl::Microseconds(Below(300)));
  }

 private:
  std::mt19937_64 random_;
};

struct World {
  Tally tally;
  SharedQueue<ItemPtr> queue{4};
  SharedChannel<ItemPtr> channel;
  SharedSemaphore permits{2};
  std::atomic<int> inside{0};
  std::atomic<int> too_many{0};
  std::atomic<int> posts_asked{0};
  std::atomic<int> posts_run{0};
  std::atomic<int> moved{0};  // green threads that found themselves elsewhere
};

void Pause(Chance& chance) {
  if (internal::current_hub == nullptr) {
    std::this_thread::yield();
  } else if (chance.Below(4) == 0) {
    Sleep(absl::Microseconds(chance.Below(100)));
  } else {
    Sleep();
  }
}

void PutOne(World& world, SharedQueue<ItemPtr>& queue, Chance& chance) {
  struct Owned {
    // Not put: killed, out of time, or closed.
    ~Owned() {
      if (item != nullptr) item->Keep();
    }
    ItemPtr item;
  } owned{std::make_unique<Item>(world.tally)};
  if (chance.Below(4) == 0) {
    static_cast<void>(queue.TryPut(std::move(owned.item)));
  } else {
    static_cast<void>(queue.Put(std::move(owned.item), chance.Soon()));
  }
}

void GetOne(SharedQueue<ItemPtr>& queue, Chance& chance) {
  std::optional<ItemPtr> item = chance.Below(4) == 0 ? queue.TryGet() : queue.Get(chance.Soon());
  if (item) (*item)->Consume();
}

void HoldPermit(World& world, Chance& chance) {
  if (!world.permits.Acquire(chance.Soon())) return;
  struct Held {
    explicit Held(World& w) : world(w) {
      if (++world.inside > 2) ++world.too_many;
    }
    ~Held() {
      --world.inside;
      world.permits.Release();
    }
    World& world;
  } const held(world);
  Pause(chance);
}

// What everybody does, green thread or not, until it is killed or has done enough.
void Work(World& world, HubGroup& group, std::uint64_t seed, int steps) {
  Chance chance(seed);
  const std::thread::id home = std::this_thread::get_id();
  for (int i = 0; i < steps; ++i) {
    SharedQueue<ItemPtr>& queue = chance.Below(3) == 0 ? world.channel : world.queue;
    switch (chance.Below(6)) {
      case 0:
      case 1:
        PutOne(world, queue, chance);
        break;
      case 2:
      case 3:
        GetOne(queue, chance);
        break;
      case 4:
        HoldPermit(world, chance);
        break;
      default:
        ++world.posts_asked;
        if (!group.Post(static_cast<std::size_t>(chance.Below(static_cast<int>(group.size()))),
                        [&world] { ++world.posts_run; })) {
          --world.posts_asked;
        }
        Pause(chance);
    }
    if (std::this_thread::get_id() != home) ++world.moved;
  }
}

void Drain(SharedQueue<ItemPtr>& queue) {
  queue.Close();
  while (std::optional<ItemPtr> item = queue.TryGet()) (*item)->Consume();
}

void Live(std::uint64_t seed, bool abrupt) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  World world;
  {
    HubGroup::Options options;
    options.threads = 3;
    HubGroup group(options);
    Chance chance(seed);
    std::vector<TestThread> threads;
    for (std::uint64_t i = 0; i < 3; ++i) {
      auto work = [&world, &group, s = seed * 31 + i] { Work(world, group, s, 60); };
      threads.push_back(i == 0 ? HubThread(work) : PlainThread(work));
    }
    std::vector<RemoteGreenThread<void>> calls;
    for (std::uint64_t i = 0; i < 40; ++i) {
      auto work = [&world, &group, s = seed * 97 + i] { Work(world, group, s, 30); };
      calls.push_back(i % 3 == 0 ? group.SpawnOn(i % group.size(), work) : group.Spawn(work));
    }
    // Here some are killed, at any point of their lives.
    std::size_t killed = 0;
    for (int i = 0; i < 60; ++i) {
      if (chance.Below(3) == 0) {
        calls[static_cast<std::size_t>(chance.Below(static_cast<int>(calls.size())))].Kill();
        ++killed;
      }
      Pause(chance);
    }
    EXPECT_GT(killed, 0U);
    if (abrupt) {
      group.Stop(absl::Microseconds(chance.Below(2000)));
    } else {
      // Whoever waits without a deadline for what no longer comes.
      auto helper = Spawn([&] {
        Chance own(seed + 1);
        for (;;) {
          PutOne(world, world.queue, own);
          GetOne(world.queue, own);
          PutOne(world, world.channel, own);
          GetOne(world.channel, own);
          Sleep();
        }
      });
      for (auto& call : calls) {
        if (!call.Join(absl::Seconds(2))) call.KillAndJoin();
      }
      helper.KillAndJoin();
      world.queue.Close();
      world.channel.Close();
      threads.clear();
      EXPECT_TRUE(group.Stop());
      EXPECT_EQ(world.posts_run, world.posts_asked);
    }
    for (const auto& call : calls) EXPECT_TRUE(call.Ready());
    world.queue.Close();
    world.channel.Close();
  }
  Drain(world.queue);
  Drain(world.channel);
  EXPECT_EQ(world.queue.getting() + world.queue.putting(), 0U);
  EXPECT_EQ(world.tally.lost, 0);
  EXPECT_EQ(world.tally.made, world.tally.consumed + world.tally.kept);
  EXPECT_EQ(world.too_many, 0);
  EXPECT_EQ(world.permits.count(), 2);
  EXPECT_EQ(world.permits.waiting(), 0U);
  EXPECT_EQ(world.moved, 0);
}

TEST(CoresStress, NothingIsLostWhenAllEndByThemselvesOrAreKilled) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) Live(seed, /*abrupt=*/false);
}

TEST(CoresStress, NothingIsLostWhenTheGroupIsStoppedInTheMiddle) {
  for (std::uint64_t seed = 101; seed <= 108; ++seed) Live(seed, /*abrupt=*/true);
}

TEST(CoresStress, HubsThatEndUnderTheirGreenThreadsTakeNothingAlong) {
  for (std::uint64_t seed = 201; seed <= 208; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SharedSemaphore permits(0);
    std::atomic<int> taken{0};
    constexpr int kReleased = 40;
    {
      std::vector<TestThread> threads;
      for (std::uint64_t t = 0; t < 3; ++t) {
        threads.push_back(HubThread([&permits, &taken, s = seed * 7 + t] {
          Chance chance(s);
          std::vector<AnyGreenThread> waiters;
          for (int i = 0; i < 20; ++i) {
            waiters.push_back(Spawn([&permits, &taken] {
              permits.Acquire();
              ++taken;
            }));
          }
          for (int i = 0; i < 20; ++i) {
            if (chance.Below(4) == 0) waiters[static_cast<std::size_t>(i)].KillSoon();
            Pause(chance);
          }
          // Its thread ends here, and those that wait are suspended for good.
        }));
      }
      Chance chance(seed);
      for (int i = 0; i < kReleased; ++i) {
        permits.Release();
        Pause(chance);
      }
    }
    EXPECT_EQ(permits.waiting(), 0U);
    EXPECT_EQ(permits.count() + taken, kReleased);
  }
}

}  // namespace
}  // namespace verdant
