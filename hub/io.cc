#include "hub/io.h"

#include <stdexcept>

#include "absl/strings/str_cat.h"

namespace verdant {
namespace {

IoWait ToIoWait(internal::FdTable::Outcome outcome) {
  switch (outcome) {
    case internal::FdTable::Outcome::kTimedOut:
      return IoWait::kTimedOut;
    case internal::FdTable::Outcome::kClosed:
      return IoWait::kClosed;
    case internal::FdTable::Outcome::kReady:
      break;
  }
  return IoWait::kReady;
}

}  // namespace

absl::StatusOr<IoDescriptor> IoDescriptor::Register(int fd) {
  absl::StatusOr<internal::FdSlot*> slot = Hub::Current().fds().Register(fd);
  if (!slot.ok()) return slot.status();
  return IoDescriptor(*slot);
}

internal::FdTable& IoDescriptor::Table() {
  internal::FdTable& table = Hub::Current().fds();
  if (slot_->table == &table) [[likely]]
    return table;
  if (!slot_->table->abandoned()) {
    throw std::logic_error(
        absl::StrCat("file descriptor ", slot_->fd, " belongs to another thread's hub"));
  }
  if (absl::StatusOr<internal::FdSlot*> slot = table.Register(slot_->fd); slot.ok()) {
    *this = IoDescriptor(*slot);
  } else {
    ++generation_;  // as if closed
  }
  return table;
}

IoWait IoDescriptor::WaitReadable(Deadline deadline) {
  if (!registered()) return IoWait::kClosed;
  internal::FdTable& table = Table();
  return ToIoWait(table.WaitReadable(slot_, generation_, deadline.nanos()));
}

IoWait IoDescriptor::WaitWritable(Deadline deadline) {
  if (!registered()) return IoWait::kClosed;
  internal::FdTable& table = Table();
  return ToIoWait(table.WaitWritable(slot_, generation_, deadline.nanos()));
}

bool IoDescriptor::BeginIntake(internal::Intake& intake) {
  return registered() && Table().BeginIntake(slot_, intake);
}

bool IoDescriptor::EndIntake(internal::Intake& intake) {
  return !registered() || Table().EndIntake(slot_, intake);
}

void IoDescriptor::Unregister() {
  internal::FdSlot* slot = std::exchange(slot_, nullptr);
  if (slot == nullptr) return;
  if (internal::current_hub != nullptr) {
    internal::FdTable& table = internal::current_hub->fds();
    if (slot->table == &table && slot->generation == generation_) table.Unregister(slot);
  }
  if (slot->refs.fetch_sub(1, std::memory_order_acq_rel) == 1 && slot->table == nullptr)
    delete slot;
}

FdListener::FdListener(int fd, absl::AnyInvocable<void(std::uint32_t)> on_ready,
                       SourceLocation site)
    : hub_(Hub::Current()),
      fd_(fd),
      identity_(fd),
      site_(site),
      on_ready_(std::make_shared<absl::AnyInvocable<void(std::uint32_t)>>(std::move(on_ready))) {
  if (fd < 0) throw std::logic_error(absl::StrCat("FdListener: there is no file descriptor ", fd));
}

// A hub that is not this thread's any more has ended, or is the parent's in a forked child.
FdListener::~FdListener() {
  if (!closed_ && internal::current_hub == &hub_) hub_.fds().ClearWatcher(fd_, this);
}

void FdListener::SetInterest(std::uint32_t events) {
  home_.Check("a file descriptor's listener");
  if (!closed_ && internal::current_hub == &hub_) hub_.fds().SetWatcher(fd_, this, events);
}

void FdListener::DescriptorClosing() {
  if (std::exchange(closed_, true)) return;
  if (internal::current_hub == &hub_) hub_.fds().ForgetWatcher(fd_, this);
}

std::string FdListener::Describe() const {
  return absl::StrCat("a listener set up at ", site_.file_name(), ":", site_.line());
}

void FdListener::OnReady(std::uint32_t events) noexcept {
  // The call may end this object.
  const auto on_ready = on_ready_;
  Hub& hub = hub_;
  try {
    (*on_ready)(events);
  } catch (...) {
    hub.ReportUncaught("a file descriptor's listener", std::current_exception());
  }
}

}  // namespace verdant
