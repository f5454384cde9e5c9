#include "tests/conformance/cores_world.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "absl/time/time.h"
#include "hub/green_thread.h"
#include "hub/timeout.h"

namespace verdant {

std::vector<std::uint64_t> StressSeeds(std::uint64_t first, std::uint64_t usual) {
  if (const char* seed = std::getenv("VERDANT_STRESS_SEED"))
    return {std::strtoull(seed, nullptr, 10)};
  const char* rounds = std::getenv("VERDANT_STRESS_ROUNDS");
  const std::uint64_t count = rounds != nullptr ? std::strtoull(rounds, nullptr, 10) : usual;
  std::vector<std::uint64_t> seeds;
  for (std::uint64_t i = 0; i < count; ++i) seeds.push_back(first + i);
  return seeds;
}

void Pause(Chance& chance) {
  if (internal::current_hub == nullptr) {
    std::this_thread::yield();
  } else if (chance.OneIn(4)) {
    Sleep(absl::Microseconds(chance.Below(100)));
  } else {
    Sleep();
  }
}

void Violations::Note(const std::string& what) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (std::find(texts_.begin(), texts_.end(), what) == texts_.end()) texts_.push_back(what);
}

std::string Violations::text() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::string all;
  for (const std::string& text : texts_) all += text + "\n";
  return all;
}

// ---- What there is to do. ----

void CoresWorld::PutOne(SharedQueue<ItemPtr>& queue, Chance& chance) {
  struct Owned {
    // Not put: killed, out of time, or closed.
    ~Owned() {
      if (item != nullptr) item->Keep();
    }
    ItemPtr item;
  } owned{std::make_unique<Item>(tally_)};
  if (chance.OneIn(4)) {
    static_cast<void>(queue.TryPut(std::move(owned.item)));
  } else {
    static_cast<void>(queue.Put(std::move(owned.item), chance.SoonOrNever()));
  }
}

void CoresWorld::GetOne(SharedQueue<ItemPtr>& queue, Chance& chance) {
  std::optional<ItemPtr> item = chance.OneIn(4) ? queue.TryGet() : queue.Get(chance.SoonOrNever());
  if (item) (*item)->Consume();
}

void CoresWorld::HoldPermit(Chance& chance) {
  if (chance.OneIn(4) ? !permits_.TryAcquire() : !permits_.Acquire(chance.SoonOrNever())) return;
  struct Held {
    explicit Held(CoresWorld& w) : world(w) {
      if (++world.inside_ > kPermits) world.violations_.Note("more inside than there are permits");
    }
    ~Held() {
      --world.inside_;
      world.permits_.Release();
    }
    CoresWorld& world;
  } const held(*this);
  Pause(chance);
}

void CoresWorld::SendOne(Chance& chance) {
  Place& place = places_[static_cast<std::size_t>(chance.Below(4))];
  std::shared_ptr<SharedEvent<int>> event = std::make_shared<SharedEvent<int>>();
  int number = 0;
  {
    const std::lock_guard<std::mutex> lock(place.mutex);
    event.swap(place.event);
    number = place.number++;
  }
  if (chance.OneIn(4)) {
    event->SendException(std::make_exception_ptr(number));
  } else {
    event->Send(number);
  }
}

void CoresWorld::AwaitOne(Chance& chance) {
  Place& place = places_[static_cast<std::size_t>(chance.Below(4))];
  std::shared_ptr<SharedEvent<int>> event;
  int number = 0;
  {
    const std::lock_guard<std::mutex> lock(place.mutex);
    event = place.event;
    number = place.number;
  }
  std::optional<int> got;
  try {
    got = event->Wait(chance.OneIn(4) ? Deadline(absl::Milliseconds(2)) : chance.Soon());
  } catch (const int thrown) {
    got = thrown;
  }
  if (got && *got != number) violations_.Note("an event brought another's value");
}

void CoresWorld::PostOne(Chance& chance) {
  group_->Post(AnyHub(chance), Posted(*this));
  Pause(chance);
}

void CoresWorld::CallOver(Chance& chance) {
  const int sent = chance.Below(1000);
  const std::size_t hub = AnyHub(chance);
  auto call = [this, sent, hub, sleepy = chance.Below(3)] {
    if (group_->Here() != hub) violations_.Note("a call was made elsewhere");
    if (sleepy == 0) Sleep(absl::Microseconds(sent / 10));
    if (sleepy == 1) throw sent;
    return sent;
  };
  int got = sent;
  try {
    if (internal::current_hub != nullptr && chance.OneIn(3)) {
      WithTimeout(absl::Microseconds(chance.Below(200)),
                  [&] { got = group_->RunInHub(hub, call); });
    } else {
      got = group_->RunInHub(hub, call);
    }
  } catch (const int thrown) {
    got = thrown;
  }
  if (got != sent) violations_.Note("a call brought another's result");
}

