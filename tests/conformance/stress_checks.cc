// What a StressWorld must look like, and how it ends.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <vector>

#include "tests/conformance/stress_world.h"

namespace verdant {

void StressWorld::DrainAll() {
  left_ = 0;
  for (int i = 0; i < 100 && !living_.empty(); ++i) {
    for (Actor* actor : living_) actor->handle.KillSoon();
    group_.Kill(0);
    // The errands come to their end, and so does whatever a killed one waits for.
    Sleep(absl::Microseconds(100));
    Rest();
    CheckAtRest();
    Bury();
  }
  record_.Expect(living_.empty(), "whoever is killed often enough ends");
  for (StressQueue& queue : queues_) queue.Drain();
  record_.Expect(monitor_.empty() && recursive_monitor_.empty(), "all locks are free");
  record_.Expect(group_.empty() && errands_ == 0, "all errands are done");
  record_.Expect(semaphore_.count() == permits_ && taken_ == 0, "all permits are back");
  record_.Expect(pool_.Running() == 0 && pool_.Free() == pool_.size(), "the pool is empty");
}

void StressWorld::Rest() {
  for (int i = 0; Hub::Current().counts().runnable > 0; ++i) {
    Sleep();
    if (i < 1000000) continue;
    return record_.Expect(false, "all comes to rest some day");
  }
}

void StressWorld::Check() {
  for (const StressQueue& queue : queues_) queue.Check();
  const std::int64_t granted = permits_ - taken_ - semaphore_.count();
  record_.Expect(granted >= 0 && granted <= static_cast<std::int64_t>(acquiring_),
                 "permits are there, taken, or on their way to one in Acquire()");
  record_.Expect(semaphore_.waiting() <= acquiring_, "a semaphore's waiting() are in Acquire()");
  monitor_.Check();
  recursive_monitor_.Check();
  group_.Check();
  record_.Expect(pool_.Waiting() <= spawning_, "a pool's Waiting() are in Spawn()");
}

void StressWorld::CheckAtRest() {
  Check();
  for (const StressQueue& queue : queues_) queue.CheckAtRest();
  monitor_.CheckAtRest();
  recursive_monitor_.CheckAtRest();
  result_.CheckAtRest();
  group_.CheckAtRest();
  record_.Expect(semaphore_.count() == permits_ - taken_, "permits are there or taken");
  record_.Expect(semaphore_.waiting() == acquiring_, "those in Acquire() are waiting()");
  record_.Expect(acquiring_ == 0 || semaphore_.count() <= 0, "nobody waits for a free permit");

  const std::int64_t now = Hub::Current().NowNanos();
  std::size_t alive = 0;
  std::size_t members = 0;
  for (const Actor* actor : living_) {
    const GreenThreadState state = actor->handle.State();
    if (!actor->handle.Dead()) {
      if (state != GreenThreadState::kPending) ++alive;
      if (actor->in_pool) ++members;
    }
    if (actor->joins != nullptr) {
      const auto dead = std::count_if(actor->joins->begin(), actor->joins->end(),
                                      [](const AnyGreenThread& thread) { return thread.Dead(); });
      record_.Expect(
          actor->joins_any ? dead == 0 && !result_.ready() : dead < std::ssize(*actor->joins),
          "whoever waited for what is ready has woken");
    }
    for (const std::int64_t at : actor->timeouts) {
      record_.Expect(at >= now || actor->visiting, "a timeout that was due has fired");
    }
  }
  alive += errands_ + group_.errands();
  record_.Expect(Hub::Current().counts().green_threads == others_ + alive,
                 "the hub counts the green threads that have not ended");
  record_.Expect(pool_.Running() == members, "the pool counts its members");
  record_.Expect(pool_.Waiting() == spawning_, "the pool counts those in Spawn()");
  record_.Expect(pool_.Free() == pool_.size() - static_cast<std::int64_t>(members),
                 "the pool's other slots are free");
  record_.Expect(spawning_ == 0 || pool_.Free() <= 0, "nobody waits for a free slot");
}

void StressWorld::Bury() {
  for (Actor* actor : living_) {
    if (!actor->handle.Dead()) continue;
    record_.Expect(actor->begun == actor->ended, "a body that began has ended");
    record_.Expect(actor->begun == (actor->handle.State() != GreenThreadState::kCancelled),
                   "only what was cancelled never began");
    record_.Expect(actor->permits == 0, "whoever is dead holds nothing");
    actor->links.CheckAtEnd(actor->handle);
    record_.Note('D', actor->id, static_cast<std::uint64_t>(actor->handle.State()));
    actor->handle = {};
  }
  std::erase_if(living_, [](const Actor* actor) { return !actor->handle; });
}

}  // namespace verdant
