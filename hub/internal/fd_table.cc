#include "hub/internal/fd_table.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <span>
#include <stdexcept>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "hub/hub.h"
#include "hub/internal/intake.h"

namespace verdant::internal {
namespace {

constexpr std::uint64_t kWakeupKey = ~std::uint64_t{0};

std::uint64_t KeyOf(const FdSlot& slot) {
  return std::uint64_t{slot.generation} << 32 | static_cast<std::uint32_t>(slot.fd);
}

}  // namespace

FileIdentity::FileIdentity(int fd) noexcept {
  struct stat file;
  if (fstat(fd, &file) != 0) return;
  device_ = file.st_dev;
  number_ = file.st_ino;
}

bool FileIdentity::SameAs(int fd) const noexcept {
  const FileIdentity now(fd);
  return now.device_ == device_ && now.number_ == number_;
}

FdTable::FdTable(Hub& hub)
    : hub_(hub), poller_(MakePoller(PollerName(hub.options().poller), *this)) {}

FdTable::~FdTable() {
  for (std::unique_ptr<FdSlot>& slot : slots_) {
    if (slot == nullptr || slot->refs.load(std::memory_order_acquire) == 0) continue;
    // Somebody outlives the hub: for them it is closed.
    ++slot->generation;
    slot->table = nullptr;
    slot.release();
  }
}

FdSlot* FdTable::SlotOf(int fd) {
  if (fd < 0) throw std::logic_error(absl::StrCat("file descriptor ", fd, " cannot be watched"));
  const auto index = static_cast<std::size_t>(fd);
  if (index >= slots_.size()) {
    if (fcntl(fd, F_GETFD) < 0)
      throw std::logic_error(absl::StrCat("file descriptor ", fd, " is not open"));
    slots_.resize(std::max(index + 1, slots_.size() * 2));
  }
  if (slots_[index] == nullptr) {
    slots_[index] = std::make_unique<FdSlot>();
    slots_[index]->table = this;
    slots_[index]->fd = fd;
  }
  return slots_[index].get();
}

FdSlot* FdTable::FindSlot(int fd) {
  const auto index = static_cast<std::size_t>(fd);
  return fd >= 0 && index < slots_.size() ? slots_[index].get() : nullptr;
}

absl::StatusOr<FdSlot*> FdTable::Register(int fd) {
  FdSlot* slot = SlotOf(fd);
  CheckFree(slot, nullptr, kIoRead | kIoWrite);
  ++slot->generation;
  WakeClosed(slot);
  slot->applied = kIoNone;  // of a listener whose descriptor was closed behind it
  // Assumed ready: the first call finds out, at the price of one EAGAIN at most.
  slot->read_ready = slot->write_ready = true;
  slot->has_intake = false;
  slot->read_hangup = slot->write_hangup = false;
  const absl::Status status =
      poller_->Watch(fd, kIoRead | kIoWrite, Trigger::kEdge, KeyOf(*slot), slot->watched);
  slot->watched = status.ok();
  if (!status.ok()) return status;
  return slot;
}

void FdTable::Unregister(FdSlot* slot) {
  ++slot->generation;
  if (slot->watched) poller_->Unwatch(slot->fd);
  slot->watched = false;
  WakeClosed(slot);
}

void FdTable::WakeClosed(FdSlot* slot) {
  for (Task* task : std::exchange(slot->readers, {})) hub_.Wake(task, WakeReason::kClosed);
  for (Task* task : std::exchange(slot->writers, {})) hub_.Wake(task, WakeReason::kClosed);
}

void FdTable::AbandonAfterFork() {
  abandoned_ = true;
  poller_->AbandonAfterFork();
}

bool FdTable::BeginIntake(FdSlot* slot, Intake& intake) {
  Completions* completions = poller_->completions();
  if (completions == nullptr || !completions->Begin(slot->fd, intake)) return false;
  slot->has_intake = true;
  slot->read_ready = slot->read_hangup = false;
  if (!slot->writers.empty()) completions->WatchWritable(slot->fd);
  return true;
}

bool FdTable::EndIntake(FdSlot* slot, Intake& intake) {
  if (!poller_->completions()->End(intake)) return false;
  slot->has_intake = false;
  slot->read_ready = true;  // assumed, as at the beginning
  return true;
}

FdTable::Outcome FdTable::WaitReadable(FdSlot* slot, std::uint32_t generation,
                                       std::int64_t deadline_nanos) {
  return Wait(slot, generation, deadline_nanos, /*read=*/true);
}

FdTable::Outcome FdTable::WaitWritable(FdSlot* slot, std::uint32_t generation,
                                       std::int64_t deadline_nanos) {
  return Wait(slot, generation, deadline_nanos, /*read=*/false);
}

FdTable::Outcome FdTable::Wait(FdSlot* slot, std::uint32_t generation, std::int64_t deadline_nanos,
                               bool read) {
  if (slot->generation != generation) return Outcome::kClosed;
  if (read ? slot->read_ready : slot->write_ready) return Outcome::kReady;
  Task* self = hub_.CurrentTask();
  std::vector<Task*>& waiters = read ? slot->readers : slot->writers;
  if (!waiters.empty() && hub_.options().prevent_multiple_waiters) {
    throw std::logic_error(absl::StrCat(
        "second simultaneous ", read ? "read" : "write", " on file descriptor ", slot->fd, ": ",
        Hub::Describe(self), " waits while ", Hub::Describe(waiters.front()), " does already"));
  }
  if (!read && slot->has_intake) poller_->completions()->WatchWritable(slot->fd);
  struct Registration {
    FdTable& table;
    std::vector<Task*>& waiters;
    Task* self;
    Registration(FdTable& t, std::vector<Task*>& w, Task* s) : table(t), waiters(w), self(s) {
      waiters.push_back(self);
      ++table.waiting_tasks_;
    }
    ~Registration() {
      --table.waiting_tasks_;
      std::erase(waiters, self);
    }
  } registration(*this, waiters, self);
  const WakeReason reason =
      hub_.Park(self, {read ? "read" : "write", slot->fd}, Deadline::At(deadline_nanos));
  // Closed, and perhaps the number used again, after readiness had woken this one but before it
  // ran.
  if (slot->generation != generation) return Outcome::kClosed;
  return reason == WakeReason::kTimedOut ? Outcome::kTimedOut : Outcome::kReady;
}

void FdTable::MarkDirty(FdSlot* slot) {
  if (slot->dirty) return;
  slot->dirty = true;
  dirty_.push_back(slot->fd);
}

void FdTable::CountWatchers(const FdSlot* slot, int change) {
  const auto count = [&](const FdWatcher* watcher) {
    (watcher->counts() ? active_watchers_ : idle_watchers_) += static_cast<std::size_t>(change);
  };
  if (slot->read_watcher != nullptr) count(slot->read_watcher);
  if (slot->write_watcher != nullptr && slot->write_watcher != slot->read_watcher) {
    count(slot->write_watcher);
  }
}

// Throws if another than `watcher` listens for one of `events`; one whose descriptor was closed
// behind it does not any more (row A12.4).
void FdTable::CheckFree(FdSlot* slot, const FdWatcher* watcher, std::uint32_t events) {
  for (const std::uint32_t direction : {kIoRead, kIoWrite}) {
    const FdWatcher* other = direction == kIoRead ? slot->read_watcher : slot->write_watcher;
    if (other == nullptr || other == watcher) continue;
    if (other->stale()) return DropWatchers(slot, watcher);
    if ((events & direction) == 0) continue;
    throw std::logic_error(absl::StrCat(
        "second simultaneous ", direction == kIoRead ? "read" : "write", " on file descriptor ",
        slot->fd, ": ", watcher != nullptr ? watcher->Describe() : "a green thread's",
        " beside that of ", other->Describe()));
  }
}

void FdTable::SetWatcher(int fd, FdWatcher* watcher, std::uint32_t events) {
  if (events == kIoNone) return ClearWatcher(fd, watcher);
  FdSlot* slot = SlotOf(fd);
  if (!slot->has_watcher() && slot->applied == kIoNone && slot->watched) {
    throw std::logic_error(absl::StrCat("file descriptor ", fd,
                                        " is used by green threads, not by ", watcher->Describe(),
                                        " as well"));
  }
  CheckFree(slot, watcher, events);
  SetInterest(slot, watcher, events);
}

void FdTable::ClearWatcher(int fd, FdWatcher* watcher) {
  FdSlot* slot = FindSlot(fd);
  if (slot != nullptr && slot->watched_by(watcher)) SetInterest(slot, watcher, kIoNone);
}

void FdTable::SetInterest(FdSlot* slot, FdWatcher* watcher, std::uint32_t events) {
  CountWatchers(slot, -1);
  const auto set = [&](FdWatcher*& place, std::uint32_t direction) {
    if ((events & direction) != 0) {
      place = watcher;
    } else if (place == watcher) {
      place = nullptr;
    }
  };
  set(slot->read_watcher, kIoRead);
  set(slot->write_watcher, kIoWrite);
  CountWatchers(slot, +1);
  // Nobody says whether a descriptor let go of is closed, and its number another's when it comes
  // back: it must be told anew.
  if (!slot->has_watcher()) slot->stale = true;
  if (slot->wanted() != slot->applied || slot->stale) MarkDirty(slot);
}

void FdTable::ForgetWatcher(int fd, const FdWatcher* watcher) {
  FdSlot* slot = FindSlot(fd);
  if (slot == nullptr) return;
  if (!slot->watched_by(watcher) && (slot->has_watcher() || slot->applied == kIoNone)) return;
  DropWatchers(slot, watcher);
}

void FdTable::DropWatchers(FdSlot* slot, const FdWatcher* teller) {
  CountWatchers(slot, -1);
  if (slot->watched) poller_->Unwatch(slot->fd);
  ++slot->generation;
  slot->applied = kIoNone;
  slot->watched = false;
  FdWatcher* const reader = std::exchange(slot->read_watcher, nullptr);
  FdWatcher* const writer = std::exchange(slot->write_watcher, nullptr);
  if (reader != nullptr && reader != teller) reader->OnObsolete();
  if (writer != nullptr && writer != teller && writer != reader) writer->OnObsolete();
}

void FdTable::Tell(FdSlot* slot, std::uint32_t events) {
  const std::uint32_t generation = slot->generation;
  FdWatcher* const reader = slot->read_watcher;
  const std::uint32_t hangup = events & kIoHangup;
  if (reader != nullptr && reader == slot->write_watcher) {
    if (const std::uint32_t both = events & (kIoRead | kIoWrite | kIoHangup)) reader->OnReady(both);
    return;
  }
  if (reader != nullptr && ((events & kIoRead) | hangup) != 0) {
    reader->OnReady((events & kIoRead) | hangup);
    // It may have changed whatever it likes.
    if (slot->generation != generation) return;
  }
  FdWatcher* const writer = slot->write_watcher;
  if (writer != nullptr && writer != reader && ((events & kIoWrite) | hangup) != 0) {
    writer->OnReady((events & kIoWrite) | hangup);
  }
}

void FdTable::ApplyChanges() {
  if (dirty_.empty()) return;
  // A watcher told below may change its mind at once: that is for the next time.
  applying_.clear();
  applying_.swap(dirty_);
  for (const int fd : applying_) {
    FdSlot* slot = SlotOf(fd);
    slot->dirty = false;
    const bool stale = std::exchange(slot->stale, false);
    const std::uint32_t wanted = slot->wanted();
    if (wanted == slot->applied && !stale) continue;
    if (wanted == kIoNone) {
      if (slot->applied == kIoNone) continue;
      poller_->Unwatch(fd);
      slot->watched = false;
      slot->applied = kIoNone;
      continue;
    }
    ++slot->generation;
    const absl::Status status =
        poller_->Watch(fd, wanted, Trigger::kLevel, KeyOf(*slot), slot->watched);
    slot->watched = status.ok();
    if (status.ok()) {
      slot->applied = wanted;
    } else {
      // What cannot be watched is always ready (a regular file) or broken: its owner finds out by
      // trying, once a turn for as long as it is interested.
      slot->applied = kIoNone;
      MarkDirty(slot);
      Tell(slot, wanted | kIoHangup);
    }
  }
}

void FdTable::Poll(std::int64_t timeout_nanos) {
  if (!dirty_.empty()) timeout_nanos = 0;
  const std::span<const Poller::Ready> all_ready = poller_->Wait(timeout_nanos);
  hub_.WokeUp();
  for (const Poller::Ready& ready : all_ready) {
    if (ready.key == kWakeupKey) {
      eventfd_t count;
      eventfd_read(wakeup_fd_, &count);
      continue;
    }
    const auto fd = static_cast<std::size_t>(ready.key & 0xffffffffu);
    FdSlot* slot = fd < slots_.size() ? slots_[fd].get() : nullptr;
    if (slot == nullptr || slot->generation != static_cast<std::uint32_t>(ready.key >> 32))
      continue;
    if (slot->has_watcher()) {
      Tell(slot, ready.events);
      continue;
    }
    const bool hangup = (ready.events & kIoHangup) != 0;
    if (hangup) slot->read_hangup = slot->write_hangup = true;
    if ((ready.events & kIoReadHangup) != 0) slot->read_hangup = true;
    if (hangup || (ready.events & kIoRead) != 0) {
      slot->read_ready = true;
      for (Task* task : slot->readers) hub_.Wake(task);
    }
    if (hangup || (ready.events & kIoWrite) != 0) {
      slot->write_ready = true;
      for (Task* task : slot->writers) hub_.Wake(task);
    }
  }
}

std::uint32_t FdTable::AwaitedEdges(int fd) const {
  const FdSlot& slot = *slots_[static_cast<std::size_t>(fd)];
  return (slot.read_ready ? kIoNone : kIoRead) | (slot.write_ready ? kIoNone : kIoWrite);
}

void FdTable::CountDirections(std::size_t& readers, std::size_t& writers) const {
  for (const std::unique_ptr<FdSlot>& slot : slots_) {
    if (slot == nullptr) continue;
    readers += slot->readers.size();
    writers += slot->writers.size();
    if (slot->read_watcher != nullptr) ++readers;
    if (slot->write_watcher != nullptr) ++writers;
  }
}

std::string FdTable::Dump() const {
  std::string text;
  for (const std::unique_ptr<FdSlot>& slot : slots_) {
    if (slot == nullptr) continue;
    for (const Task* task : slot->readers) {
      absl::StrAppend(&text, "  file descriptor ", slot->fd, ": ", Hub::Describe(task),
                      " waits to read\n");
    }
    for (const Task* task : slot->writers) {
      absl::StrAppend(&text, "  file descriptor ", slot->fd, ": ", Hub::Describe(task),
                      " waits to write\n");
    }
    const auto append = [&](const FdWatcher* watcher, const char* directions) {
      absl::StrAppend(&text, "  file descriptor ", slot->fd, ": ", watcher->Describe(),
                      " listens for ", directions, "\n");
    };
    if (slot->read_watcher == slot->write_watcher) {
      if (slot->read_watcher != nullptr) append(slot->read_watcher, "read and write");
      continue;
    }
    if (slot->read_watcher != nullptr) append(slot->read_watcher, "read");
    if (slot->write_watcher != nullptr) append(slot->write_watcher, "write");
  }
  return text;
}

absl::Status FdTable::WatchWakeup(int fd) {
  wakeup_fd_ = fd;
  return poller_->Watch(fd, kIoRead, Trigger::kLevel, kWakeupKey, false);
}

}  // namespace verdant::internal