void CoresWorld::SpawnOne(Chance& chance) {
  auto work = [this, seed = chance.Below(1 << 30)] {
    Work(static_cast<std::uint64_t>(seed), 3, /*may_spawn=*/false);
  };
  auto child = chance.OneIn(2) ? group_->Spawn(work) : group_->SpawnOn(AnyHub(chance), work);
  switch (chance.Below(4)) {
    case 0:
      child.Kill();
      break;
    case 1:
      if (child.KillAndJoin(chance.Soon()) && !child.Ready()) violations_.Note("joined, not ready");
      break;
    case 2:
      child.Cancel();
      break;
    default:
      child.Join(chance.Soon());
  }
}

void CoresWorld::Step(Chance& chance, bool may_spawn) {
  SharedQueue<ItemPtr>& queue = chance.OneIn(3) ? channel_ : queue_;
  switch (chance.Below(may_spawn ? 11 : 9)) {
    case 0:
    case 1:
      return PutOne(queue, chance);
    case 2:
    case 3:
      return GetOne(queue, chance);
    case 4:
    case 5:
      return HoldPermit(chance);
    case 6:
      return SendOne(chance);
    case 7:
      return AwaitOne(chance);
    case 8:
      return PostOne(chance);
    case 9:
      return CallOver(chance);
    default:
      return chance.OneIn(6) ? KillAny(chance) : SpawnOne(chance);
  }
}

void CoresWorld::Check(std::thread::id home) {
  if (std::this_thread::get_id() != home) violations_.Note("a green thread changed its thread");
  if (tally_.lost != 0) violations_.Note("an item was lost");
  // Read in this order, since each that is made is made before it is consumed or kept.
  const int gone = tally_.consumed + tally_.kept;
  if (gone > tally_.made) violations_.Note("an item was there twice");
  const std::int64_t count = permits_.count();
  if (count < 0 || count > kPermits) violations_.Note("a permit more, or less");
  if (posts_run_ > posts_asked_) violations_.Note("a call was made twice");
}

void CoresWorld::Work(std::uint64_t seed, int steps, bool may_spawn) {
  Chance chance(seed);
  const std::thread::id home = std::this_thread::get_id();
  for (int i = 0; i < steps; ++i) {
    Step(chance, may_spawn);
    Check(home);
  }
}

void CoresWorld::SpawnWorker(std::uint64_t seed, int steps, Chance& chance) {
  auto work = [this, seed, steps] { Work(seed, steps); };
  auto worker = chance.OneIn(3) ? group_->SpawnOn(AnyHub(chance), work) : group_->Spawn(work);
  const std::lock_guard<std::mutex> lock(workers_mutex_);
  workers_.push_back(std::move(worker));
}

void CoresWorld::Feed(Chance& chance) {
  PutOne(queue_, chance);
  GetOne(queue_, chance);
  PutOne(channel_, chance);
  GetOne(channel_, chance);
}

void CoresWorld::KillAny(Chance& chance) {
  RemoteGreenThread<void> victim;
  {
    const std::lock_guard<std::mutex> lock(workers_mutex_);
    if (workers_.empty()) return;
    victim = workers_[static_cast<std::size_t>(chance.Below(static_cast<int>(workers_.size())))];
  }
  victim.Kill();
}

// ---- How it ends. ----

std::vector<RemoteGreenThread<void>> CoresWorld::workers() const {
  const std::lock_guard<std::mutex> lock(workers_mutex_);
  return workers_;
}

void CoresWorld::Close() {
  queue_.Close();
  channel_.Close();
}

std::string CoresWorld::Conclude() {
  Close();
  for (SharedQueue<ItemPtr>* queue : {&queue_, static_cast<SharedQueue<ItemPtr>*>(&channel_)}) {
    while (std::optional<ItemPtr> item = queue->TryGet()) (*item)->Consume();
    if (queue->getting() + queue->putting() != 0) violations_.Note("somebody waits at a queue");
  }
  if (tally_.lost != 0) violations_.Note("an item was lost");
  if (tally_.made != tally_.consumed + tally_.kept) violations_.Note("items do not add up");
  if (permits_.count() != kPermits) violations_.Note("permits do not add up");
  if (permits_.waiting() != 0) violations_.Note("somebody waits for a permit");
  if (posts_asked_ != posts_run_ + posts_dropped_) violations_.Note("posts do not add up");
  if (inside_ != 0) violations_.Note("somebody holds a permit");
  for (const auto& worker : workers()) {
    if (!worker.Ready()) violations_.Note("a worker has not ended");
  }
  return violations_.text();
}

}  // namespace verdant
