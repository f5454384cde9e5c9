#include "tests/conformance/stress_world.h"

#include <stdexcept>
#include <utility>

#include "greenlet/stack.h"
#include "hub/timeout.h"

namespace verdant {
namespace {

constexpr std::size_t kLiving = 40;

}  // namespace

StressWorld::StressWorld(std::uint64_t seed, std::uint64_t operations)
    : chance_(seed),
      left_(operations),
      queues_{StressQueue(kUnbounded, record_), StressQueue(3, record_), StressQueue(0, record_),
              StressQueue(2, record_), StressQueue(0, record_)} {}

void StressWorld::Run() {
  Hub& hub = Hub::Current();
  hub.SetErrorHandler([this](const UncaughtError&) { record_.Note('!', 0, 0); });
  Spawn([] {}).Join();
  Rest();
  const Hub::Counts before = hub.counts();
  const std::size_t stacks = GetStackStats().in_use;
  others_ = before.green_threads;

  while (left_ > 0 && record_.violation().empty()) {
    while (living_.size() < kLiving) SpawnOne(nullptr);
    if (chance_.OneIn(4)) {
      living_[chance_.Below(living_.size())]->handle.KillSoon();
    } else {
      Sleep(absl::Nanoseconds(1 + chance_.Below(10000)));
    }
    Rest();
    CheckAtRest();
    Bury();
  }
  DrainAll();
  const Hub::Counts after = hub.counts();
  record_.Expect(after.green_threads == before.green_threads, "all green threads are gone");
  record_.Expect(after.timers == before.timers, "all timers are gone");
  record_.Expect(GetStackStats().in_use == stacks, "all stacks are back");
  hub.SetErrorHandler({});
}

StressWorld::Actor& StressWorld::NewActor() {
  actors_.emplace_back(actors_.size() + 1, record_);
  Actor& actor = actors_.back();
  if (chance_.OneIn(4)) actor.lives = 1 + chance_.Below(3);
  return actor;
}

StressWorld::Actor* StressWorld::Other() {
  if (living_.empty()) return nullptr;
  Actor* other = living_[chance_.Below(living_.size())];
  return AnyGreenThread(other->handle) == CurrentGreenThread() ? nullptr : other;
}

Deadline StressWorld::SomeDeadline() {
  return chance_.OneIn(3) ? Deadline::Never() : Deadline(SomeTime());
}

std::uint64_t StressWorld::Body(Actor& self) {
  struct Scope {
    explicit Scope(StressWorld& w, Actor& a) : world(w), actor(a) {
      actor.begun = true;
      // Inline, so that whoever spawned it no longer waits for a slot.
      actor.inlined = !actor.handle;
      if (actor.inlined) --world.spawning_;
    }
    ~Scope() {
      while (actor.permits > 0) world.Release(actor);
      actor.ended = true;
      if (actor.inlined) ++world.spawning_;
      world.record_.Note('E', actor.id, 0);
    }
    StressWorld& world;
    Actor& actor;
  } scope(*this, self);
  record_.Expect(!self.ended, "a body runs once");
  record_.Note('B', self.id, self.inlined);

  for (std::uint32_t steps = 1 + chance_.Below(30); steps > 0 && left_ > 0; --steps) {
    try {
      Step(self, 0);
    } catch (const GreenletExit&) {
      record_.Note('x', self.id, self.lives);
      if (self.lives == 0) throw;
      --self.lives;
    } catch (const TimeoutExpired&) {
      // Of the member in which it runs, or of nobody.
      record_.Expect(self.inlined, "no timeout fires outside its scope");
      throw;
    }
  }
  if (chance_.OneIn(12)) throw std::runtime_error("an actor's");
  return self.id * 3;
}

void StressWorld::Step(Actor& self, int depth) {
  if (left_ > 0) --left_;
  const std::uint32_t operation = chance_.Below(44);
  record_.Note('o', self.id, operation);
  Operate(self, depth, operation);
  Check();
}

void StressWorld::Operate(Actor& self, int depth, std::uint32_t operation) {
  StressQueue& queue = queues_[chance_.Below(queues_.size())];
  Actor* other = Other();
  switch (operation) {
    case 0:
      return Sleep();
    case 1:
      return TakeTime(self);
    case 2:
    case 3:
      return queue.Put(self.id, SomeDeadline());
    case 4:
      return queue.TryPut(self.id);
    case 5:
    case 6:
      return queue.Get(self.id, SomeDeadline());
    case 7:
      return queue.TryGet(self.id);
    case 8:
      return queue.Peek(self.id, SomeDeadline());
    case 9:
      return queues_[1].Resize(chance_.Below(5));
    case 10:
    case 11:
      return Acquire(self, chance_.Below(3));
    case 12:
    case 13:
      return Release(self);
    case 14: {
      const std::int64_t change = permits_ > 3 ? -1 : 1;
      permits_ += change;
      return semaphore_.Adjust(change);
    }
    case 15:
      return SpawnOne(&self);
    case 16:
      return SpawnInPool(self);
    case 17:
      return pool_.Resize(chance_.Below(7));
    case 18:
    case 19:
    case 20:
      if (depth < 3) InTimeout(self, depth);
      return;
    case 21:
      if (other != nullptr) End(self, *other, chance_.Below(5));
      return;
    case 22:
    case 23:
      if (other != nullptr) Await(self, *other, chance_.Below(3));
      return;
    case 24:
      if (other != nullptr) other->links.Add(other->handle, chance_);
      return;
    case 25:
      if (other != nullptr) other->links.Remove(other->handle, chance_);
      return;
    default:
      OperateOnOthers(self, other, operation - 26);
  }
}

void StressWorld::TakeTime(Actor& self) {
  const absl::Duration time = SomeTime();
  const std::int64_t until = Hub::Current().NowNanos() + absl::ToInt64Nanoseconds(time);
  Sleep(time);
  record_.Expect(Hub::Current().NowNanos() == until, "a sleep lasts as long as it was to");
  record_.Note('s', self.id, static_cast<std::uint64_t>(until));
}

void StressWorld::Acquire(Actor& self, std::uint32_t how) {
  const Deadline deadline = how == 1 ? SomeDeadline() : Deadline::Never();
  bool got = false;
  {
    Inside inside(acquiring_);
    got = how == 0   ? semaphore_.Acquire()
          : how == 1 ? semaphore_.Acquire(deadline)
                     : semaphore_.TryAcquire();
  }
  record_.Expect(got || how == 2 || Hub::Current().NowNanos() == deadline.nanos(),
                 "Acquire was in time");
  record_.Note('A', self.id, got);
  if (!got) return;
  ++self.permits;
  ++taken_;
}

void StressWorld::Release(Actor& self) {
  if (self.permits == 0) return;
  --self.permits;
  --taken_;
  semaphore_.Release();
}

// Goes on in the same scope after it ran out: it must not fire again.
void StressWorld::InTimeout(Actor& self, int depth) {
  const absl::Duration after = SomeTime();
  const std::int64_t end = Hub::Current().NowNanos() + absl::ToInt64Nanoseconds(after);
  struct Scope {
    Scope(Actor& a, std::int64_t at) : actor(a) { actor.timeouts.push_back(at); }
    ~Scope() { actor.timeouts.pop_back(); }
    Actor& actor;
  } scope(self, end);
  Timeout timeout(after);
  const std::uint64_t visits = self.visits;
  int fired = 0;
  for (int i = 0; i < 3; ++i) {
    try {
      Step(self, depth + 1);
    } catch (const TimeoutExpired& expired) {
      if (!timeout.Owns(expired)) throw;
      ++fired;
      self.timeouts.back() = INT64_MAX;
      const std::int64_t now = Hub::Current().NowNanos();
      record_.Expect(now == end || (now > end && self.visits != visits),
                     "a timeout fires when it is due");
      record_.Expect(timeout.Fired() && !timeout.pending(), "a timeout knows that it has fired");
    }
  }
  record_.Expect(fired <= 1, "a timeout fires once");
  record_.Note('T', self.id, static_cast<std::uint64_t>(fired));
}

void StressWorld::SpawnOne(Actor* parent) {
  if (living_.size() >= 2 * kLiving) return;
  Actor& actor = NewActor();
  auto body = [this, &actor] { return Body(actor); };
  if (parent != nullptr && chance_.OneIn(3)) {
    actor.handle = SpawnAfter(SomeTime(), body);
  } else {
    actor.handle = Spawn(body);
  }
  record_.Note('S', parent == nullptr ? 0 : parent->id, actor.id);
  living_.push_back(&actor);
  for (std::uint32_t i = chance_.Below(3); i > 0; --i) actor.links.Add(actor.handle, chance_);
}

void StressWorld::SpawnInPool(Actor& self) {
  // Each call inline takes some of the caller's stack.
  if (self.inlined || living_.size() >= 2 * kLiving) return;
  Actor& actor = NewActor();
  actor.on_stack_of = &self;  // if that is what becomes of it
  GreenThread<std::uint64_t> handle;
  {
    Inside inside(spawning_);
    handle = pool_.Spawn([this, &actor] { return Body(actor); });
  }
  record_.Note('S', self.id, actor.id);
  record_.Expect(actor.inlined == handle.Dead(), "only a call made inline is over at once");
  if (actor.inlined) return;
  actor.on_stack_of = nullptr;
  actor.in_pool = true;
  actor.handle = std::move(handle);
  living_.push_back(&actor);
  for (std::uint32_t i = chance_.Below(3); i > 0; --i) actor.links.Add(actor.handle, chance_);
}

void StressWorld::End(Actor& self, Actor& other, std::uint32_t how) {
  const GreenThread<std::uint64_t> handle = other.handle;  // which may be buried meanwhile
  const bool begun = other.begun || handle.Ready();
  switch (how) {
    case 0:
      handle.Kill();
      record_.Expect(begun || handle.Dead(), "one killed before it began has ended");
      break;
    case 1:
      handle.KillSoon();
      break;
    case 2: {
      const Deadline deadline = SomeDeadline();
      const std::vector<AnyGreenThread> joins = {handle};
      self.joins = &joins;
      try {
        const bool ended = handle.KillAndJoin(deadline);
        record_.Expect(ended ? handle.Dead() : Hub::Current().NowNanos() == deadline.nanos(),
                       "KillAndJoin waits for the end, or until its deadline");
      } catch (...) {
        self.joins = nullptr;
        throw;
      }
      self.joins = nullptr;
      break;
    }
    default:
      record_.Expect(handle.Cancel() == !begun, "Cancel ends what has not begun and nothing else");
  }
  record_.Note('k', self.id, other.id);
}

void StressWorld::Await(Actor& self, Actor& other, std::uint32_t how) {
  const GreenThread<std::uint64_t> handle = other.handle;
  const std::uint64_t id = other.id;
  std::vector<AnyGreenThread> joins = {handle};
  if (how == 2) {
    for (int i = 0; i < 2; ++i) {
      if (Actor* more = Other(); more != nullptr) joins.push_back(more->handle);
    }
  }
  struct Scope {
    Scope(Actor& a, const std::vector<AnyGreenThread>& j) : actor(a) { actor.joins = &j; }
    ~Scope() { actor.joins = nullptr; }
    Actor& actor;
  } scope(self, joins);
  if (how == 0) {
    try {
      record_.Expect(handle.Wait() == id * 3, "Wait gives what the body returned");
    } catch (const std::runtime_error&) {
      record_.Expect(handle.Ready() && !handle.Successful(), "Wait throws what the body threw");
    }
  } else {
    const Deadline deadline = SomeDeadline();
    const bool all = how == 1 ? handle.Join(deadline) : JoinAll(joins, deadline);
    record_.Expect(all || Hub::Current().NowNanos() == deadline.nanos(), "Join was in time");
    for (const AnyGreenThread& one : joins) {
      record_.Expect(!all || one.Dead(), "what was joined is dead");
    }
  }
  record_.Note('J', self.id, id);
}

}  // namespace verdant
