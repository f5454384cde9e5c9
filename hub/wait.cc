#include "hub/wait.h"

#include <algorithm>

namespace verdant {

IWait::IWait(std::vector<Waitable> objects, Deadline deadline, std::size_t count)
    : deadline_(deadline), left_(std::min(count, objects.size())) {
  entries_.reserve(objects.size());
  for (Waitable& object : objects) entries_.push_back({std::move(object)});
  try {
    for (std::size_t place = 0; place < entries_.size(); ++place) {
      Entry& entry = entries_[place];
      if (entry.object.ObjectReady()) {
        OnReady(place);
      } else {
        entry.link = entry.object.LinkObject([this, place] { OnReady(place); });
        entry.linked = true;
      }
    }
  } catch (...) {
    Unlink();
    throw;
  }
}

IWait::~IWait() { Unlink(); }

void IWait::Unlink() {
  for (Entry& entry : entries_) {
    if (std::exchange(entry.linked, false)) entry.object.UnlinkObject(entry.link);
  }
}

void IWait::OnReady(std::size_t place) {
  if (std::exchange(entries_[place].ready, true)) return;
  ready_.push_back(place);
  if (waiter_ != nullptr) waiter_->hub->Wake(waiter_);
}

std::optional<std::size_t> IWait::Next() {
  if (left_ == 0) return std::nullopt;
  if (given_ == ready_.size()) {
    Hub& hub = Hub::Current();
    internal::Task* self = hub.CurrentTask();
    if (waiter_ != nullptr) {
      throw std::logic_error(Hub::Describe(self) + " waits in an IWait in which " +
                             Hub::Describe(waiter_) + " waits already");
    }
    struct Waiting {
      Waiting(IWait& w, internal::Task* self) : wait(w) { wait.waiter_ = self; }
      ~Waiting() { wait.waiter_ = nullptr; }
      IWait& wait;
    } const waiting(*this, self);
    hub.Park(self, {"Wait"}, deadline_);
    if (given_ == ready_.size()) return std::nullopt;
  }
  --left_;
  const std::size_t place = ready_[given_++];
  // One that calls each time it is ready need not any more.
  Entry& entry = entries_[place];
  if (std::exchange(entry.linked, false)) entry.object.UnlinkObject(entry.link);
  return place;
}

std::vector<std::size_t> Wait(std::vector<Waitable> objects, Deadline deadline, std::size_t count) {
  std::vector<std::size_t> ready;
  IWait wait(std::move(objects), deadline, count);
  while (const std::optional<std::size_t> place = wait.Next()) ready.push_back(*place);
  return ready;
}

bool WaitAll(std::vector<Waitable> objects, Deadline deadline) {
  const std::size_t all = objects.size();
  return Wait(std::move(objects), deadline).size() == all;
}

std::optional<std::size_t> WaitAny(std::vector<Waitable> objects, Deadline deadline) {
  return IWait(std::move(objects), deadline, 1).Next();
}

}  // namespace verdant
