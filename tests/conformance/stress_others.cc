// What the green threads of a StressWorld do to locks, results, groups and several things at once.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "hub/green_thread.h"
#include "hub/wait.h"
#include "tests/conformance/stress_world.h"

namespace verdant {

void StressWorld::OperateOnOthers(Actor& self, Actor* other, std::uint32_t operation) {
  switch (operation) {
    case 0:
    case 1:
    case 2:
      return Visit(self, monitor_);
    case 3:
    case 4:
    case 5:
      return Visit(self, recursive_monitor_);
    case 6:
      return result_.Set(self.id, chance_);
    case 7:
      return result_.Wait(self.id, SomeDeadline());
    case 8:
      return result_.Link(chance_);
    case 9:
      return result_.Renew();
    case 10:
      if (chance_.OneIn(4)) queues_[3 + chance_.Below(2)].CloseOrReopen(self.id);
      return;
    case 11:
      return verdant::SpawnN(StressErrand(errands_, SomeTime()));
    case 12:
      return group_.SpawnN(self.id, SomeTime());
    case 13:
    case 14:
      if (other != nullptr) group_.Add(self.id, other->handle, SomeDeadline());
      return;
    case 15:
      if (other != nullptr) group_.Discard(self.id, other->handle);
      return;
    case 16:
      return chance_.OneIn(8) ? group_.Kill(self.id) : group_.Join(self.id, SomeDeadline());
    default:
      if (other != nullptr) AwaitAny(self, *other);
  }
}

template <typename Monitor>
void StressWorld::Visit(Actor& self, Monitor& monitor) {
  struct Scope {
    explicit Scope(Actor& a) : actor(a) {
      for (Actor* one = &actor; one != nullptr; one = one->on_stack_of) {
        ++one->visits;
        one->visiting = true;
      }
    }
    ~Scope() {
      for (Actor* one = &actor; one != nullptr; one = one->on_stack_of) one->visiting = false;
    }
    Actor& actor;
  } const scope(self);
  const Deadline deadline = SomeDeadline();
  monitor.Visit(self.id, chance_, deadline, SomeDeadline());
}

// Whichever is ready first: some green threads, and sometimes the result.
void StressWorld::AwaitAny(Actor& self, Actor& other) {
  std::vector<AnyGreenThread> threads = {other.handle};
  for (int i = 0; i < 2; ++i) {
    if (Actor* more = Other(); more != nullptr) threads.push_back(more->handle);
  }
  std::vector<Waitable> objects(threads.begin(), threads.end());
  objects.emplace_back(result_.object());
  const Inside looking(result_.looking());
  struct Scope {
    Scope(Actor& a, const std::vector<AnyGreenThread>& j) : actor(a) {
      actor.joins = &j;
      actor.joins_any = true;
    }
    ~Scope() {
      actor.joins = nullptr;
      actor.joins_any = false;
    }
    Actor& actor;
  } scope(self, threads);
  const Deadline deadline = SomeDeadline();
  const auto check = [&](std::size_t place) {
    record_.Expect(place < threads.size() ? threads[place].Dead() || threads[place].Ready()
                                          : place == threads.size() && result_.ready(),
                   "what is said to be ready is");
  };
  if (chance_.OneIn(2)) {
    const std::optional<std::size_t> first = WaitAny(objects, deadline);
    record_.Expect(first || Hub::Current().NowNanos() == deadline.nanos(), "WaitAny was in time");
    if (first) check(*first);
    record_.Note('W', self.id, first.value_or(99));
    return;
  }
  std::vector<bool> seen(objects.size());
  for (const std::size_t place : IWait(objects, deadline, 1 + chance_.Below(2))) {
    check(place);
    record_.Expect(!seen[place], "each comes once");
    seen[place] = true;
    record_.Note('I', self.id, place);
    // One has come; for the rest nobody is to say that it should have woken.
    self.joins = nullptr;
    if (chance_.OneIn(3)) break;
  }
}

}  // namespace verdant
