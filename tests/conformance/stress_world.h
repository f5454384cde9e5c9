#ifndef VERDANT_TESTS_CONFORMANCE_STRESS_WORLD_H_
#define VERDANT_TESTS_CONFORMANCE_STRESS_WORLD_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "absl/time/time.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "hub/lock.h"
#include "hub/semaphore.h"
#include "pool/green_pool.h"
#include "tests/conformance/stress_group.h"
#include "tests/conformance/stress_links.h"
#include "tests/conformance/stress_monitor.h"
#include "tests/conformance/stress_queue.h"
#include "tests/conformance/stress_record.h"
#include "tests/conformance/stress_result.h"

namespace verdant {

// Green threads that do what a seed says to queues, a semaphore, locks, results, a pool, a group
// and each other, and what all of these must look like after each operation, and whenever nothing
// is runnable. For a hub with a clock that stands still while anything runs, so that time is exact.
class StressWorld {
 public:
  StressWorld(std::uint64_t seed, std::uint64_t operations);

  // To be called once, by the main greenlet. Afterwards all have ended.
  void Run();
  const Record& record() const { return record_; }

 private:
  struct Actor {
    Actor(std::uint64_t i, Record& record) : id(i), links(i, record) {}
    std::uint64_t id;
    GreenThread<std::uint64_t> handle;  // empty while its body runs inline, in a pool's member
    StressLinks links;
    std::uint32_t lives = 0;  // kills that it will catch
    std::int64_t permits = 0;
    bool in_pool = false;
    bool begun = false;
    bool ended = false;
    bool inlined = false;
    const std::vector<AnyGreenThread>* joins = nullptr;  // what it waits for just now: all of them,
    bool joins_any = false;                              // or any, or the result
    std::vector<std::int64_t> timeouts;                  // when each scope it is in runs out
    Actor* on_stack_of = nullptr;  // whose member's call it is, if it runs inline
    // Of monitors: on the way back from a condition nothing interrupts it, however due.
    std::uint64_t visits = 0;
    bool visiting = false;
  };

  std::uint64_t Body(Actor& self);
  void Step(Actor& self, int depth);
  void Operate(Actor& self, int depth, std::uint32_t operation);
  void OperateOnOthers(Actor& self, Actor* other, std::uint32_t operation);
  template <typename Monitor>
  void Visit(Actor& self, Monitor& monitor);
  void AwaitAny(Actor& self, Actor& other);
  void Acquire(Actor& self, std::uint32_t how);
  void Release(Actor& self);
  void TakeTime(Actor& self);
  void InTimeout(Actor& self, int depth);
  void SpawnOne(Actor* parent);
  void SpawnInPool(Actor& self);
  void End(Actor& self, Actor& other, std::uint32_t how);
  void Await(Actor& self, Actor& other, std::uint32_t how);

  // Another that runs on a stack of its own, or null.
  Actor* Other();
  Deadline SomeDeadline();
  absl::Duration SomeTime() { return absl::Nanoseconds(chance_.Below(20000)); }
  Actor& NewActor();
  void Rest();
  void Check();
  void CheckAtRest();
  void Bury();
  void DrainAll();

  Record record_;
  Chance chance_;
  std::uint64_t left_;
  std::array<StressQueue, 5> queues_;  // the last two of which get closed
  Semaphore semaphore_{3};
  std::int64_t permits_ = 3;
  std::int64_t taken_ = 0;
  std::size_t acquiring_ = 0;
  GreenPool pool_{4};
  std::size_t spawning_ = 0;
  StressMonitor<Lock> monitor_{record_};
  StressMonitor<RLock> recursive_monitor_{record_};
  StressResult result_{record_};
  StressGroup group_{record_};
  std::size_t errands_ = 0;  // spawned by SpawnN() and not ended
  std::deque<Actor> actors_;
  std::vector<Actor*> living_;  // that have handles
  std::size_t others_ = 0;      // green threads that are not these
};

}  // namespace verdant

#endif  // VERDANT_TESTS_CONFORMANCE_STRESS_WORLD_H_
